package file

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
)

// replayResult is the result of reading a journal from its beginning.
type replayResult struct {
	content *content
	number  int64 // of the last line
	end     int64 // of the last line
	synced  int64 // bytes that the last line says to be on disk
	marked  bool  // the last line is a sync marker
	size    int64 // of the file
	torn    error // the problem of the line at end, if the file does not end there
}

// replay reads a journal.
//
// Errors: [*CorruptError]; another error for a file that is no journal of a known version; the context's.
func replay(ctx context.Context, path string, file handle, progress func(done, total int64)) (*replayResult, error) {
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	p := newReplayer(path, file, size)
	p.ctx, p.progress = ctx, progress
	if err := p.header(); err != nil {
		return nil, err
	}
	for p.end < size && p.torn == nil {
		if err := p.line(); err != nil {
			return nil, err
		}
	}
	if p.torn != nil {
		if err := p.checkTail(); err != nil {
			return nil, err
		}
	}
	if !p.content.snapshotEnded {
		return nil, p.corrupt(p.end, cmp.Or(p.torn, errTruncated))
	}
	progress(size, size)
	return p.replayResult, nil
}

var (
	errEmpty     = errors.New("the file is empty")
	errTruncated = errors.New("truncated: the end marker of the initial snapshot is missing")
)

// replayer is the state of a running replay.
type replayer struct {
	*replayResult

	ctx      context.Context
	path     string
	lines    *lines
	progress func(done, total int64)
	reported int64 // the last offset passed to progress
}

func newReplayer(path string, file handle, size int64) *replayer {
	return &replayer{
		replayResult: &replayResult{size: size}, ctx: context.Background(), path: path,
		lines: newLines(file, 0, size), progress: func(int64, int64) {},
	}
}

func (p *replayer) corrupt(offset int64, reason error) error {
	return &CorruptError{p.path, offset, reason.Error()}
}

// next returns the next line, and reports the progress.
func (p *replayer) next() (offset int64, line []byte, err error) {
	if offset, line, err = p.lines.next(); err != nil {
		return 0, nil, err
	}
	if offset-p.reported >= 1<<20 {
		p.reported = offset
		p.progress(offset, p.size)
		err = p.ctx.Err()
	}
	return offset, line, err
}

func (p *replayer) header() error {
	_, line, err := p.next()
	if errors.Is(err, io.EOF) {
		return p.corrupt(0, errEmpty)
	}
	if err != nil {
		return err
	}
	s, err := readHeader(line)
	if errors.Is(err, errChecksum) {
		return p.corrupt(0, err)
	}
	if err != nil {
		return fmt.Errorf("file: %s %w", p.path, err)
	}
	p.content, p.end, p.synced = newContent(s), int64(len(line)), int64(len(line))
	return nil
}

// readHeader reads the first line of a journal. Problems of the text take precedence over a wrong checksum, because
// files of other kinds have none, and newer versions may have a different one.
func readHeader(line []byte) (schema, error) {
	text, sealed := verifyChecksum(line)
	if sealed != nil {
		text, _, _ = bytes.Cut(line, []byte(checksumBegin))
	}
	s, err := parseHeader(text)
	switch {
	case sealed == nil || errors.Is(err, errNewer):
		return s, err
	case err == nil || bytes.HasPrefix(line, []byte(headerBegin)):
		return s, errChecksum
	}
	return s, err
}

// line reads one line after the header.
func (p *replayer) line() error {
	offset, line, err := p.next()
	if err != nil {
		return err
	}
	f, err := parseFrame(line)
	if err != nil {
		p.torn = err
		return p.rejectIfSynced(line)
	}
	switch {
	case f.number != p.number+1:
		return p.corrupt(offset, fmt.Errorf("line %d follows line %d", f.number, p.number))
	case f.synced < 0 || f.synced > offset:
		return p.corrupt(offset, fmt.Errorf("the line says that %d bytes before it were synced, but the file has fewer", f.synced))
	}
	if err := p.content.apply(f.body); err != nil {
		return p.corrupt(offset, err)
	}
	p.number, p.synced = f.number, f.synced
	p.marked = f.synced == offset && bytes.HasPrefix(f.body, []byte(`"seq":`))
	p.end = offset + int64(len(line))
	return nil
}

// checkTail looks after a broken line for evidence that it is not an interrupted write.
func (p *replayer) checkTail() error {
	for {
		_, line, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.rejectIfSynced(line)
		}
		if err != nil {
			return err
		}
	}
}

// rejectIfSynced returns an error if the text ends with an intact line that was written when the broken line was
// already on disk.
func (p *replayer) rejectIfSynced(text []byte) error {
	if f, _, ok := findIntactEnd(text); ok && f.synced > p.end {
		return p.corrupt(p.end, fmt.Errorf("%w, and line %d, which was written later, is intact", p.torn, f.number))
	}
	return nil
}

// lines reads a journal line by line.
type lines struct {
	in     *bufio.Reader
	offset int64 // of the next line
	long   []byte
}

const readBufferSize = 256 << 10

func newLines(from io.ReaderAt, begin, end int64) *lines {
	size := min(readBufferSize, end-begin)
	return &lines{in: bufio.NewReaderSize(io.NewSectionReader(from, begin, end-begin), int(size)), offset: begin}
}

// next returns a line with its line end, which the last line may lack, and its offset. The line is valid until the next
// call.
//
// Errors: io.EOF.
func (l *lines) next() (offset int64, line []byte, err error) {
	line, err = l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			l.long = append(l.long, line...)
			line, err = l.in.ReadSlice('\n')
		}
		l.long = append(l.long, line...)
		line = l.long
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	offset = l.offset
	l.offset += int64(len(line))
	return offset, line, err
}

// CorruptError is returned for a journal with damage that no crash can explain.
type CorruptError struct {
	// Path is the path of the file.
	Path string
	// Offset is the position of the damaged line in bytes.
	Offset int64
	// Reason describes the damage.
	Reason string
}

// Recoverable reports whether [Recover] may find records in the file: it is false for an empty file.
func (e *CorruptError) Recoverable() bool { return e.Reason != errEmpty.Error() }

// Error says where the damage is and how to repair it.
func (e *CorruptError) Error() string {
	if !e.Recoverable() {
		return fmt.Sprintf("file: %s is empty and holds no journal; restore a backup, or remove the file to start with a new one", e.Path)
	}
	return fmt.Sprintf("file: %s is damaged at offset %d: %s; restore a backup, or copy what can be read with file.Recover",
		e.Path, e.Offset, e.Reason)
}
