package file

import "fmt"

// CorruptError says that a journal is damaged in a place that no crash can have
// damaged, or that it is none.
type CorruptError struct {
	Path   string
	Offset int64 // of the line at fault, in bytes
	Reason string
}

// Error says where the damage is and what can be done.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("file: %s is damaged at offset %d: %s; restore a backup, or copy what can be read with file.Recover",
		e.Path, e.Offset, e.Reason)
}
