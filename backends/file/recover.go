package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Recover copies whatever can be read of a damaged journal to a new file at out,
// and tells what could not. Transactions are lost one by one, so later ones may
// have built on what is missing: relations to records that are not there, and
// unique values that two records hold, become null in one of them, a record that was
// deleted in a lost transaction is there again, and fields that were changed in one
// have the values from before it, or null if the record was inserted in it. The file
// at path must not be in use and stays as it is.
//
// Keys of records that are lost may be handed out again if no line that can be read
// tells of them.
//
// Errors: [os.ErrExist] if out exists; [ErrLocked] if the file is in use; one if not
// even the header can be read, which can then be copied from another file of the same
// model.
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
	if _, err := s.content.schema.toModel(path); err != nil {
		return Report{}, err
	}
	s.report.Mended = append(s.content.describeFragments(), s.content.nullViolations()...)
	s.report.Size, s.report.Lines, s.report.Records = size, s.number, s.content.size()
	if out, err = system.Resolve(out); err != nil {
		return s.report, err
	}
	return s.report, createJournal(context.Background(), system, out, s.content.source())
}

// recovery is a replay that goes on behind what is broken.
type recovery struct {
	*replayer

	report Report
	trial  *content // takes each line first, lest half of one be applied
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
	shape, err := readHeader(line)
	if errors.Is(err, errChecksum) && shape.resources != nil {
		s.reportLoss(0, 0, fmt.Errorf("the header: %w; it is used anyway", err))
	} else if err != nil {
		return fmt.Errorf("file: cannot read the header of %s (%w); replace it with the header of another file of the same model", s.path, err)
	}
	s.content = newContent(shape)
	s.content.fragments = make(map[fragment]bool)
	s.trial = newContent(shape)
	s.trial.dryRun = true
	for {
		offset, line, err := s.next()
		if errors.Is(err, io.EOF) {
			if !s.content.snapshotEnded {
				s.reportLoss(s.size, 0, errCut)
			}
			return nil
		}
		if err != nil {
			return err
		}
		s.applyLine(offset, line)
	}
}

// line takes what the line says, if it can be read.
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

// describeFragments tells which records are fragments.
func (c *content) describeFragments() (told []string) {
	for at := range c.fragments {
		told = append(told, fmt.Sprintf("%s %s: only the fields of later updates are known; the others are lost and set to null", at.resource.name, at.key))
	}
	slices.Sort(told)
	return told
}
