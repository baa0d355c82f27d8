//go:build clients

// Package browser tests the page of this recipe, and its commands.
package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

const folder = "../browser"

// The page needs the tracker, which recipetest builds in its folder.
func TestMain(m *testing.M) {
	if err := os.Chdir("../tracker"); err != nil {
		panic(err)
	}
	recipetest.Main(m)
}

const secret = "a secret of at least 32 bytes, for tests"

// token returns a token for a user that expires after a time.
func token(t *testing.T, user string, expires time.Duration, roles ...string) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "roles": roles, "exp": time.Now().Add(expires).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestCommandsAndPageInChromium first runs the commands of the README, which install, generate, check and build. Then it builds the
// page for a tracker of its own, serves the page by the command of the README, and lets browsertest/application.mjs use the page.
// LARDER_PICTURES names the folder for the pictures; default a temporary one.
func TestCommandsAndPageInChromium(t *testing.T) {
	chromium := installed(t, "chromium", "chromium")
	installed(t, "npm", "nodejs npm")
	readme := filepath.Join(folder, "README.md")
	recipetest.Walkthrough(t, readme)

	port := freePort(t)
	origin, file := "http://localhost:"+port, filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	api := recipetest.Start(t, "-secret", file, "-cors", origin, "-log-level", "error")
	fill(t, api.Base)

	dist := filepath.Join(t.TempDir(), "dist")
	environment := append(os.Environ(), "VITE_API="+api.Base, "CI=true", "NO_COLOR=1")
	run(t, environment, "node_modules/.bin/vite", "build", "--outDir", dist)
	preview(t, environment, strings.Replace(previewCommand(t, readme), "5173", port, 1)+" --outDir "+dist)

	pictures := os.Getenv("LARDER_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	tokens, err := json.Marshal(map[string]string{
		"ada": token(t, "ada", time.Hour), "bob": token(t, "bob", time.Hour), "expired": token(t, "ada", -time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, append(environment, "TOKENS="+string(tokens)), "node", "browsertest/application.mjs", origin, api.Base, chromium, pictures)
}

// installed returns the path of a program.
func installed(t *testing.T, program, install string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing; run: apt-get install %s", program, install)
	}
	return path
}

// previewCommand returns the command of the README that serves the built page.
func previewCommand(t *testing.T, readme string) string {
	t.Helper()
	for _, b := range recipetest.Blocks(t, readme) {
		if command, found := strings.CutPrefix(b.Text, "npx "); found && b.Language == "sh" && strings.Contains(command, "5173") {
			return "node_modules/.bin/" + strings.TrimSpace(command)
		}
	}
	t.Fatalf("%s has no block of sh with npx and the port 5173", readme)
	return ""
}

// preview starts a command that serves the page, and returns when it says so. It ends with the test.
func preview(t *testing.T, environment []string, command string) {
	t.Helper()
	args := strings.Fields(command)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stderr = folder, environment, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the context has killed it
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "Local:") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	t.Fatalf("%s does not serve", command)
}

func run(t *testing.T, environment []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = folder, environment
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the server of the page takes the port
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// fill creates the records that application.mjs expects: 23 issues in two projects.
func fill(t *testing.T, api string) {
	t.Helper()
	operator, ada := token(t, "root", time.Hour, "operator"), token(t, "ada", time.Hour)
	post(t, operator, api+"/user", `[{"name": "ada"}, {"name": "bob"}]`)
	post(t, operator, api+"/organisation", `{"name": "Engines", "memberships": [{"user": "ada", "role": "admin"}, {"user": "bob"}]}`)
	post(t, ada, api+"/project", `[{"organisation": 1, "name": "mill"}, {"organisation": 1, "name": "store"}]`)
	issues := []any{
		map[string]any{"project": 1, "title": "Gears slip", "text": "The brass is worn.", "priority": "high", "assignee": "bob"},
		map[string]any{"project": 1, "title": "Cards jam", "due": "2999-01-31"},
		map[string]any{"project": 2, "title": "Columns stick", "due": "1843-01-01", "assignee": "ada"},
		map[string]any{"project": 2, "title": "Bearings run hot"},
	}
	for i := range 19 {
		issues = append(issues, map[string]any{"project": 1, "title": fmt.Sprintf("Oil axle %d", i+1)})
	}
	body, err := json.Marshal(issues)
	if err != nil {
		t.Fatal(err)
	}
	var created []struct{ ID int }
	if err := json.Unmarshal(post(t, ada, api+"/issue", string(body)), &created); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{1, 3} {
		request(t, http.MethodPatch, ada, api+"/issue/"+strconv.Itoa(created[i].ID), `{"state": "started"}`)
	}
}

func post(t *testing.T, token, url, body string) []byte {
	t.Helper()
	return request(t, http.MethodPost, token, url, body)
}

func request(t *testing.T, method, token, url, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s: %d %v %s", url, res.StatusCode, err, text)
	}
	return text
}
