package main_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	for name, args := range map[string][]string{
		"memory": nil, "file": {"-store", "file:" + filepath.Join(t.TempDir(), "cookies.db")},
		"postgres": {"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)},
	} {
		t.Run(name, func(t *testing.T) { recipetest.Walkthrough(t, "README.md", args...) })
	}
}

const secret = "0123456789abcdef"

func write(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func send(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(text))
}

func TestSwitchOnEachStorage(t *testing.T) {
	for name, args := range map[string][]string{
		"memory": nil, "file": {"-store", "file:" + filepath.Join(t.TempDir(), "cookies.db")},
		"postgres": {"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)},
	} {
		t.Run(name, func(t *testing.T) {
			base := recipetest.Start(t, append(args, "-admin", write(t, secret+"\n"))...).Base
			for _, step := range []struct {
				request, body string
				code          int
				want          string
			}{
				{"POST /cookie", `{"type": "muffin"}`, 201, `{"id":1,"type":"muffin"}`},
				{"PUT /admin/read-only", "true", 200, "true"},
				{"PATCH /cookie/1", `{"type": "oat"}`, 405, `{"error":{"code":"READ_ONLY","message":"Changes of cookie are not accepted.","details":{"object_name":"cookie"}}}`},
				{"GET /cookie/1", "", 200, `{"id":1,"type":"muffin"}`},
				{"GET /admin/read-only", "", 200, "true"},
				{"PUT /admin/read-only", "false", 200, "false"},
				{"PATCH /cookie/1", `{"type": "oat"}`, 200, `{"id":1,"type":"oat"}`},
			} {
				method, path, _ := strings.Cut(step.request, " ")
				if code, text := send(t, method, base+path, step.body, "Authorization", "Bearer "+secret); code != step.code || text != step.want {
					t.Errorf("%s: %d %s, want %d %s", step.request, code, text, step.code, step.want)
				}
			}
		})
	}
}

func TestSwitchNeedsTheSecret(t *testing.T) {
	base := recipetest.Start(t, "-admin", write(t, secret)).Base
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer " + secret + "x", "Bearer " + secret[1:], "Basic " + secret, secret} {
		for _, method := range []string{"PUT", "GET", "DELETE"} {
			if code, text := send(t, method, base+"/admin/read-only", "true", "Authorization", authorization); code != http.StatusUnauthorized {
				t.Errorf("%q: %s: %d %s", authorization, method, code, text)
			}
		}
	}
	for body, method := range map[string]string{"": "PUT", "null": "PUT", "1": "PUT", `"true"`: "PUT", "nonsense": "PUT", "true false": "PUT", "true}": "PUT", "true": "POST"} {
		if code, text := send(t, method, base+"/admin/read-only", body, "Authorization", "Bearer "+secret); code != 400 && code != 405 {
			t.Errorf("%s %s: %d %s", method, body, code, text)
		}
	}
	if code, text := send(t, "POST", base+"/jar", `{}`); code != http.StatusCreated {
		t.Errorf("it is on: %d %s", code, text)
	}
	without := recipetest.Start(t).Base
	if code, text := send(t, "PUT", without+"/admin/read-only", "true", "Authorization", "Bearer "); code < 400 {
		t.Errorf("without -admin: %d %s", code, text)
	}
}

func TestReadOnlyStoreServesStoredRecords(t *testing.T) {
	store := "file:" + filepath.Join(t.TempDir(), "cookies.db")
	first := recipetest.Start(t, "-store", store)
	if code, text := send(t, "POST", first.Base+"/cookie", `{"type": "muffin"}`); code != http.StatusCreated {
		t.Fatal(code, text)
	}
	first.Stop(t)
	base := recipetest.Start(t, "-store", store, "-resources", "*").Base
	if code, text := send(t, "GET", base+"/cookie", ""); code != http.StatusOK || text != `[{"id":1,"type":"muffin"}]` {
		t.Error(code, text)
	}
	if code, text := send(t, "DELETE", base+"/cookie/1", ""); code != http.StatusMethodNotAllowed {
		t.Error(code, text)
	}
}

func TestInvalidFlagsEndTheProgram(t *testing.T) {
	for want, args := range map[string][]string{
		`there is no resource "pot"; the model "cookies" has cookie, jar`: {"-resources", "jar,pot"},
		"holds fewer than 16 bytes":                                       {"-admin", write(t, "short")},
		"no such file":                                                    {"-admin", "/nothing"},
	} {
		if code, said := recipetest.Fail(t, args...); code != 1 || !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
			t.Errorf("exit code %d, said %s; want %s", code, said, want)
		}
	}
}
