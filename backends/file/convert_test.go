package file

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

func TestOpenWithOtherModel(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	textID := core.FieldSpec{Name: "id", Type: core.Text, Key: true}
	jars := core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{textID}}
	kind := core.FieldSpec{Name: "type", Type: core.Text}
	in := core.FieldSpec{Name: "jar", ToOne: "jar"}
	cookieOf := func(fields ...core.FieldSpec) core.ResourceSpec {
		return core.ResourceSpec{Name: "cookie", Fields: fields}
	}
	const same = `cookie{id:1 type:7 jar:blue}cookie{id:2 type:7 jar:null}jar{id:blue}`
	tests := map[string]struct {
		specs []core.ResourceSpec
		drop  bool
		found string // "" for an error
		says  []string
	}{
		"the same":            {[]core.ResourceSpec{cookieOf(id, kind, in), jars}, false, same, nil},
		"resources reordered": {[]core.ResourceSpec{jars, cookieOf(id, kind, in)}, false, `jar{id:blue}cookie{id:1 type:7 jar:blue}cookie{id:2 type:7 jar:null}`, nil},
		"fields reordered":    {[]core.ResourceSpec{cookieOf(in, kind, id), jars}, false, `cookie{jar:blue type:7 id:1}cookie{jar:null type:7 id:2}jar{id:blue}`, nil},
		"a new field": {
			[]core.ResourceSpec{cookieOf(id, kind, in, core.FieldSpec{Name: "sold", Type: core.Bool}), jars},
			false, `cookie{id:1 type:7 jar:blue sold:null}cookie{id:2 type:7 jar:null sold:null}jar{id:blue}`, nil,
		},
		"a new field with a default": {
			[]core.ResourceSpec{cookieOf(id, kind, in, core.FieldSpec{Name: "sold", Type: core.Bool, Default: true}), jars},
			false, `cookie{id:1 type:7 jar:blue sold:true}cookie{id:2 type:7 jar:null sold:true}jar{id:blue}`, nil,
		},
		"a new field with a default function": {
			[]core.ResourceSpec{cookieOf(id, kind, in, core.FieldSpec{Name: "sold", Type: core.Bool, Default: func() any { return true }}), jars},
			false, `cookie{id:1 type:7 jar:blue sold:null}cookie{id:2 type:7 jar:null sold:null}jar{id:blue}`, nil,
		},
		"renamed fields": {
			[]core.ResourceSpec{
				cookieOf(core.FieldSpec{Name: "nr", Type: core.Int, Key: true, Was: "id"}, core.FieldSpec{Name: "kind", Type: core.Text, Was: "type", Default: "x"}, core.FieldSpec{Name: "in", ToOne: "jar", Was: "jar"}),
				jars,
			},
			false, `cookie{nr:1 kind:7 in:blue}cookie{nr:2 kind:7 in:null}jar{id:blue}`, nil,
		},
		"a field that was renamed earlier": {
			[]core.ResourceSpec{cookieOf(id, core.FieldSpec{Name: "type", Type: core.Text, Was: "kind"}, in), jars}, false, same, nil,
		},
		"a new field beside its former name": {
			[]core.ResourceSpec{cookieOf(id, core.FieldSpec{Name: "jar", ToOne: "jar", Was: "type"}), jars}, false, "", []string{"cookie.type", "DropLost"},
		},
		"a new resource": {
			[]core.ResourceSpec{cookieOf(id, kind, in), jars, {Name: "lid", Fields: []core.FieldSpec{id}}}, false, same, nil,
		},
		"a convertible type":          {[]core.ResourceSpec{cookieOf(id, core.FieldSpec{Name: "type", Type: core.Int}, in), jars}, false, same, nil},
		"an inconvertible type":       {[]core.ResourceSpec{cookieOf(id, core.FieldSpec{Name: "type", Type: core.UUID}, in), jars}, false, "", []string{"cookie 1: ", "; keep the type text of the field, or change the values before its type"}},
		"a removed field":             {[]core.ResourceSpec{cookieOf(id, in), jars}, false, "", []string{"cookie.type", "DropLost"}},
		"a removed field, dropped":    {[]core.ResourceSpec{cookieOf(id, in), jars}, true, `cookie{id:1 jar:blue}cookie{id:2 jar:null}jar{id:blue}`, nil},
		"a removed resource":          {[]core.ResourceSpec{cookieOf(id, kind)}, false, "", []string{"resource jar (1 records)", "cookie.jar (of 1 records)"}},
		"a removed resource, dropped": {[]core.ResourceSpec{cookieOf(id, kind)}, true, `cookie{id:1 type:7}cookie{id:2 type:7}`, nil},
		"another key":                 {[]core.ResourceSpec{cookieOf(textID, kind, in), jars}, false, "", []string{"the key of cookie"}},
		"a violated rule":             {[]core.ResourceSpec{cookieOf(id, core.FieldSpec{Name: "type", Type: core.Text, Unique: true}, in), jars}, false, "", []string{"rule"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			fs := newStrictFilesystem()
			store, _ := openStore(t, fs, quiet())
			put(t, store, jar, "id", "blue")
			put(t, store, cookie, "type", "7", "jar", "blue")
			put(t, store, cookie, "type", "7")
			shut(t, store)
			before := string(fs.names[path].data)
			m := core.MustModel("cookies", tt.specs...)
			opts := quiet()
			opts.DropLost = tt.drop
			b := newBackend(fs, path, opts)
			err := b.Bind(t.Context(), m)
			if tt.found == "" {
				for _, part := range tt.says {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("%v, want one that says %q", err, part)
					}
				}
				if string(fs.names[path].data) != before {
					t.Error("the file was changed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time from the rewritten file
				if found := textIn(m, b); found != tt.found {
					t.Errorf("found %s, want %s", found, tt.found)
				}
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
				b = newBackend(fs, path, quiet())
				if err := b.Bind(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestFileOfAModelWithAnotherName(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	put(t, store, cookie, "type", "oat")
	shut(t, store)
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	renamed := core.MustModel("bakery", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{id, {Name: "type", Type: core.Text}}})
	b := newBackend(fs, path, quiet())
	if err := b.Bind(t.Context(), renamed); err != nil {
		t.Fatal(err)
	}
	if found := textIn(renamed, b); found != "cookie{id:1 type:oat}" {
		t.Error(found)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	other := core.MustModel("library", core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{id}})
	err := newBackend(fs, path, quiet()).Bind(t.Context(), other)
	if err == nil || !strings.Contains(err.Error(), `"bakery"`) || !strings.Contains(err.Error(), `"library"`) {
		t.Errorf("data of another model: %v", err)
	}
}

func TestRemovedFieldWithoutData(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	key := put(t, store, cookie, "type", "oat").Key()
	rec, _ := cookie.NewRecord(map[string]any{"id": key, "type": nil})
	if _, err := store.Update(t.Context(), cookie, rec); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	m := core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	b := newBackend(fs, path, quiet())
	if err := b.Bind(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if found := textIn(m, b); found != "cookie{id:1}" {
		t.Error(found)
	}
}

// textIn is like text, for another model.
func textIn(m *core.Model, b *Backend) string {
	var all strings.Builder
	for _, r := range m.Resources() {
		for rec := range b.store.Snapshot().Records(r) {
			all.WriteString(rec.String())
		}
	}
	return all.String()
}

func TestCountersFollowTheModel(t *testing.T) {
	open := func(number string, opts ...func(*core.FieldSpec)) *core.Model {
		spec := core.FieldSpec{Name: number, Type: core.Int, NumberedBy: "year"}
		for _, opt := range opts {
			opt(&spec)
		}
		return core.MustModel("m", core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "year", Type: core.Int, Indexed: true}, spec,
		}})
	}
	path := t.TempDir() + "/issues.db"
	insert := func(m *core.Model, want int64) {
		t.Helper()
		s, err := core.New(t.Context(), m, New(path, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close() //nolint:errcheck // reopened
		issue := m.Resource("issue")
		rec, _ := issue.NewRecord(map[string]any{"year": 1})
		recs, err := s.Insert(t.Context(), issue, rec)
		if err != nil {
			t.Fatal(err)
		}
		if got := recs[0].At(2).Int(); got != want {
			t.Errorf("number %d, want %d", got, want)
		}
		if err := s.Delete(t.Context(), issue, recs[0].Key()); err != nil {
			t.Fatal(err)
		}
	}
	plain := func(spec *core.FieldSpec) { spec.NumberedBy = "" }
	insert(open("number", plain), 0)
	insert(open("number"), 1)
	insert(open("number"), 2)
	insert(open("no", func(spec *core.FieldSpec) { spec.Was = "number" }), 3)
	insert(open("no"), 4)
	var out strings.Builder
	if err := Dump(path, &out); err != nil || strings.Contains(out.String(), core.CountersName) {
		t.Errorf("dumped %s, %v", out.String(), err)
	}
	insert(open("no", plain), 0) // drops the counters
	insert(open("no"), 1)
}

// ordered returns a model with keys and relations of several fields.
func ordered(keyName, number string, extra ...core.FieldSpec) *core.Model {
	was := ""
	if number != "number" {
		was = "number"
	}
	return core.MustModel("orders",
		core.ResourceSpec{Name: "line", KeyName: keyName, Fields: append([]core.FieldSpec{
			{Name: "order", Type: core.Text, Key: true}, {Name: number, Type: core.Int, Key: true, Was: was}, {Name: "text", Type: core.Text},
		}, extra...)},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "order", Type: core.Text}, {Name: "line_number", Type: core.Int},
			{Name: "line", ToOne: "line", Via: []string{"order", "line_number"}},
		}},
		core.ResourceSpec{Name: "mark", Fields: []core.FieldSpec{
			{Name: "line", ToOne: "line", Key: true}, {Name: "day", Type: core.Date, Key: true}, {Name: "other", ToOne: "line"},
		}},
	)
}

func TestJournalStoresPartsOfKeys(t *testing.T) {
	fs, m := newStrictFilesystem(), ordered("", "number")
	store, err := core.New(t.Context(), m, newBackend(fs, path, quiet()))
	if err != nil {
		t.Fatal(err)
	}
	line, parcel, mark := m.Resource("line"), m.Resource("parcel"), m.Resource("mark")
	put(t, store, line, "id", "a%2Cb,3", "text", "tea")
	put(t, store, line, "order", "c", "number", 1)
	last := put(t, store, line, "order", "c", "number", 2)
	put(t, store, parcel, "line", "c,1")
	put(t, store, parcel, "order", "c")
	put(t, store, mark, "line", "a%2Cb,3", "day", "2026-11-30", "other", "c,1")
	change, _ := line.NewRecord(map[string]any{"id": "c,1", "text": "milk"})
	if _, err := store.Update(t.Context(), line, change); err != nil {
		t.Fatal(err)
	}
	move, _ := parcel.NewRecord(map[string]any{"id": 2, "line_number": 1})
	if _, err := store.Update(t.Context(), parcel, move); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), line, last.Key()); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	for _, want := range []string{`{"order":"a,b","number":3,"text":"tea"}`, `{"order":"c","number":1,"text":"milk"}`, `"del":{"line":["c,2"]}`, `{"id":2,"line_number":1}`} {
		if text := string(fs.names[path].data); !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	const others = `parcel{id:1 order:c line_number:1 line:c,1}parcel{id:2 order:c line_number:1 line:c,1}` +
		`mark{id:a%2Cb,3,2026-11-30 line:a%2Cb,3 day:2026-11-30 other:c,1}`
	for _, next := range []struct {
		model *core.Model
		want  string
	}{
		{m, `line{id:a%2Cb,3 order:a,b number:3 text:tea}line{id:c,1 order:c number:1 text:milk}`},
		{ordered("key", "nr"), `line{key:a%2Cb,3 order:a,b nr:3 text:tea}line{key:c,1 order:c nr:1 text:milk}`},
		{ordered("key", "nr", core.FieldSpec{Name: "id", Type: core.Int, Default: 5}),
			`line{key:a%2Cb,3 order:a,b nr:3 text:tea id:5}line{key:c,1 order:c nr:1 text:milk id:5}`},
	} {
		for range 2 { // the second time from the rewritten file
			b := newBackend(fs, path, quiet())
			if err := b.Bind(t.Context(), next.model); err != nil {
				t.Fatal(err)
			}
			if found := textIn(next.model, b); found != next.want+others {
				t.Errorf("found %s\nwant  %s", found, next.want+others)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = newBackend(fs, path, Options{DropLost: true}).Bind(t.Context(), core.MustModel("orders", core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
		{Name: "order", Type: core.Text, Key: true}, {Name: "nr", Type: core.Int}, {Name: "id", Type: core.Int}, {Name: "text", Type: core.Text},
	}}))
	if want := `the key of line is "order,nr" (text,int) in the file but "order" (text) in the model`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestRecoverRemovesRecordsWithLostTargetsInKeys(t *testing.T) {
	m := ordered("", "number")
	c := newContent(schemaOf(m))
	for _, body := range []string{
		`"put":{"line":[{"order":"c","number":1}],"parcel":[{"id":1,"order":"c","line_number":2}],"mark":[{"line":"c,2","day":"2026-11-30"},{"line":"c,1","day":"2026-11-30","other":"c,3"}]}`,
	} {
		if err := c.apply([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Join(c.nullViolations(), "; ")
	want := "parcel 1: field line was c,2 and is set to null; mark c,1,2026-11-30: field other was c,3 and is set to null; " +
		"mark c,2,2026-11-30: removed, because field line is in its key and there is no line c,2"
	if got != want || c.size() != 3 || c.checkIntegrity(m) != nil {
		t.Errorf("got %s; %d records, %v", got, c.size(), c.checkIntegrity(m))
	}
}

func TestHeaderWithInvalidPartsIsRejected(t *testing.T) {
	for _, fields := range []string{
		`{"name":"id","type":"tuple","key":true,"of":["int"]},{"name":"a","type":"int"}`,
		`{"name":"id","type":"tuple","key":true,"parts":["b"],"of":["int"]},{"name":"a","type":"int"}`,
		`{"name":"id","type":"tuple","key":true,"parts":["id"],"of":["int"]},{"name":"a","type":"int"}`,
		`{"name":"id","type":"tuple","key":true,"parts":["a"],"of":["text"]},{"name":"a","type":"int"}`,
		`{"name":"id","type":"tuple","key":true,"parts":["a"],"of":["float"]},{"name":"a","type":"float"}`,
		`{"name":"a","type":"int"},{"name":"id","type":"tuple","key":true,"parts":["a"],"of":["int"]}`,
		`{"name":"id","type":"int","key":true},{"name":"a","type":"int","of":["int"]}`,
		`{"name":"id","type":"int","key":true},{"name":"a","type":"text","to":"r","parts":["id"]}`,
	} {
		text := `{"larder":"journal","version":2,"resources":[{"name":"r","fields":[` + fields + `]}]`
		if _, err := parseHeader([]byte(text)); err == nil || !strings.Contains(err.Error(), "invalid header") {
			t.Errorf("%s: %v", fields, err)
		}
	}
}

func TestRememberedAnswersAreNoData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	word := core.ResourceSpec{Name: "word", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}}
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(1)})
	open := func(specs ...core.ResourceSpec) *core.Store {
		s, err := core.New(t.Context(), core.MustModel("words", specs...), New(path, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	recall := func(s *core.Store, remember bool) (found bool) {
		err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) (err error) {
			if _, found, err = tx.Recall(ctx, "k"); err == nil && remember {
				err = tx.Remember(ctx, "k", "done", time.Now().Add(time.Hour))
			}
			return err
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		return found
	}
	remembering := []core.ResourceSpec{word, {Name: core.AnswersName}}
	recall(open(remembering...), true)
	if !recall(open(remembering...), false) {
		t.Error("the answer is lost")
	}
	var out strings.Builder
	if err := Dump(path, &out); err != nil || strings.Contains(out.String(), "larder_answer") {
		t.Errorf("dumped %s, %v", out.String(), err)
	}
	s := open(word) // the model without answers drops them
	r := s.Model().Resource("word")
	if _, err := s.Insert(t.Context(), r, r.RecordOf([]core.Value{core.TextValue("a")})); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if recall(open(remembering...), false) {
		t.Error("the answer is back")
	}
}
