package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// The requests of TestCostlyRequestsAreBoundedInMemory are at the limits of the defaults. maxLine is the greatest length of
// a URL or header that rest.Serve accepts.
const (
	maxLine = 60 << 10
	bar     = 64 << 20
	// bodyFactor and answerFactor are the bytes that a request may hold for each byte of its body and its answer.
	bodyFactor, answerFactor = 10, 2
	maxWritten               = 10_000
)

// books is the number of books in the library: more than one request can change.
const books = 12_000

// library has books in great number, and texts in columns of their own.
func library(t *testing.T) *rest.Handler {
	t.Helper()
	columns := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text, Searchable: true, MaxLength: 1000, Pattern: "^(a|b|[^c]+)*$"},
		{Name: "shelf", Type: core.Text, Indexed: true},
		{Name: "number", Type: core.Int},
		{Name: "notes", Type: core.JSON},
		{Name: "author", ToOne: "person"},
		{Name: "loans", ToMany: "loan", Inverse: "book"},
	}
	for i := range 20 {
		columns = append(columns, core.FieldSpec{Name: fmt.Sprintf("text%d", i), Type: core.Text, Searchable: true})
	}
	store, err := core.New(t.Context(), core.MustModel("library",
		core.ResourceSpec{Name: "book", Fields: columns},
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "name", Type: core.Text}, {Name: "books", ToMany: "book", Inverse: "author"},
			{Name: "teacher", ToOne: "person"},
		}},
		core.ResourceSpec{Name: "loan", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "reader", Type: core.Text}, {Name: "book", ToOne: "book"},
		}},
		core.ResourceSpec{Name: core.AnswersName},
	), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	fill(t, store)
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Aggregates: true, Authenticate: func(*http.Request) (*core.Principal, error) {
		return &core.Principal{ID: core.IntValue(1)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func fill(t *testing.T, store *core.Store) {
	t.Helper()
	insert := func(name string, n int, fields func(i int) map[string]any) {
		r := store.Model().Resource(name)
		for from := 0; from < n; from += 1000 {
			records := make([]core.Record, 0, 1000)
			for i := from; i < min(n, from+1000); i++ {
				rec, err := r.NewRecord(fields(i))
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, rec)
			}
			if _, err := store.Insert(t.Context(), r, records...); err != nil {
				t.Fatal(err)
			}
		}
	}
	insert("person", 1000, func(i int) map[string]any {
		return map[string]any{"id": i + 1, "name": fmt.Sprint("person ", i), "teacher": i/2 + 1}
	})
	insert("book", books, func(i int) map[string]any {
		return map[string]any{
			"title": strings.Repeat("b", 20+i%10), "shelf": strconv.Itoa(i % 1000), "number": i, "author": i%1000 + 1,
			"notes": json.RawMessage(fmt.Sprintf(`{"page": %d}`, i)), "text0": fmt.Sprint("abc ", i),
		}
	})
	insert("loan", books, func(i int) map[string]any {
		return map[string]any{"reader": fmt.Sprint("reader ", i), "book": i%1000 + 1}
	})
}

// costlyRequest is a request at a limit.
type costlyRequest struct {
	name, method, target, body string
	status                     int
	headers                    []string // name and value in turn
}

// query returns a target with one argument in encoded form, truncated to nothing if it is too long.
func query(path string, arguments ...string) string {
	v := url.Values{}
	for i := 0; i < len(arguments); i += 2 {
		v.Add(arguments[i], arguments[i+1])
	}
	return path + "?" + v.Encode()
}

func TestCostlyRequestsAreBoundedInMemory(t *testing.T) {
	h := library(t)
	deep := strings.Repeat(`{"$not":`, 15) + `{"number":1}` + strings.Repeat(`}`, 15)
	many := `[` + strings.TrimSuffix(strings.Repeat(`{"title":"a","loans":[{},{},{}]},`, 2400), ",") + `]`
	fields := make([]string, 20)
	for i := range fields {
		fields[i] = fmt.Sprintf("text%d", i)
	}
	batch := func(item string) string {
		return `[` + strings.TrimSuffix(strings.Repeat(item+",", 1000), ",") + `]`
	}
	for _, r := range []costlyRequest{
		{"deep filter", "GET", "/book?filter=" + deep, "", 200, nil},
		{"wide filter", "GET", "/book?filter=" + repeated(`{"$or":[`, `{"number":1}`, `]}`, maxLine), "", 200, nil},
		{"filter of 16 relations", "GET", "/book?filter=" + `{"$or":[` + strings.Repeat(`{"author.teacher.teacher.name":"a"},`, 4) + `{"loans":{"$none":{"reader":"x"}}}]}`, "", 200, nil},
		{"in with many values", "GET", "/book?filter=" + repeated(`{"number":{"in":[`, `7`, `]}}`, maxLine), "", 200, nil},
		{"equality with many values", "GET", "/book?" + strings.Repeat("number=2&", maxLine/9), "", 200, nil},
		{"sort by paths", "GET", "/book?limit=1000&sort=author.name,-author.teacher.name,author.teacher.teacher.name,-title,shelf", "", 200, nil},
		{"offset 10,000 in an order without an index", "GET", "/book?limit=1000&offset=10000&sort=-title,author.name", "", 200, nil},
		{"count", "GET", query("/book", "count", "true", "limit", "1000", "filter", `{"author.name":{"contains":"1"}}`), "", 200, nil},
		{"greatest page", "GET", "/book?limit=1000&depth=5", "", 200, nil},
		{"many fields", "GET", "/book?limit=1000&fields=id,title,shelf,number,notes,author.name,author.teacher.name,loans.reader," + strings.Join(fields, ","), "", 200, nil},
		{"search with many words", "GET", query("/book", "search", strings.Repeat("ab ", 15)+"zz"), "", 200, nil},
		{"search with long words", "GET", query("/book", "search", strings.Repeat("x", 900)), "", 200, nil},
		{"contains that nearly matches", "GET", query("/book", "filter", `{"title":{"contains":"`+strings.Repeat("b", 5000)+`c"}}`), "", 200, nil},
		{"1,000 groups", "GET", "/book/$aggregate?group=shelf&count&sum=number&avg=number&min=title,number,text0&max=title,number,text0", "", 200, nil},
		{"too many groups", "GET", "/book/$aggregate?group=number&count", "", 400, nil},
		{"batch of writes", "POST", "/$batch", batch(`{"method":"POST","path":"/book","body":{"title":"a","author":{"name":"b"},"loans":[{},{}]}}`), 200, nil},
		{"batch of lists", "POST", "/$batch", batch(`{"method":"GET","path":"/book?limit=20"}`), 200, nil},
		{"batch of great filters", "POST", "/$batch", batch(`{"method":"GET","path":"/book?limit=1&filter=` + strings.ReplaceAll(fmt.Sprintf(`{"id":{"in":[%s1]}}`, strings.Repeat("1,", 200)), `"`, `\"`) + `"}`), 200, nil},
		{"PATCH of many", "PATCH", query("/book", "max", "10000", "filter", `{"id":{"le":10000}}`), `{"title":"` + strings.Repeat("a", 1000) + `"}`, 200, nil},
		{"PATCH of many that merges", "PATCH", query("/book", "max", "10000", "filter", `{"id":{"le":10000}}`), `{"notes":{"a":"` + strings.Repeat("a", 1000) + `"}}`, 200, []string{"Content-Type", "application/merge-patch+json"}},
		{"PATCH of many that is invalid", "PATCH", query("/book", "max", "10000", "filter", `{"id":{"le":10000}}`), `{"title":"c"}`, 400, nil},
		{"nested records", "POST", "/book", many, 201, nil},
		{"one record with many nested ones", "POST", "/book", `{"loans":[` + strings.TrimSuffix(strings.Repeat(`{},`, maxWritten-8), ",") + `]}`, 201, nil},
		{"great values", "POST", "/book?depth=0", `[` + strings.TrimSuffix(strings.Repeat(`{"notes":"`+strings.Repeat("x", 1<<20-100)+`"},`, 7), ",") + `]`, 201, nil},
		{"page of great values", "GET", "/book?limit=1000&sort=-id", "", 200, nil},
		{"pattern on a long text", "POST", "/book", `{"title":"` + strings.Repeat("b", 1<<20-10) + `c"}`, 400, nil},
		{"merge patch", "PATCH", "/book/1", `{"notes":{` + members(50_000) + `}}`, 200, []string{"Content-Type", "application/merge-patch+json"}},
		{"merge patch into a great value", "PATCH", "/book/1", `{"notes":{"k1":null}}`, 200, []string{"Content-Type", "application/merge-patch+json"}},
		{"write with a key", "POST", "/person", `[` + strings.TrimSuffix(strings.Repeat(`{},`, maxWritten), ",") + `]`, 201, []string{"Idempotency-Key", "a"}},
		{"repetition of a long list", "POST", "/person", `[` + strings.TrimSuffix(strings.Repeat(`{},`, maxWritten), ",") + `]`, 201, []string{"Idempotency-Key", "a"}},
		{"If-Match with many tags", "PATCH", "/person/1", `{}`, 412, []string{"If-Match", repeated("", `"a"`, "", maxLine)}},
		{"If-None-Match with many tags", "GET", "/person/1", ``, 200, []string{"If-None-Match", repeated("", `"a"`, "", maxLine)}},
		{"DELETE of many", "DELETE", query("/loan", "max", "10000", "filter", `{"id":{"le":10000}}`), ``, 200, nil},
	} {
		t.Run(r.name, func(t *testing.T) { r.checkBound(t, h) })
	}
}

// checkBound serves the request and checks its status and the memory that it holds.
func (r costlyRequest) checkBound(t *testing.T, h http.Handler) {
	t.Helper()
	m := r.measure(h)
	bound := bar + bodyFactor*len(r.body) + answerFactor*m.answer
	t.Logf("body %.1f MiB, answer %.1f MiB, held %.1f MiB, allocated %.1f MiB", mib(len(r.body)), mib(m.answer), mib(m.held), mib(m.allocated))
	if m.status != r.status {
		t.Errorf("status %d, want %d: %s", m.status, r.status, m.begin)
	}
	if m.held > bound {
		t.Errorf("the request holds %.1f MiB, want at most %.1f", mib(m.held), mib(bound))
	}
}

func TestHeldMemoryIsMeasured(t *testing.T) {
	var held [][]byte
	m := costlyRequest{method: http.MethodGet, target: "/"}.measure(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		for range 80 {
			held = append(held, make([]byte, 1<<20))
		}
		runtime.GC()
		runtime.KeepAlive(held)
	}))
	if m.held < bar {
		t.Errorf("a request that held 80 MiB is measured with %.1f MiB", mib(m.held))
	}
}

