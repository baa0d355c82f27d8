package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// jarOfCookies writes a file with one line per transaction, and returns its path and lines.
func jarOfCookies(t *testing.T) (path string, lines [][]byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "cookies.db")
	store, err := core.New(t.Context(), cookies, New(path, quiet()))
	if err != nil {
		t.Fatal(err)
	}
	put(t, store, jar, "id", "blue")
	put(t, store, jar, "id", "red")
	put(t, store, cookie, "id", 1, "jar", "blue")
	put(t, store, cookie, "id", 2, "jar", "red")
	shut(t, store)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, bytes.SplitAfter(data, []byte("\n"))
}

// replaceLine writes the file with a change of the first line that contains the mark.
func replaceLine(t *testing.T, path string, lines [][]byte, mark string, change func([]byte) []byte) {
	t.Helper()
	for i, line := range lines {
		if bytes.Contains(line, []byte(mark)) {
			lines[i] = change(bytes.Clone(line))
			break
		}
	}
	if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

func zeros(line []byte) []byte { return make([]byte, len(line)) }

func TestVerifyReport(t *testing.T) {
	path, lines := jarOfCookies(t)
	size := int64(len(bytes.Join(lines, nil)))
	report, err := Verify(path)
	if err != nil || report.Size != size || report.Records != 4 || report.Torn != 0 || report.Lines < 4 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := os.WriteFile(path, append(bytes.Join(lines, nil), "torn"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := Verify(path); err != nil || report.Torn != 4 || report.Records != 4 {
		t.Errorf("%+v, %v", report, err)
	}
	replaceLine(t, path, lines, `"red"`, zeros)
	if report, err := Verify(path); err == nil {
		t.Errorf("%+v", report)
	}
	if _, err := Verify(path + "?"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestVerifyDetectsBrokenRelations(t *testing.T) {
	path, lines := jarOfCookies(t)
	var file bytes.Buffer
	w, err := newJournalWriter(&file, schemaOf(cookies))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.writeLine([]byte(`"put":{"cookie":[{"id":1,"jar":"green"}]},"seq":{}`)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if report, err := Verify(path); !errors.Is(err, core.NotFound) {
		t.Errorf("%+v, %v, of %d lines", report, err, len(lines))
	}
}

func TestRecoverReportsLossesAndRepairs(t *testing.T) {
	tests := map[string]struct {
		mark   string
		change func([]byte) []byte
		found  string
		lost   int
		mended string
	}{
		"intact":           {"", func(line []byte) []byte { return line }, `cookie{id:1 type:null jar:blue}cookie{id:2 type:null jar:red}jar{id:blue}jar{id:red}`, 0, ""},
		"a record lost":    {`{"id":2`, zeros, `cookie{id:1 type:null jar:blue}jar{id:blue}jar{id:red}`, 1, ""},
		"a target lost":    {`[{"id":"red"`, zeros, `cookie{id:1 type:null jar:blue}cookie{id:2 type:null jar:null}jar{id:blue}`, 1, "cookie 2: field jar was red and is set to null"},
		"a damaged header": {`"larder"`, func(line []byte) []byte { return bytes.Replace(line, []byte("cookies"), []byte("Cookies"), 1) }, `cookie{id:1 type:null jar:blue}cookie{id:2 type:null jar:red}jar{id:blue}jar{id:red}`, 1, ""},
		"an empty body": {`{"id":2`, func([]byte) []byte {
			return appendFrame(nil, frame{4, 9, []byte(`"put":{"cookie":[{"id":3},{"id":4},{"nix":2}]}`)})
		}, `cookie{id:1 type:null jar:blue}jar{id:blue}jar{id:red}`, 1, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path, lines := jarOfCookies(t)
			replaceLine(t, path, lines, tt.mark, tt.change)
			out := path + ".recovered"
			report, err := Recover(path, out)
			if err != nil || len(report.Lost) != tt.lost || strings.Join(report.Mended, "\n") != tt.mended {
				t.Fatalf("%+v, %v", report, err)
			}
			if _, err := Verify(out); err != nil {
				t.Error(err)
			}
			b := New(out, quiet())
			store, err := core.New(t.Context(), cookies, b)
			if err != nil {
				t.Fatal(err)
			}
			if found := text(b.store.Snapshot()); found != tt.found {
				t.Errorf("found %s, want %s", found, tt.found)
			}
			shut(t, store)
		})
	}
}

// Lines with updates depend on earlier lines, which may be lost.
func TestRecoverUpdatesOfLostRecords(t *testing.T) {
	for name, tt := range map[string]struct{ mark, found, mended string }{
		"nothing":             {"", `cookie{id:7 type:new jar:null}`, ""},
		"the record":          {`"put"`, `cookie{id:7 type:new jar:null}`, "cookie 7: only the fields of later updates are known; the others are lost and set to null"},
		"a change":            {`"type":"new"`, `cookie{id:7 type:old jar:null}`, ""},
		"a change of another": {`"jar":null`, `cookie{id:7 type:new jar:blue}`, ""},
	} {
		fs := newStrictFilesystem()
		store, _ := openStore(t, fs, quiet())
		put(t, store, jar, "id", "blue")
		put(t, store, cookie, "id", 7, "type", "old", "jar", "blue")
		update(t, store, "id", 7, "type", "new")
		update(t, store, "id", 7, "jar", nil)
		shut(t, store)
		lost := 0
		for line := range bytes.Lines(fs.names[path].data) {
			if tt.mark != "" && bytes.Contains(line, []byte(tt.mark)) && bytes.Contains(line, []byte(`"cookie":[`)) {
				clear(line)
				lost++
			}
		}
		report, err := recoverIn(fs, path, "recovered.db")
		if err != nil || len(report.Lost) != lost || strings.Join(report.Mended, "\n") != tt.mended {
			t.Errorf("%s lost: %+v, %v", name, report, err)
		}
		_, b := openStore(t, filesystemWith(fs.names["recovered.db"].data), quiet())
		if found := text(b.store.Snapshot()); found != tt.found+"jar{id:blue}" {
			t.Errorf("%s lost: found %s, want %s", name, found, tt.found)
		}
	}
}

func TestUpdateOfMissingRecordIsDamage(t *testing.T) {
	for _, body := range []string{
		`"set":{"cookie":[{"id":7,"type":"new"}]}`,
		`"set":{"cookie":[{"type":"new"}]}`,
		`"set":{"cookie":[{"id":null,"type":"new"}]}`,
		`"put":{"cookie":[{"id":7}]},"del":{"cookie":[7]},"set":{"cookie":[{"id":7,"type":"new"}]}`,
	} {
		var file bytes.Buffer
		w, err := newJournalWriter(&file, schemaOf(cookies))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.writeLine([]byte(`"seq":{}`)), w.writeLine([]byte(body))); err != nil {
			t.Fatal(err)
		}
		err = newBackend(filesystemWith(file.Bytes()), path, quiet()).Bind(t.Context(), cookies)
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRecoverErrors(t *testing.T) {
	path, lines := jarOfCookies(t)
	if _, err := Recover(path, path); !errors.Is(err, os.ErrExist) {
		t.Errorf("onto itself: %v", err)
	}
	store, err := core.New(t.Context(), cookies, New(path, quiet()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(path, path+".out"); !errors.Is(err, ErrLocked) {
		t.Errorf("a file in use: %v", err)
	}
	shut(t, store)
	replaceLine(t, path, lines, `"larder"`, zeros)
	if _, err := Recover(path, path+".out"); err == nil || !strings.Contains(err.Error(), "header") {
		t.Errorf("without a header: %v", err)
	}
	if _, err := os.Stat(path + ".out"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is left: %v", err)
	}
}

func TestEmptyFileIsReportedInOneSentence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := "file: " + path + " is empty and holds no journal; restore a backup, or remove the file to start with a new one"
	_, recovered := Recover(path, path+".out")
	for call, err := range map[string]error{
		"Bind": New(path, quiet()).Bind(t.Context(), cookies), "Dump": Dump(path, io.Discard), "Recover": recovered,
	} {
		if fmt.Sprint(err) != want {
			t.Errorf("%s: got %v, want %s", call, err, want)
		}
	}
}

func TestDumpRoundTrip(t *testing.T) {
	path, _ := jarOfCookies(t)
	var out bytes.Buffer
	if err := Dump(path, &out); err != nil {
		t.Fatal(err)
	}
	const want = `{"cookie":{
"1": {"id":1,"jar":"blue"},
"2": {"id":2,"jar":"red"}
},"jar":{
"blue": {"id":"blue"},
"red": {"id":"red"}
}}
`
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
	data, err := seed.Parse(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	opts := quiet()
	opts.Data = data
	store, b := openStore(t, newStrictFilesystem(), opts)
	if found := text(b.store.Snapshot()); found != `cookie{id:1 type:null jar:blue}cookie{id:2 type:null jar:red}jar{id:blue}jar{id:red}` {
		t.Error(found)
	}
	shut(t, store)
}

// The dump exceeds the buffers and has every type.
func TestDumpKeepsEveryType(t *testing.T) {
	m := core.MustModel("all", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Text, Key: true}, {Name: "f", Type: core.Float}, {Name: "b", Type: core.Bool}, {Name: "t", Type: core.Time},
		{Name: "u", Type: core.UUID}, {Name: "raw", Type: core.Bytes}, {Name: "j", Type: core.JSON}, {Name: "l", Type: core.List},
		{Name: "day", Type: core.Date}, {Name: "local", Type: core.LocalTime}, {Name: "price", Type: core.Decimal, Scale: new(2)},
	}})
	data := seed.Data{"thing": {}}
	for i := range 1000 {
		data["thing"][fmt.Sprintf("a\"b\n<%d>", i)] = map[string]any{
			"f": float64(i) / 3, "b": i%2 == 0, "t": "2024-02-29T12:00:00.000001Z", "u": "0b4f1f0a-9c1e-4b7e-8f5d-2f6a1c3d4e5f",
			"raw": []byte{0, 255, byte(i)}, "j": map[string]any{"a": []any{nil, "x"}}, "l": []any{1, "2"}, "day": "2024-02-29", "local": "2024-02-29T12:00:00.5", "price": 10.5,
		}
	}
	texts := make([]string, 2)
	for i := range texts {
		path := filepath.Join(t.TempDir(), "all.db")
		opts := quiet()
		opts.Data = data
		store, err := core.New(t.Context(), m, New(path, opts))
		if err != nil {
			t.Fatal(err)
		}
		shut(t, store)
		var out bytes.Buffer
		if err := Dump(path, &out); err != nil {
			t.Fatal(err)
		}
		texts[i] = out.String()
		if data, err = seed.Parse(out.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if texts[0] != texts[1] || strings.Count(texts[0], "\n") != 1002 {
		t.Errorf("first\n%.300s\nand then\n%.300s", texts[0], texts[1])
	}
}

func TestDumpErrors(t *testing.T) {
	path, lines := jarOfCookies(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() //nolint:errcheck // nothing is in it
	if err := Dump(path, full); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	replaceLine(t, path, lines, `"red"`, zeros)
	var out bytes.Buffer
	if _, ok := errors.AsType[*CorruptError](Dump(path, &out)); !ok || out.Len() > 0 {
		t.Error(out.String())
	}
}

func TestModelFromHeader(t *testing.T) {
	path, _ := jarOfCookies(t)
	m, err := Model(path)
	if err != nil {
		t.Fatal(err)
	}
	if !schemaOf(m).equal(schemaOf(cookies)) || m.Name() != "cookies" {
		t.Errorf("%s", schemaOf(m).header())
	}
	if _, err := Model(os.Args[0]); err == nil {
		t.Error("a model of something else")
	}
}

// tickets returns a model with unique indexes over desk and number, and over code for open tickets. Without indexes, it is
// the same model before them.
func tickets(indexes bool) *core.Model {
	spec := core.ResourceSpec{Name: "ticket", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "desk", Type: core.Int},
		{Name: "number", Type: core.Int},
		{Name: "code", Type: core.Text},
		{Name: "open", Type: core.Bool},
	}}
	if indexes {
		spec.Unique = [][]string{{"desk", "number"}}
		spec.Indexes = []core.Index{
			{Fields: []string{"code"}, Where: core.And(core.Eq("open", true), core.In("desk", 1, int64(math.MaxInt64)), core.Ne("number", nil)), Unique: true},
			{Fields: []string{"desk", "-code"}},
		}
	}
	return core.MustModel("tickets", spec)
}

// ticketFile writes a file with the header of a model and the records of a line.
func ticketFile(t *testing.T, m *core.Model, records string) string {
	t.Helper()
	var file bytes.Buffer
	w, err := newJournalWriter(&file, schemaOf(m))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.writeLine([]byte(`"put":{"ticket":[` + records + `]},"seq":{}`)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tickets")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHeaderHasUniqueIndexes(t *testing.T) {
	with, without := schemaOf(tickets(true)), schemaOf(tickets(false))
	if with.equal(without) || with.version != firstVersionWithUnique || without.version != firstVersionWithSet {
		t.Errorf("%s\n%s", with.header(), without.header())
	}
	m, err := Model(ticketFile(t, tickets(true), ``))
	if err != nil || !schemaOf(m).equal(with) {
		t.Fatalf("%v: %s", err, with.header())
	}
	m, err = Model(ticketFile(t, tickets(false), ``))
	if err != nil || !schemaOf(m).equal(without) {
		t.Fatalf("%v: %s", err, without.header())
	}
}

const (
	samePair = `{"id":1,"desk":1,"number":1},{"id":2,"desk":1,"number":1},{"id":3,"desk":1},{"id":4,"desk":1}`
	sameCode = `{"id":1,"desk":1,"number":1,"code":"a","open":true},{"id":2,"desk":1,"number":2,"code":"a","open":true},{"id":3,"desk":1,"number":3,"code":"a"},{"id":4,"desk":2,"number":4,"code":"a","open":true}`
)

func TestNewUniqueIndexRejectsOldRecords(t *testing.T) {
	for records, fits := range map[string]bool{samePair: false, sameCode: false, `{"id":1,"desk":1,"number":1},{"id":2,"desk":2,"number":1}`: true} {
		path := ticketFile(t, tickets(false), records)
		for range 2 { // the second time with the header of the new model
			store, err := core.New(t.Context(), tickets(true), New(path, quiet()))
			if (err == nil) != fits || err != nil && !strings.Contains(err.Error(), "violate a rule of the new model: CONFLICT") {
				t.Fatalf("%s: %v", records, err)
			}
			if err == nil {
				shut(t, store)
			}
		}
	}
}

func TestRecoverMendsRepeatedValues(t *testing.T) {
	for records, mended := range map[string]string{
		samePair: "ticket 2: field number was 1 and is set to null, because another record has the same values of desk, number",
		sameCode: "ticket 2: field code was a and is set to null, because another record has the same values of code",
	} {
		path := ticketFile(t, tickets(true), records)
		if _, err := Verify(path); !errors.Is(err, core.AlreadyExists) {
			t.Errorf("Verify: %v", err)
		}
		report, err := Recover(path, path+".recovered")
		if err != nil || strings.Join(report.Mended, "\n") != mended {
			t.Fatalf("%q, %v", report.Mended, err)
		}
		if _, err := Verify(path + ".recovered"); err != nil {
			t.Error(err)
		}
		store, err := core.New(t.Context(), tickets(true), New(path+".recovered", quiet()))
		if err != nil {
			t.Fatal(err)
		}
		shut(t, store)
	}
}

func TestInvalidUniqueIndexInHeader(t *testing.T) {
	whole := string(schemaOf(tickets(true)).header())
	for _, c := range []struct{ from, to, says string }{
		{`"eq"`, `"gt"`, `unknown comparison "gt"`},
		{`["desk","number"]`, `["desk","nothing"]`, `field "nothing" does not exist`},
		{`[null]`, `[1,2]`, `unknown comparison "ne"`},
	} {
		text := strings.Replace(whole[:strings.LastIndex(whole, ",")], c.from, c.to, 1)
		s, err := parseHeader([]byte(text))
		if err == nil {
			_, err = s.toModel("f")
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v in %s", c.says, err, text)
		}
	}
}
