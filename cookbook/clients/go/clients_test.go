// Package clients tests the clients that generators make of the OpenAPI documents of the project, and the documents.
package clients

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// The page starts the quickstart.
func TestMain(m *testing.M) {
	if err := os.Chdir("../../quickstart"); err != nil {
		panic(err)
	}
	recipetest.Main(m)
}

func TestCommandsPrintWhatThePageShows(t *testing.T) {
	recipetest.Walkthrough(t, "../clients/README.md")
}

// service is a program with OpenAPI documents.
type service struct {
	recipe string
	args   []string
	token  string
}

// start builds and starts the recipe, and returns its URL. The program ends with the test.
func (s service) start(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), s.recipe)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", s.recipe)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"-addr", "127.0.0.1:0"}, s.args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the context kills the program
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if base, serving := strings.CutPrefix(lines.Text(), "serving on "); serving {
			go func() { _, _ = io.Copy(io.Discard, stdout) }() // so that the program never waits for its reader
			return base
		}
	}
	t.Fatalf("%s does not serve", s.recipe)
	return ""
}

// save writes a document of the service to a file. It names a contact and a licence, which only the owner of a service knows.
func (s service) save(t *testing.T, url, file string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, res.StatusCode, err)
	}
	info, ok := doc["info"].(map[string]any)
	if !ok {
		t.Fatalf("%s: no info", url)
	}
	if info["license"] == nil {
		info["contact"] = map[string]any{"email": "owner@example.com"}
		info["license"] = map[string]any{"name": "MIT", "url": "https://example.com/licence"}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shop returns a service of an imported schema.
func shop(t *testing.T) service {
	t.Helper()
	tables, err := os.ReadFile("../import-schema/testdata/shop.sql")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context()) //nolint:errcheck // the test has what it needs
	if _, err := conn.Exec(t.Context(), string(tables)); err != nil {
		t.Fatal(err)
	}
	return service{"import-schema", []string{"-url", pgtest.URL(t), "-schema", "shop", "-serve", "-write"}, ""}
}

func TestLintersHaveNothingToSay(t *testing.T) {
	folder := t.TempDir()
	var files []string
	for i, s := range []service{
		{"quickstart", nil, ""}, {"quickstart", []string{"-model", "family", "-auth"}, "alice"}, {"teams", nil, "ada"}, {"actions", nil, ""}, shop(t),
	} {
		base := s.start(t)
		for _, name := range []string{"openapi.json", "openapi-3.0.json", "openapi.json?depth=2"} {
			file := filepath.Join(folder, fmt.Sprintf("%d-%s-%s.json", i, s.recipe, strings.NewReplacer("?", "-", "=", "-").Replace(name)))
			s.save(t, base+"/"+name, file)
			files = append(files, file)
		}
	}
	broken := filepath.Join(folder, "broken.json")
	if err := os.WriteFile(broken, []byte(`{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"redocly":  {"lint", "--format", "json"},
		"spectral": {"lint", "--ruleset", "../clients/typescript/.spectral.yaml", "--format", "json", "--fail-severity", "hint"},
	} {
		t.Run(name, func(t *testing.T) {
			if found := problems(t, name, append(args, files...)); found != 0 {
				t.Errorf("%d problems", found)
			}
			if found := problems(t, name, append(args, broken)); found == 0 {
				t.Error("a broken document has no problem")
			}
		})
	}
}

// problems runs a linter, shows its problems and returns their number.
func problems(t *testing.T, linter string, args []string) int {
	t.Helper()
	program, err := filepath.Abs("../clients/typescript/node_modules/.bin/" + linter)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Fatalf("%s says nothing: %v", linter, err)
	}
	// redocly writes an object for each document, and spectral a list of problems with a sentence behind it.
	all, number := json.NewDecoder(strings.NewReader(string(out))), 0
	for documents := 0; ; documents++ {
		var result json.RawMessage
		if err := all.Decode(&result); err != nil {
			if documents == 0 {
				t.Fatalf("%s: %v: %.3000s", linter, err, out)
			}
			break
		}
		var problems []any
		var report struct {
			Totals struct{ Errors, Warnings int }
		}
		if json.Unmarshal(result, &problems) != nil && json.Unmarshal(result, &report) != nil {
			t.Fatalf("%s: %.3000s", linter, result)
		}
		number += len(problems) + report.Totals.Errors + report.Totals.Warnings
	}
	if number > 0 {
		t.Logf("%.5000s", out)
	}
	return number
}
