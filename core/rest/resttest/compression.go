package resttest

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/rest"
)

// decompress returns the content of a gzip stream.
func decompress(tb testing.TB, stream []byte) []byte {
	tb.Helper()
	r, err := gzip.NewReader(bytes.NewReader(stream))
	if err != nil {
		tb.Fatalf("gzip: %v", err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		tb.Fatalf("gzip: %v", err)
	}
	return content
}

// zipped are the headers of a client that accepts gzip.
var zipped = []string{"Accept-Encoding", "gzip"}

// encoding returns the Content-Encoding of a reply; "plain" for none.
func (r reply) encoding() string {
	if coding := r.header.Get("Content-Encoding"); coding != "" {
		return coding
	}
	return "plain"
}

func testCompression(t *testing.T, newBackend NewBackend) {
	compressing := setup{model: cookies(), rest: rest.Options{Gzip: true}}
	long := strconv.Quote(longText())
	filled := func(t *testing.T, s setup) *client {
		t.Helper()
		c := s.start(t, newBackend)
		c.check(t, exchange{"PUT /jar/1", `{"label": ` + long + `}`, 201, ""})
		c.check(t, exchange{"PUT /jar/2", `{"label": "short"}`, 201, ""})
		return c
	}
	t.Run("clients choose by Accept-Encoding", func(t *testing.T) { testChosenEncodings(t, filled(t, compressing)) })
	t.Run("a compressed answer has the same content", func(t *testing.T) {
		c := filled(t, compressing)
		for _, target := range []string{"/jar/1", "/jar", "/openapi.json", "/jar?filter=" + strings.Repeat("x", 2000)} {
			plain, packed := c.send(t, "GET", target, nil), c.send(t, "GET", target, nil, zipped...)
			if string(plain.body) != string(packed.body) || plain.status != packed.status || plain.encoding() != "plain" {
				t.Errorf("%s: %d %s, compressed %d %s", target, plain.status, plain.body, packed.status, packed.body)
			}
			head := c.send(t, "HEAD", target, nil, zipped...)
			if !sameHeaders(head.header, packed.header) {
				t.Errorf("%s: HEAD has %v, GET %v", target, head.header, packed.header)
			}
		}
	})
	t.Run("a compressed record has a tag of its own", func(t *testing.T) { testTagsOfEncodings(t, filled(t, compressing)) })
	t.Run("writes accept the tags of every encoding", func(t *testing.T) {
		for _, s := range []setup{compressing, {model: cookies()}} {
			c := filled(t, s)
			plain := c.check(t, exchange{"GET /jar/1", "", 200, ""}).header.Get("Etag")
			for _, tag := range []string{plain, strings.TrimSuffix(plain, `"`) + `-gzip"`} {
				c.check(t, exchange{"PATCH /jar/1", `{}`, 200, ""}, "If-Match", tag)
				c.check(t, exchange{"PATCH /jar/1", `{}`, 412, ""}, "If-None-Match", tag)
				c.check(t, exchange{"GET /jar/1", "", 200, ""}, "If-Match", tag)
				c.check(t, exchange{"PATCH /jar/2", `{}`, 412, ""}, "If-Match", tag)
			}
		}
	})
	t.Run("the answer to a write has the tag of its encoding", func(t *testing.T) {
		c := filled(t, compressing)
		want := c.check(t, exchange{"GET /jar/1", "", 200, ""}, zipped...).header.Get("Etag")
		if r := c.check(t, exchange{"PATCH /jar/1", `{}`, 200, ""}, zipped...); r.encoding() != "gzip" || r.header.Get("Etag") != want {
			t.Errorf("%s, tag %s, want %s", r.encoding(), r.header.Get("Etag"), want)
		}
	})
	t.Run("a batch is compressed as a whole", func(t *testing.T) {
		c := filled(t, compressing)
		plain := c.check(t, exchange{"GET /jar/1", "", 200, ""}).header.Get("Etag")
		r := c.check(t, exchange{"POST /$batch", `[{"method": "GET", "path": "/jar/1"}]`, 200,
			`[{"status": 200, "headers": {"ETag": ` + strconv.Quote(plain) + `}, "body": {"id": 1, "label": ` + long + `, "cookies": []}}]`}, zipped...)
		if r.encoding() != "gzip" {
			t.Errorf("the answer is %s", r.encoding())
		}
	})
	t.Run("repeated answers are compressed", func(t *testing.T) {
		s := rememberedNotes()
		s.rest.Gzip = true
		c := s.start(t, newBackend).as(user(1))
		for _, repeated := range []bool{false, true} {
			r := c.once(t, "k", repeated, exchange{"POST /note?fields=text", `{"text": ` + long + `}`, 201, `{"text": ` + long + `}`}, zipped...)
			if tag := r.header.Get("Etag"); r.encoding() != "gzip" || !strings.HasSuffix(tag, `-gzip"`) {
				t.Errorf("repeated %v: %s, tag %s", repeated, r.encoding(), tag)
			}
		}
	})
	t.Run("answers are plain by default", func(t *testing.T) {
		c := filled(t, setup{model: cookies()})
		if r := c.check(t, exchange{"GET /jar/1", "", 200, ""}, zipped...); r.encoding() != "plain" {
			t.Errorf("the answer is %s", r.encoding())
		}
	})
	t.Run("a compressed body of a request is rejected", func(t *testing.T) {
		r := filled(t, compressing).check(t, exchange{"POST /jar", `{}`, 415, `UNSUPPORTED_MEDIA_TYPE`}, "Content-Encoding", "gzip")
		if got := r.header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding %q", got)
		}
	})
}

