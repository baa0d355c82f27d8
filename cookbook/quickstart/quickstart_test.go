package main_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", string(body))
}

func TestPrintedCurlCommandWorks(t *testing.T) {
	for _, model := range []string{"cookies", "family"} {
		t.Run(model, func(t *testing.T) {
			_, line, _ := strings.Cut(recipetest.Start(t, "-model", model).Printed, "try ")
			line, _, _ = strings.Cut(line, "\n")
			out, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "curl", "curl -sS --fail-with-body", 1)).CombinedOutput()
			if err != nil || !strings.HasPrefix(string(out), `{"id":1,`) {
				t.Errorf("%s: %v: %s", line, err, out)
			}
		})
	}
}

func TestInitialData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	data := `{"cookie": {"1": {"id": 1, "type": "muffin"}, "2": {"type": "shortbread", "jar": 1}}, "jar": {"1": {"id": 1, "cookies": [2]}}}`
	if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	base := recipetest.Start(t, "-data", file).Base
	if got := get(t, base+"/jar/1"); got != `200 {"id":1,"cookies":[2]}` {
		t.Errorf("got %s", got)
	}
}

func TestFamilyURLDoesNotEchoTheHostHeader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, []byte(`{"male": {"1": {"name": "Adam"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	base := recipetest.Start(t, "-model", "family", "-data", file, "-host", "evil.example").Base
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/male/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var raw bytes.Buffer
	if err := res.Write(&raw); err != nil {
		t.Fatal(err)
	}
	if got := raw.String(); !strings.Contains(got, `"url":"/male/1"`) || strings.Contains(got, "evil") {
		t.Errorf("got %s", got)
	}
}

func TestInvalidFlagsEndTheProgram(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"port in use":            {[]string{"-addr", taken.Addr().String()}, "cannot listen on " + taken.Addr().String() + ": bind: address already in use"},
		"address of nothing":     {[]string{"-addr", "here"}, "cannot listen on here"},
		"unknown store":          {[]string{"-store", "floppy://u:secret@a"}, "unknown kind of storage; use memory, file:PATH or postgres://"},
		"a URL cut wrongly":      {[]string{"-store", "postgres://u:sec/ret@h/db"}, "-store: postgres: not a connection string"},
		"slash in password":      {[]string{"-store", "postgres://u:12/secret@127.0.0.1:1/db"}, "-store: postgres: not a connection string"},
		"hash in password":       {[]string{"-store", "postgres://u:12#secret@127.0.0.1:1/db"}, "-store: postgres: not a connection string"},
		"query in password":      {[]string{"-store", "postgres://u:12?secret@127.0.0.1:1/db"}, "-store: postgres: not a connection string"},
		"host forgotten":         {[]string{"-store", "postgres://u:secret:5432/db"}, "-store: postgres: not a connection string"},
		"scheme misspelt":        {[]string{"-store", "postgers://u:secret@h/db?sslmode=disable"}, "unknown kind of storage"},
		"scheme cut":             {[]string{"-store", "postgres:/u:secret@h/db?sslmode=disable"}, "unknown kind of storage"},
		"keywords and values":    {[]string{"-store", "password=top secret=x"}, "unknown kind of storage"},
		"server out of reach":    {[]string{"-store", "postgres://u:secret@127.0.0.1:1/db"}, "connection refused"},
		"unknown role":           {[]string{"-store", strings.Replace(pgtest.URL(t), "postgres@", "nobody:secret@", 1)}, `role "nobody" does not exist`},
		"schema of others":       {[]string{"-store", pgtest.URL(t), "-schema", alien(t)}, "type"},
		"file of another kind":   {[]string{"-store", "file:" + file("c", "a,b\n1,2\n")}, filepath.Join(dir, "c")},
		"file in no folder":      {[]string{"-store", "file:" + filepath.Join(dir, "nothing", "cookies.db")}, "no such file or directory"},
		"no path":                {[]string{"-store", "file:"}, "-store: the path after file: is missing; use file:PATH, such as file:cookies.db"},
		"unknown model":          {[]string{"-model", "cakes"}, `unknown model "cakes"; use cookies or family`},
		"no data file":           {[]string{"-data", filepath.Join(dir, "nothing")}, "no such file"},
		"data that is not JSON":  {[]string{"-data", file("a", `{"cookie": `)}, "invalid JSON at byte 11"},
		"data with a bad record": {[]string{"-data", file("b", `{"cookie": {"1": {"jar": 7}, "2": {"jar": "x"}}}`)}, `cookie 1: field jar: there is no jar 7; cookie 2: field jar: "x" is not of type int`},
		"unknown read-only":      {[]string{"-read-only", "jar,jam"}, `there is no resource "jam"`},
		"unknown level":          {[]string{"-log-level", "loud"}, `no level "loud"; use debug, info, warn, error or off`},
		"no policy file":         {[]string{"-policy", filepath.Join(dir, "nothing")}, "no such file"},
		"policy not JSON":        {[]string{"-policy", file("p", `{"rules": `)}, filepath.Join(dir, "p") + ": access policy: invalid JSON"},
		"policy of others":       {[]string{"-policy", file("q", `{"rules": [{"roles": ["x"], "resource": "jam", "operations": ["read"]}]}`)}, `rule 1: the model "cookies" has no resource "jam"`},
		"origin with a path":     {[]string{"-cors", "https://app.example/"}, `-cors: "https://app.example/" is not an origin; use scheme, host and port`},
		"origin without scheme":  {[]string{"-cors", "https://app.example,app.example"}, `-cors: "app.example" is not an origin`},
		"any origin":             {[]string{"-cors", "*"}, `-cors: "*" is not an origin`},
		"host with a port":       {[]string{"-host", "shop.example:80"}, `-host: "shop.example:80" is not a name of a host`},
		"stray argument":         {[]string{"postgres://u:secret@h/db"}, "unexpected argument behind the flags"},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := recipetest.Fail(t, c.args...)
			if code != 1 || strings.Count(got, "\n") != 1 || !strings.Contains(got, c.want) {
				t.Errorf("exit code %d, printed %q; want 1 and %q", code, got, c.want)
			}
			if strings.Contains(got, "secret") || strings.Contains(got, ":12") {
				t.Error("a password was printed")
			}
		})
	}
}
