package postgres

import "sync"

// statement is one SQL text with the columns of its result.
type statement struct {
	sql     string
	columns []*column
}

// statements keeps statements by their shapes. When it is full, it starts over:
// programs that have more shapes than that make them from requests, and have no
// use for the old ones.
type statements struct {
	mu    sync.RWMutex
	known map[string]*statement
}

const maxStatements = 1000

// get returns the statement of a shape, built when it is met for the first time.
func (s *statements) get(key []byte, build func() *statement) *statement {
	s.mu.RLock()
	st := s.known[string(key)]
	s.mu.RUnlock()
	if st != nil {
		return st
	}
	st = build()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxStatements {
		s.known = make(map[string]*statement)
	}
	s.known[string(key)] = st
	return st
}
