package file

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// slowIntactEnd is intactEnd by trying everywhere.
func slowIntactEnd(text []byte) (number int64, at int, ok bool) {
	for at := range text {
		if f, err := parseFrame(text[at:]); err == nil {
			return f.number, at, true
		}
	}
	return 0, 0, false
}

func TestTheIntactEndOfALineIsFoundWhereverItBegins(t *testing.T) {
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

// A checksum for each of them would take hours.
func TestDamageToALineOfThingsThatLookLikeLines(t *testing.T) {
	header := schemaOf(cookies).header()
	data := appendFrame(header, frame{1, int64(len(header)), []byte(`"seq":{}`)})
	begin := int64(len(data))
	body := `"put":{"jar":[{"id":"` + strings.Repeat(`{"n":1,"synced":2,"x":0},`, 400_000) + `"}]}`
	data = appendFrame(data, frame{2, begin, []byte(body)})
	data[begin+100] ^= 1
	data[len(data)-1] = ' '
	data = appendFrame(data, frame{3, int64(len(data)), []byte(`"seq":{}`)})
	err := newBackend(filesystemWith(data), path, quiet()).Bind(t.Context(), cookies)
	if want := fmt.Sprintf("offset %d:", begin); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 3,") {
		t.Error(err)
	}
}