func mib(n int) float64 { return float64(n) / (1 << 20) }

// members returns n members of a JSON object.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":%d,`, i, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// measurement is the result of a request.
type measurement struct {
	status, answer  int
	begin           []byte // of the answer
	held, allocated int    // greatest growth of the live heap, and all allocations, in bytes
}

// discard is a ResponseWriter that keeps only the beginning of the answer.
type discard struct {
	measurement

	header http.Header
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(p []byte) (int, error) {
	d.answer += len(p)
	d.begin = append(d.begin, p[:min(len(p), 200-len(d.begin))]...)
	return len(p), nil
}

// measure serves the request and collects garbage after every few MiB of allocations. The live heap is read after each
// collection.
func (r costlyRequest) measure(h http.Handler) measurement {
	w := &discard{header: make(http.Header)}
	x := httptest.NewRequest(r.method, r.target, strings.NewReader(r.body))
	x.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(r.headers); i += 2 {
		x.Header.Set(r.headers[i], r.headers[i+1])
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var greatest atomic.Uint64
	read := func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		for n, was := live[0].Value.Uint64(), greatest.Load(); n > was && !greatest.CompareAndSwap(was, n); was = greatest.Load() {
		}
	}
	stop := onCollection(read)
	h.ServeHTTP(w, x)
	read() // the finalizer of the last collection may not have run yet
	stop()
	runtime.ReadMemStats(&after)
	w.held = max(0, int(greatest.Load())-int(before.HeapAlloc))
	w.allocated = int(after.TotalAlloc - before.TotalAlloc)
	return w.measurement
}

// onCollection calls fn after each garbage collection until stop is called.
func onCollection(fn func()) (stop func()) {
	var stopped atomic.Bool
	var again func(*[16]byte)
	again = func(*[16]byte) {
		if !stopped.Load() {
			fn()
			runtime.SetFinalizer(new([16]byte), again)
		}
	}
	again(nil)
	return func() { stopped.Store(true) }
}
