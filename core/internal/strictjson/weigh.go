package strictjson

// Memory that Parse allocates, in bytes, size classes of the allocator included.
const (
	arrayBytes   = 48  // header of the slice, and the place in the survey
	elementBytes = 20  // an interface
	objectBytes  = 72  // header of the map, and the place in the survey
	groupBytes   = 288 // the first eight members of a map
	groupMembers = 8
	memberBytes  = 80 // a member of a larger map, free slots included
	boxBytes     = 32 // of a string or number in an interface
	shortNumber  = 32 // bytes of a number that is checked without allocations
)

// Weigh returns an upper bound of the bytes that [Parse] allocates for data. It takes a
// fraction of the time of Parse and allocates next to nothing, so a caller can refuse a
// short text of many small values. Beyond limit it stops, and the result is only known to
// exceed limit.
func Weigh(data []byte, maxNesting int, limit int64) int64 {
	s := prescan{data: data, limit: limit}
	s.run(nestingLimit(maxNesting))
	return s.weight
}

// survey is a first pass over a text that looks at its structure alone. What it finds in
// a text that is not JSON means nothing, but that the weight bounds the hints.
type prescan struct {
	data   []byte
	pos    int
	limit  int64
	weight int64

	keepMembers bool     // the members
	members     []uint32 // of each array and object, in the order of their openings
	stack       []container
}

// opened is an array or object that has not ended.
type container struct {
	object  bool
	members int
	at      int // in survey.members
}

func (s *prescan) run(maxNesting int) {
	s.stack = make([]container, 0, min(maxNesting, DefaultNesting))
	for s.pos < len(s.data) && s.weight <= s.limit {
		switch c := s.data[s.pos]; c {
		case '{', '[':
			if len(s.stack) == maxNesting { // Parse goes no further either
				return
			}
			s.open(c == '{')
		case '}', ']':
			s.close()
		case ',':
			s.comma()
		case '"':
			s.scanString()
		case ' ', '\t', '\n', '\r', ':':
			s.pos++
		default:
			s.scanLiteral()
		}
	}
	for len(s.stack) > 0 { // of a text that ends early
		s.close()
	}
}

func (s *prescan) open(object bool) {
	s.firstMember()
	o := container{object: object, at: len(s.members)}
	if s.keepMembers {
		s.members = append(s.members, 0)
	}
	s.stack = append(s.stack, o)
	if s.weight += arrayBytes; object {
		s.weight += objectBytes - arrayBytes
	}
	s.pos++
}

func (s *prescan) close() {
	s.pos++
	if len(s.stack) == 0 {
		return
	}
	o := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	if s.keepMembers {
		s.members[o.at] = uint32(o.members) //nolint:gosec // a hint
	}
}

// member notes that the innermost array or object is not empty.
func (s *prescan) firstMember() {
	if n := len(s.stack); n > 0 && s.stack[n-1].members == 0 {
		s.addMember(&s.stack[n-1])
	}
}

func (s *prescan) comma() {
	s.pos++
	if n := len(s.stack); n > 0 {
		s.addMember(&s.stack[n-1])
	}
}

func (s *prescan) addMember(o *container) {
	o.members++
	switch {
	case !o.object:
		s.weight += elementBytes
	case o.members == 1:
		s.weight += groupBytes
	case o.members == groupMembers+1:
		s.weight += (groupMembers + 1) * memberBytes
	case o.members > groupMembers:
		s.weight += memberBytes
	}
}

func (s *prescan) scanString() {
	s.firstMember()
	end, escapes := endOfString(s.data, s.pos+1)
	n := int64(end - s.pos)
	if s.weight += boxBytes + n + n/4; escapes {
		s.weight += 2 * n
	}
	s.pos = end
}

// endOfString returns the position behind the closing quote of a string whose content
// begins at pos, and whether the string has escapes.
func endOfString(data []byte, pos int) (end int, escapes bool) {
	for pos < len(data) {
		switch data[pos] {
		case '"':
			return pos + 1, escapes
		case '\\':
			escapes = true
			pos++
		}
		pos++
	}
	return len(data), escapes
}

// literal steps over a number, true, false or null.
func (s *prescan) scanLiteral() {
	s.firstMember()
	start, exponent := s.pos, false
	for ; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case '{', '[', '}', ']', ',', '"', ' ', '\t', '\n', '\r', ':':
			s.addLiteral(start, exponent)
			return
		case 'e', 'E':
			exponent = true
		}
	}
	s.addLiteral(start, exponent)
}

func (s *prescan) addLiteral(start int, exponent bool) {
	switch n := int64(s.pos - start); {
	case s.data[start] > '9': // a literal
	case exponent || n > shortNumber:
		s.weight += 2*boxBytes + 5*n
	default:
		s.weight += boxBytes + n
	}
}
