//go:build clients

package rest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/engine"
)

// startPrism starts a proxy that compares requests and answers with the OpenAPI document in a file, and returns its URL.
// The proxy ends with the test.
func startPrism(t *testing.T, document, upstream string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "prism", "proxy", document, upstream, "--host", "127.0.0.1", "--port", "0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; run make test-clients, which installs prism", err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	var said strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, stdout) }() // so that prism never waits for its reader
			return strings.TrimSpace(url)
		}
	}
	t.Fatalf("prism does not listen:\n%s", said.String())
	return ""
}

// violation is a difference between a document and a request or an answer, which prism reports in a header of the answer.
type violation struct {
	Location []string
	Message  string
}

// proxiedLists are reads of the fuzzed model.
var proxiedLists = []string{
	"/a", "/a?limit=1", "/a?sort=-int&sort=id", "/a?int=1&int=2&count=true", "/a?filter=" + url.QueryEscape(`{"int": {"ge": 1}}`), "/a?filter=x", "/a?sort=nope",
	"/a/1", "/a/1/children", "/a/9", "/b", "/b?offset=1", "/b/x", "/c?limit=2", "/c?after=x",
}

// otherType matches the violations of requests that the server accepts although the document does not have them: a number for
// a string, and a string for a number.
var otherType = regexp.MustCompile(` must (be|match exactly one schema)`)

func TestAnswersThroughAValidatingProxyAreTheSame(t *testing.T) {
	const each = 250
	for _, depth := range []int{0, 1, 2, 3} {
		t.Run(fmt.Sprint("depth ", depth), func(t *testing.T) {
			t.Parallel()
			h := fuzzHandler(t)
			direct := make(chan *http.Response, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				recorder := httptest.NewRecorder()
				h.ServeHTTP(recorder, r)
				direct <- recorder.Result()
				maps.Copy(w.Header(), recorder.Header())
				w.WriteHeader(recorder.Code)
				_, _ = w.Write(recorder.Body.Bytes())
			}))
			defer server.Close()
			_, text := request(h, http.MethodGet, fmt.Sprint("/openapi.json?depth=", depth), "")
			file := filepath.Join(t.TempDir(), "openapi.json")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			proxy := startPrism(t, file, server.URL)
			random := rand.New(rand.NewPCG(uint64(depth), 1)) // the same requests every time
			succeeded, rejected := 0, 0
			for range each {
				bytes := make(decisions, 40)
				for i := range bytes {
					bytes[i] = byte(random.UintN(256))
				}
				method, target, body := bytes.request()
				target, _, _ = strings.Cut(target, "?")
				switch method {
				case http.MethodGet:
					target, body = proxiedLists[random.IntN(len(proxiedLists))], ""
				case http.MethodDelete:
					body = ""
				}
				if depth != engine.DefaultDepth {
					separator := "?"
					if strings.Contains(target, "?") {
						separator = "&"
					}
					target += fmt.Sprint(separator, "depth=", depth)
				}
				through := send(t, method, proxy+target, body)
				got, want := answerOf(t, through), answerOf(t, <-direct)
				if got != want {
					t.Errorf("%s %s %s\n   proxy: %s\ndirectly: %s", method, target, body, got, want)
				}
				if want[0] == '2' {
					succeeded++
				}
				var violations []violation
				if found := through.Header.Get("Sl-Violations"); found != "" {
					if err := json.Unmarshal([]byte(found), &violations); err != nil {
						t.Fatal(err)
					}
				}
				rejected += min(len(violations), 1)
				for _, v := range violations {
					if v.Location[0] != "request" || want[0] == '2' && !otherType.MatchString(v.Message) {
						t.Errorf("%s %s %s: %s\n%s", method, target, body, want, v)
					}
				}
			}
			if succeeded == 0 || rejected == 0 {
				t.Errorf("%d of %d requests succeed, prism rejects %d", succeeded, each, rejected)
			}
		})
	}
}

// send sends a request.
func send(t *testing.T, method, url, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// answerOf returns an answer as text.
func answerOf(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d %s\n", res.StatusCode, body)
	for _, name := range []string{"Allow", "Cache-Control", "Content-Type", "Etag", "Link", "Location"} {
		fmt.Fprintf(&text, "%s: %s\n", name, res.Header.Values(name))
	}
	return text.String()
}
