package file

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strconv"
)

// frame is a line of the journal: {"n":1,"synced":182,BODY,"crc":"5a1de7c0"}.
type frame struct {
	number int64 // of the line
	synced int64 // bytes known to be on disk when the line was written
	body   []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	frameBegin    = `{"n":`
	frameSynced   = `,"synced":`
	checksumBegin = `,"crc":"`
	checksumEnd   = "\"}\n"
	checksumSize  = len(checksumBegin) + 8 + len(checksumEnd)
)

// appendFrame appends a complete line.
func appendFrame(dst []byte, f frame) []byte {
	begin := len(dst)
	dst = append(dst, frameBegin...)
	dst = strconv.AppendInt(dst, f.number, 10)
	dst = append(dst, frameSynced...)
	dst = strconv.AppendInt(dst, f.synced, 10)
	dst = append(dst, ',')
	dst = append(dst, f.body...)
	return appendChecksum(dst, begin)
}

// appendChecksum completes the line that begins at an index of dst with its checksum.
func appendChecksum(dst []byte, begin int) []byte {
	sum := crc32.Checksum(dst[begin:], castagnoli)
	dst = append(dst, checksumBegin...)
	dst = hex.AppendEncode(dst, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}) //nolint:gosec // the four bytes of sum
	return append(dst, checksumEnd...)
}

var (
	errIncomplete = errors.New("the line is incomplete")
	errChecksum   = errors.New("the checksum does not match")
	errNoFrame    = errors.New("the line does not start with its number")
)

// checksumOf returns the position and the value of the line's checksum.
func checksumOf(line []byte) (at int, sum uint32, err error) {
	at = len(line) - checksumSize
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(checksumBegin)) || !bytes.HasSuffix(line, []byte(checksumEnd)) {
		return 0, 0, errIncomplete
	}
	var bytewise [4]byte
	digits := line[at+len(checksumBegin) : len(line)-len(checksumEnd)]
	if _, err := hex.Decode(bytewise[:], digits); err != nil || bytes.ContainsAny(digits, "ABCDEF") {
		return 0, 0, errChecksum
	}
	return at, binary.BigEndian.Uint32(bytewise[:]), nil
}

// verifyChecksum verifies the checksum of the line and returns the text before it.
func verifyChecksum(line []byte) ([]byte, error) {
	at, want, err := checksumOf(line)
	if err == nil && crc32.Checksum(line[:at], castagnoli) != want {
		err = errChecksum
	}
	if err != nil {
		return nil, err
	}
	return line[:at], nil
}

// parseFrameStart parses the members before the body, and returns the position of the body.
func parseFrameStart(line []byte) (f frame, body int, err error) {
	r := jsonReader{text: line}
	if !r.literal(frameBegin) || !r.integer(&f.number) || !r.literal(frameSynced) || !r.integer(&f.synced) || !r.literal(",") {
		return f, 0, errNoFrame
	}
	return f, r.pos, nil
}

// parseFrame parses and verifies a complete line. The body aliases the line.
func parseFrame(line []byte) (frame, error) {
	f, body, err := parseFrameStart(line)
	if err != nil {
		return f, err
	}
	text, err := verifyChecksum(line)
	if err != nil {
		return f, err
	}
	if len(text) < body {
		return f, errNoFrame
	}
	f.body = text[body:]
	return f, nil
}

// findIntactEnd looks for an intact line at the end of a text, and returns it with its position: a broken line may have
// lost its own line end. Records may contain text that looks like the start of a line. Computing a checksum from each
// of these positions could take hours, so the checksum is computed once, backwards.
func findIntactEnd(text []byte) (f frame, at int, ok bool) {
	end, sum, err := checksumOf(text)
	if err != nil {
		return frame{}, 0, false
	}
	register := ^sum
	for i := end - 1; i >= 0; i-- {
		register = rewindChecksum(register, text[i])
		if register != ^uint32(0) || !bytes.HasPrefix(text[i:], []byte(frameBegin)) {
			continue
		}
		if begun, body, err := parseFrameStart(text[i:]); err == nil && i+body <= end {
			begun.body = text[i+body : end]
			f, at, ok = begun, i, true
		}
	}
	return f, at, ok
}

// rewindChecksum returns the register of the checksum before the byte was added.
func rewindChecksum(register uint32, b byte) uint32 {
	i := rewindTable[register>>24]
	return (register^castagnoli[i])<<8 | uint32(i^b)
}

// rewindTable has the index of the table entry for each top byte. The top bytes of the entries are distinct.
var rewindTable = func() (table [256]byte) {
	for i, entry := range castagnoli {
		table[entry>>24] = byte(i)
	}
	return table
}()
