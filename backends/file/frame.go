package file

import (
	"bytes"
	"encoding/binary"
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
	errUnfinished = errors.New("the line is incomplete")
	errChecksum   = errors.New("the checksum does not match")
	errNoFrame    = errors.New("the line does not start with its number")
)

// sealOf returns where the checksum of the line begins, and which it is.
func sealOf(line []byte) (at int, sum uint32, err error) {
	at = len(line) - sealSize
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(sealBegin)) || !bytes.HasSuffix(line, []byte(sealEnd)) {
		return 0, 0, errUnfinished
	}
	var bytewise [4]byte
	digits := line[at+len(sealBegin) : len(line)-len(sealEnd)]
	if _, err := hex.Decode(bytewise[:], digits); err != nil || bytes.ContainsAny(digits, "ABCDEF") {
		return 0, 0, errChecksum
	}
	return at, binary.BigEndian.Uint32(bytewise[:]), nil
}

// unseal returns the line up to its checksum, which is right.
func unseal(line []byte) ([]byte, error) {
	at, want, err := sealOf(line)
	if err == nil && crc32.Checksum(line[:at], castagnoli) != want {
		err = errChecksum
	}
	if err != nil {
		return nil, err
	}
	return line[:at], nil
}

// beginFrame reads what is before the body of a line, and returns where that begins.
func beginFrame(line []byte) (f frame, body int, err error) {
	r := reader{text: line}
	if !r.literal(frameBegin) || !r.integer(&f.number) || !r.literal(frameSynced) || !r.integer(&f.synced) || !r.literal(",") {
		return f, 0, errNoFrame
	}
	return f, r.pos, nil
}

// parseFrame reads a line, its end included. The body is a part of it.
func parseFrame(line []byte) (frame, error) {
	f, body, err := beginFrame(line)
	if err != nil {
		return f, err
	}
	text, err := unseal(line)
	if err != nil {
		return f, err
	}
	if len(text) < body {
		return f, errNoFrame
	}
	f.body = text[body:]
	return f, nil
}

// intactEnd returns the line that a text ends with, and where it begins, if it is
// intact: what is broken before it may have lost its own end. Records may hold what
// looks like lines; so the checksum is not computed from each place where one may
// begin, but once, backwards.
func intactEnd(text []byte) (f frame, at int, ok bool) {
	end, sum, err := sealOf(text)
	if err != nil {
		return frame{}, 0, false
	}
	register := ^sum
	for i := end - 1; i >= 0; i-- {
		register = rewind(register, text[i])
		if register != ^uint32(0) || !bytes.HasPrefix(text[i:], []byte(frameBegin)) {
			continue
		}
		if begun, body, err := beginFrame(text[i:]); err == nil && i+body <= end {
			begun.body = text[i+body : end]
			f, at, ok = begun, i, true
		}
	}
	return f, at, ok
}

// rewind returns the register of the checksum as it was before the byte.
func rewind(register uint32, b byte) uint32 {
	i := rewinding[register>>24]
	return (register^castagnoli[i])<<8 | uint32(i^b)
}

// rewinding is which entry of the table has a top byte; each has another one.
var rewinding = func() (of [256]byte) {
	for i, entry := range castagnoli {
		of[entry>>24] = byte(i)
	}
	return of
}()
