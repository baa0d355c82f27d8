//go:build clients

package explorer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/rest/swaggerui"
)

// TestPagesInChromium runs browsertest/explorer.mjs against a server with the records of the tests. LARDER_PICTURES names the
// folder for the pictures that it takes; default a temporary one. The picture of the project's page is explorer.png:
//
//	LARDER_PICTURES=/tmp go test -tags clients -run Chromium ./core/rest/explorer && cp /tmp/explorer.png core/rest/explorer/
func TestPagesInChromium(t *testing.T) {
	data := rows()
	data["issue"][7] = map[string]any{
		"owner": "alice", "title": " two  spaces ", "text": "\n\nline ends of \r\n three \r kinds \n", "due": "0999-12-31", "effort": "0.10", "details": []any{1.5, "<é\u2028"},
	}
	s := open(t, data, explorer.Options{SignIn: true, Docs: "/docs/", Explain: explainPolicy(t)}, engine.Options{})
	docs, err := swaggerui.New("/docs", "/$explorer/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/docs/", docs)
	mux.Handle("/", s.pages)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing; run: apt-get install chromium")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Fatal("npm is missing; run: apt-get install nodejs npm")
	}
	pictures := os.Getenv("LARDER_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	if pictures, err = filepath.Abs(pictures); err != nil {
		t.Fatal(err)
	}
	run(t, "npm", "ci", "--no-audit", "--no-fund")
	run(t, "node", "explorer.mjs", server.URL, chromium, pictures)
}

// run runs a program in the folder browsertest.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Dir = "browsertest"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	t.Logf("%s: %s", name, out)
}
