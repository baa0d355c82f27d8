package importer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Writes through the API of an imported database change the rows that the same writes in SQL change, and are refused
// where SQL refuses them. A PUT of the content that a record has changes nothing.
func TestImportedDatabaseWritesAsInSQL(t *testing.T) {
	for _, sample := range samples(t) {
		t.Run(sample.name, func(t *testing.T) {
			connection := sample.load(t)
			reference, err := pgx.Connect(t.Context(), newDatabase(t, connection))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = reference.Close(t.Context()) })
			w := &writes{served: serve(t, connection), reference: reference}
			w.tables = tables(t, reference)
			if err := executeIn(t, reference, "public", "SET timezone = 'UTC'"); err != nil {
				t.Fatal(err)
			}
			for _, r := range w.model.Resources() {
				t.Run(r.Name(), func(t *testing.T) {
					keys := w.someKeys(t, r)
					for _, key := range keys {
						w.replace(t, r, key)
					}
					w.same(t, "PUT")
					for _, f := range r.References() {
						for i, target := range append(w.someKeys(t, f.Target()), "") {
							if len(keys) > 0 {
								w.point(t, f, keys[i%len(keys)], target)
							}
						}
					}
					w.same(t, "PATCH")
				})
			}
			for _, r := range w.model.Resources() {
				t.Run("DELETE of "+r.Name(), func(t *testing.T) {
					for _, key := range w.someKeys(t, r) {
						path := "/" + url.PathEscape(r.Name()) + "/" + url.PathEscape(key)
						answer := w.request(t, "DELETE", path, "")
						w.agree(t, "DELETE "+path, answer.Code, answer.Body.String(),
							fmt.Sprintf("DELETE FROM %s WHERE %s::text = $1", tableName(r), columnName(r.Key())), key)
					}
					w.same(t, "DELETE")
				})
			}
			t.Logf("note: %s: %d writes accepted, %d refused, as in SQL", sample.name, w.accepted, w.refused)
		})
	}
}

// writes sends writes to the API of one database and to a copy of it in SQL.
type writes struct {
	*served
	reference         *pgx.Conn
	tables            []string // quoted
	accepted, refused int
}

func tableName(r *core.Resource) string { return pgx.Identifier{"public", r.Name()}.Sanitize() }

func columnName(f *core.Field) string { return pgx.Identifier{f.Name()}.Sanitize() }

// tables returns all tables of the schema public, with those that are no resources.
func tables(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT oid::regclass::text FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// someKeys returns the first and the last keys of a resource in the copy.
func (w *writes) someKeys(t *testing.T, r *core.Resource) []string {
	t.Helper()
	key := columnName(r.Key())
	rows, err := w.reference.Query(t.Context(), fmt.Sprintf(`SELECT k::text FROM (
		(SELECT %[1]s AS k FROM %[2]s ORDER BY 1 LIMIT 3) UNION (SELECT %[1]s FROM %[2]s ORDER BY 1 DESC LIMIT 3)) AS keys ORDER BY k`, key, tableName(r)))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// replace sends the content of a record back.
func (w *writes) replace(t *testing.T, r *core.Resource, key string) {
	t.Helper()
	path := "/" + url.PathEscape(r.Name()) + "/" + url.PathEscape(key)
	answer := w.request(t, "GET", path, "")
	var shown map[string]json.RawMessage
	if err := json.Unmarshal(answer.Body.Bytes(), &shown); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, answer.Code, answer.Body)
	}
	body := make(map[string]json.RawMessage)
	for _, f := range r.Columns() {
		if f.Key() || f.ReadOnly() {
			continue
		}
		if body[f.APIName()] = shown[f.APIName()]; body[f.APIName()] == nil {
			body[f.APIName()] = json.RawMessage("null")
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if answer := w.request(t, "PUT", path, string(text)); answer.Code != http.StatusOK {
		t.Errorf("PUT %s %s: %d %s", path, text, answer.Code, answer.Body)
	}
}

// point makes a record refer to another target, or to none if target is empty.
func (w *writes) point(t *testing.T, f *core.Field, key, target string) {
	t.Helper()
	r, value := f.Resource(), "null"
	switch {
	case target == "":
	case f.Type() == core.Int:
		value = target
	default:
		quoted, err := json.Marshal(target)
		if err != nil {
			t.Fatal(err)
		}
		value = string(quoted)
	}
	name, err := json.Marshal(f.APIName())
	if err != nil {
		t.Fatal(err)
	}
	path, body := "/"+url.PathEscape(r.Name())+"/"+url.PathEscape(key), "{"+string(name)+": "+value+"}"
	answer := w.request(t, "PATCH", path, body)
	w.agree(t, "PATCH "+path+" "+body, answer.Code, answer.Body.String(), fmt.Sprintf(
		"UPDATE %s SET %s = (SELECT %s FROM %s WHERE %[3]s::text = $2) WHERE %[5]s::text = $1",
		tableName(r), columnName(f), columnName(f.Target().Key()), tableName(f.Target()), columnName(r.Key())), key, target)
}

// agree runs a statement on the copy. It must fail if and only if the request failed.
func (w *writes) agree(t *testing.T, request string, status int, answer, sql string, args ...any) {
	t.Helper()
	_, err := w.reference.Exec(t.Context(), sql, args...)
	switch failed := status >= http.StatusBadRequest; {
	case status >= http.StatusInternalServerError, failed != (err != nil):
		t.Errorf("%s: %d %s, in SQL: %v", request, status, answer, err)
	case failed:
		w.refused++
	default:
		w.accepted++
	}
}

// same compares the content of all tables, but for the columns last_update, which triggers set to the time.
func (w *writes) same(t *testing.T, after string) {
	t.Helper()
	for _, name := range w.tables {
		var got, want string
		sql := fmt.Sprintf(`SELECT coalesce(string_agg(row::text, E'\n' ORDER BY row::text), '') FROM (SELECT to_jsonb(x) - 'last_update' AS row FROM %s AS x) AS rows`, name)
		if err := w.conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if err := w.reference.QueryRow(t.Context(), sql).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if lines := difference(rowsOf(t, got), rowsOf(t, want)); lines != "" {
			t.Errorf("after %s, table %s differs:\n%s", after, name, lines)
		}
	}
}

// rowsOf returns rows as canonical JSON, because jsonb keeps the zeros at the end of a number.
func rowsOf(t *testing.T, text string) []string {
	t.Helper()
	var rows []string
	for row := range strings.Lines(text) {
		v, err := core.JSON.Convert(json.RawMessage(row))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, v.Text())
	}
	slices.Sort(rows)
	return rows
}

// difference returns the first lines of each list that the other one lacks.
func difference(got, want []string) string {
	var lines []string
	if slices.Equal(got, want) {
		return ""
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			lines = append(lines, "got "+line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			lines = append(lines, "want "+line)
		}
	}
	return strings.Join(lines[:min(len(lines), 6)], "\n")
}
