package file

import (
	"context"
	"fmt"
	"os"
)

const readOnly = os.O_RDONLY

// Report tells what is in a journal.
type Report struct {
	Size    int64 // of the file in bytes
	Lines   int64 // behind the header
	Records int   // that are there in the end
	// Torn is how many bytes at the end were left by a crash, or are being written
	// at the moment. The next opening cuts them off.
	Torn int64
	// Lost is what [Recover] could not read, and Mended what it changed so that
	// relations and unique values are right without it.
	Lost   []Damage
	Mended []string
}

// Damage is a place in a journal that cannot be read.
type Damage struct {
	Offset int64
	Size   int64
	Reason string
}

// String describes the place.
func (d Damage) String() string {
	return fmt.Sprintf("%d bytes at offset %d: %s", d.Size, d.Offset, d.Reason)
}

// Verify reads the whole file, which may be in use, and checks every checksum, every
// value, relations and unique values. It changes nothing.
//
// Errors: those of [Backend.Bind].
func Verify(path string) (Report, error) {
	report, _, err := inspect(path)
	return report, err
}

// inspect reads the whole file as [Verify] does.
func inspect(path string) (Report, *content, error) {
	file, err := osFilesystem{}.Open(path, readOnly, 0)
	if err != nil {
		return Report{}, nil, err
	}
	defer file.Close() //nolint:errcheck // it was read only
	r, err := replay(context.Background(), path, file, func(int64, int64) {})
	if err != nil {
		return Report{}, nil, err
	}
	report := Report{Size: r.size, Lines: r.number, Records: r.content.size(), Torn: r.size - r.end}
	m, err := r.content.schema.toModel(path)
	if err != nil {
		return report, nil, err
	}
	if err := r.content.checkIntegrity(m); err != nil {
		return report, nil, fmt.Errorf("file: %s: %w", path, err)
	}
	return report, r.content, nil
}