// longText returns a text that is long when it is compressed, too.
func longText() string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	random, text := rand.New(rand.NewPCG(1, 2)), make([]byte, 4<<10)
	for i := range text {
		text[i] = letters[random.IntN(len(letters))]
	}
	return string(text)
}

func testChosenEncodings(t *testing.T, c *client) {
	for accept, want := range map[string]string{
		"": "plain", "identity": "plain", "br": "plain", "gzip;q=0": "plain", "*;q=0": "plain", "gzip;q=0, *": "plain", "gzip;q=x": "plain",
		"gzip": "gzip", "GZIP": "gzip", "x-gzip": "gzip", "*": "gzip", "br, gzip;q=0.5": "gzip", "deflate, gzip, br, zstd": "gzip", "*;q=0, gzip": "gzip",
	} {
		if r := c.check(t, exchange{"GET /jar/1", "", 200, ""}, "Accept-Encoding", accept); r.encoding() != want {
			t.Errorf("Accept-Encoding %q: %s, want %s", accept, r.encoding(), want)
		}
		if r := c.check(t, exchange{"GET /jar/2", "", 200, ""}, "Accept-Encoding", accept); r.encoding() != "plain" {
			t.Errorf("Accept-Encoding %q: a short answer is %s", accept, r.encoding())
		}
	}
}

func testTagsOfEncodings(t *testing.T, c *client) {
	for _, target := range []string{"/jar/1", "/openapi.json"} {
		get := exchange{"GET " + target, "", 200, ""}
		plain, packed := c.check(t, get).header.Get("Etag"), c.check(t, get, zipped...).header.Get("Etag")
		if plain == packed || packed != strings.TrimSuffix(plain, `"`)+`-gzip"` {
			t.Fatalf("%s: tags %s and %s", target, plain, packed)
		}
		for _, row := range []struct {
			accept, given, tag string
			status             int
		}{
			{"", plain, plain, 304}, {"", "*", plain, 304}, {"", packed + ", " + plain, plain, 304}, {"", packed, plain, 200}, // no gzip for this client
			{"gzip", packed, packed, 304}, {"gzip", "W/" + packed, packed, 304}, {"gzip", "*", packed, 304},
			{"gzip", plain + ", " + packed, packed, 304}, {"gzip", plain, plain, 304}, {"gzip", `"a"`, packed, 200},
		} {
			r := c.check(t, exchange{"GET " + target, "", row.status, ""}, "Accept-Encoding", row.accept, "If-None-Match", row.given)
			if got := r.header.Get("Etag"); got != row.tag {
				t.Errorf("%s: Accept-Encoding %q, If-None-Match %s: tag %s, want %s", target, row.accept, row.given, got, row.tag)
			}
		}
	}
}
