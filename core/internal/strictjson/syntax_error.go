package strictjson

import "fmt"

// SyntaxError says why and where a text was refused. Its text is safe to show to a client: it is short and repeats at most one
// character of the input.
type SyntaxError struct {
	// Offset is the position of the first refused byte, counted from 0. At the end of the input it is the input's length.
	Offset int
	// Msg is the reason, without the position.
	Msg string
}

var _ error = (*SyntaxError)(nil)

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Msg)
}
