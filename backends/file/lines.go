package file

import (
	"bufio"
	"errors"
	"io"
)

// lines reads a journal line by line.
type lines struct {
	in     *bufio.Reader
	offset int64 // of the line that comes next
	long   []byte
}

const readBufferSize = 256 << 10

func newLines(from io.ReaderAt, begin, end int64) *lines {
	size := min(readBufferSize, end-begin)
	return &lines{in: bufio.NewReaderSize(io.NewSectionReader(from, begin, end-begin), int(size)), offset: begin}
}

// next returns a line with its end, which only the last one may lack, and its
// offset. It is valid until the next call.
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
