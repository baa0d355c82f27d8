package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Recover copies the readable part of a damaged journal to a new file at out, and reports the rest. Transactions are
// lost one by one, and later ones may depend on lost ones. Therefore:
//
//   - relations to missing records become null, and duplicate unique values become null in all records but one;
//   - a record exists again if its deletion is lost;
//   - a field has its earlier value if a change is lost, or null if the record's insertion is lost;
//   - keys of lost records may be generated again if no readable line shows them.
//
// The file at path must not be open elsewhere, and is not changed.
//
// Errors: [os.ErrExist] if out exists; [ErrLocked] if the file is open; an error if the header is unreadable, which can
// be replaced by the header of another file of the same model; errors of the operating system.
func Recover(path, out string) (Report, error) { return recoverIn(osFilesystem{}, path, out) }

func recoverIn(system filesystem, path, out string) (Report, error) {
	in, err := system.Open(path, readOnly, 0)
	if err != nil {
		return Report{}, err
	}
	defer in.Close() //nolint:errcheck // it was read only
	if err := in.Lock(); err != nil {
		return Report{}, fmt.Errorf("file: %s: %w", path, err)
	}
	size, err := in.Size()
	if err != nil {
		return Report{}, err
	}
	s := &recovery{replayer: newReplayer(path, in, size)}
	if err := s.read(); err != nil {
		return Report{}, err
	}
	m, err := s.content.schema.toModel(path)
	if err != nil {
		return Report{}, err
	}
	s.report.Mended = slices.Concat(s.content.describeFragments(), s.content.nullViolations(), s.content.mendRepeated(m))
	s.report.Size, s.report.Lines, s.report.Records = size, s.number, s.content.size()
	if out, err = system.Resolve(out); err != nil {
		return s.report, err
	}
	return s.report, createJournal(context.Background(), system, out, s.content.source())
}

// recovery is a replay that continues after broken lines.
type recovery struct {
	*replayer

	report Report
	trial  *content // parses each line first, so that no line is applied partially
}

func (s *recovery) reportLoss(offset int64, size int, why error) {
	s.report.Lost = append(s.report.Lost, Damage{offset, int64(size), why.Error()})
}

func (s *recovery) read() error {
	_, line, err := s.next()
	if errors.Is(err, io.EOF) {
		return s.corrupt(0, errEmpty)
	}
	if err != nil {
		return err
	}
	fileSchema, err := readHeader(line)
	if errors.Is(err, errChecksum) && fileSchema.resources != nil {
		s.reportLoss(0, 0, fmt.Errorf("the header: %w; it is used anyway", err))
	} else if err != nil {
		return fmt.Errorf("file: cannot read the header of %s (%w); replace it with the header of another file of the same model", s.path, err)
	}
	s.content = newContent(fileSchema)
	s.content.fragments = make(map[fragment]bool)
	s.trial = newContent(fileSchema)
	s.trial.dryRun = true
	for {
		offset, line, err := s.next()
		if errors.Is(err, io.EOF) {
			if !s.content.snapshotEnded {
				s.reportLoss(s.size, 0, errTruncated)
			}
			return nil
		}
		if err != nil {
			return err
		}
		s.applyLine(offset, line)
	}
}

// applyLine applies a line, or its intact end, and reports the unreadable part.
func (s *recovery) applyLine(offset int64, line []byte) {
	f, err := parseFrame(line)
	if err != nil {
		intact, at, ok := findIntactEnd(line)
		if !ok {
			s.reportLoss(offset, len(line), err)
			return
		}
		s.reportLoss(offset, at, err)
		f, offset, line = intact, offset+int64(at), line[at:]
	}
	if err = s.trial.apply(f.body); err == nil {
		err = s.content.apply(f.body)
	}
	if err != nil {
		s.reportLoss(offset, len(line), err)
		return
	}
	s.number++
}

// describeFragments describes the records that are known only from updates.
func (c *content) describeFragments() (descriptions []string) {
	for at := range c.fragments {
		descriptions = append(descriptions, fmt.Sprintf("%s %s: only the fields of later updates are known; the others are lost and set to null", at.resource.name, at.key))
	}
	slices.Sort(descriptions)
	return descriptions
}
