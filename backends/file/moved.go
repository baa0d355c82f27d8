package file

import (
	"errors"
	"fmt"
)

var errMoved = errors.New("the open file is no longer at its path: it was moved, removed or replaced")

// checkPath is an error unless the file that is open is at its path. The caller has the
// turn.
func (j *journal) checkPath() error {
	still, err := j.file.IsAt(j.path)
	if err == nil && !still {
		err = errMoved
	}
	if err != nil {
		return fmt.Errorf("file: %s: %w", j.path, err)
	}
	return nil
}
