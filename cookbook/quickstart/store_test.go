package main_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// alien returns a schema with a table cookie that does not fit the model.
func alien(t *testing.T) string {
	t.Helper()
	schema := pgtest.Schema(t)
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // the server ends with the tests
	table := pgx.Identifier{schema, "cookie"}.Sanitize()
	if _, err := conn.Exec(t.Context(), "CREATE TABLE "+table+` (id bigserial PRIMARY KEY, "type" integer)`); err != nil {
		t.Fatal(err)
	}
	return schema
}

func post(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatal(res.Status)
	}
}

// survives checks that records are there after a restart of the program.
func survives(t *testing.T, store ...string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(data, []byte(`{"jar": {"1": {"id": 1}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("first", func(t *testing.T) {
		base := recipetest.Start(t, append(store, "-data", data)...).Base
		post(t, base+"/cookie", `{"type": "muffin", "jar": 1}`)
	})
	t.Run("second", func(t *testing.T) {
		base := recipetest.Start(t, store...).Base
		if got := get(t, base+"/jar/1?depth=2"); got != `200 {"id":1,"cookies":[{"id":1,"type":"muffin","jar":1}]}` {
			t.Errorf("got %s", got)
		}
	})
	t.Run("initial data does not meet records", func(t *testing.T) {
		if code, said := recipetest.Fail(t, append(store, "-data", data)...); code != 1 || !strings.Contains(said, "holds records already") {
			t.Errorf("exit code %d, said %q", code, said)
		}
	})
}

func TestRecordsInPostgreSQLSurviveARestart(t *testing.T) {
	survives(t, "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
}

func TestRecordsInAFileSurviveARestart(t *testing.T) {
	survives(t, "-store", "file:"+filepath.Join(t.TempDir(), "cookies.db"))
}

func TestFileInUseIsRejected(t *testing.T) {
	store := "file:" + filepath.Join(t.TempDir(), "cookies.db")
	recipetest.Start(t, "-store", store)
	if code, said := recipetest.Fail(t, "-store", store); code != 1 || !strings.Contains(said, "cookies.db") {
		t.Errorf("exit code %d, said %q", code, said)
	}
}

func TestDefaultSchemaIsTheNameOfTheModel(t *testing.T) {
	server := pgtest.Own(t).URL()
	recipetest.Start(t, "-store", server)
	recipetest.Start(t, "-store", server, "-model", "family")
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // the server ends with the tests
	var tables string
	err = conn.QueryRow(t.Context(), `SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY schemaname, tablename) FROM pg_tables
		WHERE schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg\_%'`).Scan(&tables)
	if want := "cookies.cookie cookies.jar family.child family.female family.male"; err != nil || tables != want {
		t.Errorf("got %q %v, want %q", tables, err, want)
	}
}
