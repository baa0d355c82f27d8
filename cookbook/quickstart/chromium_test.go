//go:build clients

package main_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// chromium returns a command that starts Chromium with a new profile. The function clean removes the profile.
func chromium(ctx context.Context, t *testing.T, args ...string) (cmd *exec.Cmd, clean func()) {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing; run: apt-get install chromium")
	}
	// Not t.TempDir: the last processes of Chromium may still write there when the test ends.
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(ctx, program, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-dev-shm-usage",
		"--no-first-run", "--user-data-dir=" + profile, "--host-resolver-rules=MAP evil.example 127.0.0.1",
	}, args...)...)
	return cmd, func() { _ = os.RemoveAll(profile) }
}

// visit opens testdata/application.html in Chromium, from a server of its own, and returns its report about the API.
func visit(t *testing.T, pages *pageServer, api string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd, clean := chromium(ctx, t, "--remote-debugging-port=0", pages.URL+"/?api="+url.QueryEscape(api))
	defer clean()
	var messages strings.Builder
	cmd.Stdout, cmd.Stderr = &messages, &messages
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ending error
	ended := make(chan struct{})
	go func() {
		ending = cmd.Wait()
		close(ended)
	}()
	select {
	case report := <-pages.reports:
		stop()
		<-ended
		return report
	case <-ended:
		t.Fatalf("chromium ended before the page had reported: %v\n%s", ending, &messages)
	}
	return ""
}

// pageServer serves the page and takes its reports.
type pageServer struct {
	*httptest.Server

	reports chan string
}

func newPageServer(t *testing.T) *pageServer {
	t.Helper()
	p := &pageServer{reports: make(chan string, 1)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/report" {
			text, _ := io.ReadAll(r.Body)
			p.reports <- string(text)
			return
		}
		http.ServeFile(w, r, filepath.Join("testdata", "application.html"))
	}))
	t.Cleanup(p.Close)
	return p
}

const applicationReport = `without a token 401 UNAUTHORIZED WWW-Authenticate
wrong token 401 UNAUTHORIZED WWW-Authenticate
create 201 ETag Location
create two 201
first page 200 Link X-Total-Count
total 3
second page 200 Link
records 2 and 1
read 200 ETag
change 200 ETag
read after the change 200 ETag
cookies []
change with the old tag 412 PRECONDITION_FAILED
read with the current tag 304 ETag
minimal 204 Preference-Applied
key 400 BAD_REQUEST
batch 200
long record 201 ETag Location
compressed true
change of the long record 200 ETag
delete 200
read what is deleted 404 OBJECT_DOES_NOT_EXIST
no such method 405 METHOD_NOT_ALLOWED Allow
text 415 UNSUPPORTED_MEDIA_TYPE Accept-Post
form without a preflight 401 UNAUTHORIZED
document 200 ETag
header that is not permitted TypeError
`

func TestApplicationOfAnotherOriginInChromium(t *testing.T) {
	pages := newPageServer(t)
	api := recipetest.Start(t, "-auth", "-cors", pages.URL)
	if got := visit(t, pages, api.Base); got != applicationReport {
		t.Errorf("the page reports\n%s\nwant\n%s", got, applicationReport)
	}
	if !strings.Contains(api.Messages(), `"request_id":"page-1"`) {
		t.Errorf("the id of the request is not in the log:\n%s", api.Messages())
	}
}

func TestPageOfAnOriginWithoutCorsReadsNothingInChromium(t *testing.T) {
	pages := newPageServer(t)
	api := recipetest.Start(t, "-cors", "https://app.example")
	report := visit(t, pages, api.Base)
	if !strings.Contains(report, "create TypeError\n") || strings.ContainsAny(report, "0123456789") { // a status, or a number of records
		t.Errorf("the page has read something:\n%s", report)
	}
	if got := get(t, api.Base+"/jar"); got != "200 []" {
		t.Errorf("the page has written: %s", got)
	}
}

func TestNameThatResolvesToLoopbackIsRejectedInChromium(t *testing.T) {
	api := recipetest.Start(t)
	rebound := strings.Replace(api.Base, "127.0.0.1", "evil.example", 1)
	for base, want := range map[string]string{api.Base: "<h1>jar</h1>", rebound: "no name of this server"} {
		cmd, clean := chromium(t.Context(), t, "--dump-dom", base+"/jar")
		out, err := cmd.Output()
		clean()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s, want %s", base, err, out, want)
		}
	}
}
