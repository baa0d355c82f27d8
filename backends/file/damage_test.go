package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// history is a journal with its content after each line.
type history struct {
	data   []byte
	states []string // by line; the first one is after the header
}

// offsets returns the offsets of the lines and of the end.
func (h history) offsets() []int {
	var out []int
	for i := 0; i < len(h.data); i += bytes.IndexByte(h.data[i:], '\n') + 1 {
		out = append(out, i)
	}
	return append(out, len(h.data))
}

// randomJournal returns the journal of a random program, of about the given size.
func randomJournal(tb testing.TB, size int) history {
	tb.Helper()
	c := &crasher{tb: tb, fs: newStrictFilesystem(), opts: quiet(), allowed: []string{""}}
	c.random = newRandom(7)
	c.open()
	// The initial snapshot and the first reservation have no records.
	for lastSize := 0; lastSize < size; {
		if c.transaction(); c.largestKey%3 == 0 {
			c.rollback()
		}
		lastSize = len(c.fs.names[path].data)
	}
	h := history{data: slices.Clone(c.fs.names[path].data)}
	content := newContent(schemaOf(cookies))
	for i, line := range bytes.SplitAfter(h.data, []byte("\n")) {
		if len(line) == 0 {
			break
		}
		if i > 0 {
			f, err := parseFrame(line)
			if err == nil {
				err = content.apply(f.body)
			}
			if err != nil {
				tb.Fatal(err)
			}
		}
		h.states = append(h.states, textOf(tb, content))
	}
	return h
}

func textOf(tb testing.TB, c *content) string {
	tb.Helper()
	converted, err := convertContent(c, cookies, false)
	if err != nil {
		tb.Fatal(err)
	}
	var b strings.Builder
	for _, records := range converted.Records {
		for _, rec := range records {
			b.WriteString(rec.String())
		}
	}
	return b.String()
}

// filesystemWith returns a file system with a file of the given content.
func filesystemWith(data []byte) *strictFilesystem {
	fs := newStrictFilesystem()
	node := &inode{data: slices.Clone(data), disk: slices.Clone(data)}
	fs.names[path], fs.disk[path] = node, node
	return fs
}

func TestFlippedByteIsDetected(t *testing.T) {
	h := randomJournal(t, 10_000)
	offsets := h.offsets()
	lastLine := offsets[len(offsets)-2]
	others := []byte{0, '\n', '0', '"', 0xff}
	line := 0
	for at := range h.data {
		for at >= offsets[line+1] {
			line++
		}
		damaged := slices.Clone(h.data)
		if damaged[at] = others[at%len(others)]; damaged[at] == h.data[at] {
			damaged[at] ^= 1 << (at % 8)
		}
		b := newBackend(filesystemWith(damaged), path, quiet())
		err := b.Bind(context.Background(), cookies)
		if at >= lastLine { // looks like a torn write
			if err != nil || text(b.store.Snapshot()) != h.states[len(h.states)-2] {
				t.Fatalf("byte %d in the last line: %v", at, err)
			}
			continue
		}
		corrupt, ok := errors.AsType[*CorruptError](err)
		if err == nil || line > 0 && (!ok || corrupt.Offset != int64(offsets[line])) {
			t.Fatalf("byte %d from %q to %q in the line at %d: %v", at, h.data[at], damaged[at], offsets[line], err)
		}
	}
}

func TestTruncatedFileHasPrefix(t *testing.T) {
	h := randomJournal(t, 4_000)
	offsets := h.offsets()
	for size := offsets[2]; size <= len(h.data); size++ { // a shorter file is damaged
		lines, _ := slices.BinarySearch(offsets, size+1) // complete lines with the header
		b := newBackend(filesystemWith(h.data[:size]), path, quiet())
		if err := b.Bind(context.Background(), cookies); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if found := text(b.store.Snapshot()); found != h.states[lines-2] {
			t.Fatalf("%d bytes: found %s, want %s", size, found, h.states[lines-2])
		}
	}
}

