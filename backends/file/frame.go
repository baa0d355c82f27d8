package file

import (
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strconv"
)

// frame is what stands around the body of a line: {"n":1,"synced":182,BODY,"crc":"5a1de7c0"}.
type frame struct {
	number int64 // of the line
	synced int64 // how many bytes were on disk when it was written
	body   []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	frameBegin  = `{"n":`
	frameSynced = `,"synced":`
	sealBegin   = `,"crc":"`
	sealEnd     = "\"}\n"
	sealSize    = len(sealBegin) + 8 + len(sealEnd)
)

// appendFrame appends a whole line.
func appendFrame(dst []byte, f frame) []byte {
	begin := len(dst)
	dst = append(dst, frameBegin...)
	dst = strconv.AppendInt(dst, f.number, 10)
	dst = append(dst, frameSynced...)
	dst = strconv.AppendInt(dst, f.synced, 10)
	dst = append(dst, ',')
	dst = append(dst, f.body...)
	return appendSeal(dst, begin)
}

// appendSeal ends the line that begins at an index with its checksum.
func appendSeal(dst []byte, begin int) []byte {
	sum := crc32.Checksum(dst[begin:], castagnoli)
	dst = append(dst, sealBegin...)
	dst = hex.AppendEncode(dst, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}) //nolint:gosec // its four bytes
	return append(dst, sealEnd...)
}

var (
	errUnfinished = errors.New("the line is not finished")
	errChecksum   = errors.New("the checksum does not match")
	errNoFrame    = errors.New("the line does not begin with its number")
)

// unseal returns the line up to its checksum, which is right.
func unseal(line []byte) ([]byte, error) {
	at := len(line) - sealSize
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(sealBegin)) || !bytes.HasSuffix(line, []byte(sealEnd)) {
		return nil, errUnfinished
	}
	var sum [4]byte
	digits := line[at+len(sealBegin) : len(line)-len(sealEnd)]
	if _, err := hex.Decode(sum[:], digits); err != nil || bytes.ContainsAny(digits, "ABCDEF") {
		return nil, errChecksum
	}
	want := uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
	if crc32.Checksum(line[:at], castagnoli) != want {
		return nil, errChecksum
	}
	return line[:at], nil
}

// parseFrame reads a line, its end included. The body is a part of it.
func parseFrame(line []byte) (f frame, err error) {
	r := reader{text: line}
	if !r.literal(frameBegin) || !r.integer(&f.number) || !r.literal(frameSynced) || !r.integer(&f.synced) || !r.literal(",") {
		return f, errNoFrame
	}
	text, err := unseal(line)
	if err != nil {
		return f, err
	}
	if len(text) < r.pos {
		return f, errNoFrame
	}
	f.body = text[r.pos:]
	return f, nil
}

// intactEnd returns the line that a text ends with, and where it begins, if it is
// intact: what is broken before it may have lost its own end.
func intactEnd(text []byte) (f frame, at int, ok bool) {
	for ; at < len(text); at++ {
		next := bytes.Index(text[at:], []byte(frameBegin))
		if next < 0 {
			break
		}
		at += next
		if f, err := parseFrame(text[at:]); err == nil {
			return f, at, true
		}
	}
	return frame{}, 0, false
}