func TestMissingRepeatedOrSwappedLinesAreDetected(t *testing.T) {
	h := randomJournal(t, 2_000)
	lines := bytes.SplitAfter(h.data, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := 1; i < len(lines)-1; i++ {
		missing := slices.Delete(slices.Clone(lines), i, i+1)
		repeated := slices.Insert(slices.Clone(lines), i, lines[i])
		swapped := slices.Clone(lines)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		for name, changed := range map[string][][]byte{"missing": missing, "repeated": repeated, "swapped": swapped} {
			err := newBackend(filesystemWith(slices.Concat(changed...)), path, quiet()).Bind(context.Background(), cookies)
			if _, ok := errors.AsType[*CorruptError](err); !ok {
				t.Errorf("line %d %s: %v", i, name, err)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	h := randomJournal(f, 1) // short, since the fuzzer is slow to shorten interesting inputs
	f.Add(h.data, false)
	var bare bytes.Buffer // without checksums, so that mutations reach the values
	for line := range bytes.Lines(h.data) {
		fmt.Fprintf(&bare, "%s\n", line[:len(line)-checksumSize])
	}
	f.Add(bare.Bytes(), true)
	f.Fuzz(func(t *testing.T, data []byte, addChecksums bool) {
		if addChecksums {
			data = withChecksums(data)
		}
		fs := filesystemWith(data)
		b := newBackend(fs, path, quiet())
		if b.Bind(t.Context(), cookies) != nil {
			return
		}
		first := text(b.store.Snapshot())
		tx, err := b.Begin(t.Context(), core.BackendTxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		rec, _ := jar.NewRecord(map[string]any{"id": "fuzz"})
		_, err = tx.Insert(t.Context(), &core.Op{Kind: core.Insert, Resource: jar, Records: []core.Record{rec}})
		if err == nil {
			err = tx.Commit(t.Context())
		} else {
			_ = tx.Rollback(t.Context())
		}
		if err == nil {
			first = text(b.store.Snapshot())
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		again := newBackend(fs, path, quiet())
		if err := again.Bind(t.Context(), cookies); err != nil {
			t.Fatalf("the second open failed: %v", err)
		}
		if second := text(again.store.Snapshot()); first != second {
			t.Fatalf("first\n%s\nand then\n%s", first, second)
		}
	})
}

// withChecksums adds correct checksums to the lines.
func withChecksums(data []byte) (out []byte) {
	for line := range bytes.Lines(data) {
		begin := len(out)
		out = appendChecksum(append(out, bytes.TrimSuffix(line, []byte("\n"))...), begin)
	}
	return out
}

// slowIntactEnd is findIntactEnd by trying every position.
func slowIntactEnd(text []byte) (number int64, at int, ok bool) {
	for at := range text {
		if f, err := parseFrame(text[at:]); err == nil {
			return f.number, at, true
		}
	}
	return 0, 0, false
}

func TestFindIntactEnd(t *testing.T) {
	line := func(n int64, body string) []byte { return appendFrame(nil, frame{n, 7, []byte(body)}) }
	inner := strings.TrimSuffix(string(line(3, `"seq":{}`)), "\n")
	texts := [][]byte{
		nil, []byte("\n"), line(1, `"seq":{}`), line(1, `"put":{"j":[`+inner+`,`+inner+`]}`),
		append([]byte(`{"n":1,"synced":2,`), line(2, `"put":{}`)...), append(line(1, `"seq":{}`), line(2, `"seq":{}`)...),
		[]byte(`{"n":1,"synced":2,"x":0},"crc":"00000000"}` + "\n"), line(1, ``), append([]byte(inner), inner...),
	}
	random := newRandom(2)
	for range 2000 {
		text := bytes.Clone(texts[random.IntN(len(texts))])
		if len(text) > 0 && random.IntN(2) == 0 {
			text[random.IntN(len(text))] ^= 1 << random.IntN(8)
		}
		text = append(bytes.Repeat([]byte{'x'}, random.IntN(3)), text...)
		number, at, ok := slowIntactEnd(text)
		f, gotAt, gotOK := findIntactEnd(text)
		if ok != gotOK || ok && (f.number != number || gotAt != at) {
			t.Fatalf("of %q: line %d at %d, %t; want line %d at %d, %t", text, f.number, gotAt, gotOK, number, at, ok)
		}
	}
}

// Computing a checksum for each possible start of a line would take hours.
func TestDamagedLineWithLineLikeContent(t *testing.T) {
	header := schemaOf(cookies).header()
	data := appendFrame(header, frame{1, int64(len(header)), []byte(`"seq":{}`)})
	begin, repeats := int64(len(data)), 400_000
	body := `"put":{"jar":[{"id":"` + strings.Repeat(`{"n":1,"synced":2,"x":0},`, repeats) + `"}]}`
	data = appendFrame(data, frame{2, begin, []byte(body)})
	data[begin+100] ^= 1
	data[len(data)-1] = ' '
	data = appendFrame(data, frame{3, int64(len(data)), []byte(`"seq":{}`)})
	err := newBackend(filesystemWith(data), path, quiet()).Bind(t.Context(), cookies)
	if want := fmt.Sprintf("offset %d:", begin); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 3,") {
		t.Error(err)
	}
}
