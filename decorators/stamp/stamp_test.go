package stamp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/stamp"
)

var id = core.FieldSpec{Name: "id", Type: core.Int, Key: true}

// withStamps returns fields with those of the stamps.
func withStamps(fields ...core.FieldSpec) []core.FieldSpec {
	return append(fields,
		core.FieldSpec{Name: "created_at", Type: core.Time, ReadOnly: true, Required: true}, core.FieldSpec{Name: "created_by", ToOne: "user", ReadOnly: true},
		core.FieldSpec{Name: "updated_at", Type: core.Time, ReadOnly: true}, core.FieldSpec{Name: "updated_by", ToOne: "user", ReadOnly: true},
		core.FieldSpec{Name: "request", Type: core.Text, ReadOnly: true})
}

// tracker has issues and comments with stamps, and labels and links without.
var tracker = core.MustModel("tracker",
	core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}}},
	core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{id, {Name: "issues", ToMany: "issue", Inverse: "project"}}},
	core.ResourceSpec{Name: "issue", Fields: withStamps(
		id, core.FieldSpec{Name: "title", Type: core.Text}, core.FieldSpec{Name: "points", Type: core.Int, Default: 1},
		core.FieldSpec{Name: "project", ToOne: "project"}, core.FieldSpec{Name: "comments", ToMany: "comment", Inverse: "issue"},
		core.FieldSpec{Name: "labels", ToMany: "label", Through: "issue_label"},
	)},
	core.ResourceSpec{Name: "comment", Fields: withStamps(id, core.FieldSpec{Name: "text", Type: core.Text}, core.FieldSpec{Name: "issue", ToOne: "issue", OnDelete: core.Cascade})},
	core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}, {Name: "issues", ToMany: "issue", Through: "issue_label"}}},
	core.ResourceSpec{Name: "issue_label", Fields: []core.FieldSpec{id, {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}}, Unique: [][]string{{"issue", "label"}}},
)

// ofTracker are the options for the tracker.
var ofTracker = stamp.Options{
	Created: "created_at", CreatedBy: "created_by", Updated: "updated_at", UpdatedBy: "updated_by",
	Request: "request",
	Touch:   map[string][]string{"comment": {"issue"}, "issue_label": {"issue"}},
}

// policy lets everyone but visitors edit issues.
var policy = access.Policy{
	{Roles: []string{access.Authenticated}, Resource: "user", Operations: access.Read},
	{Roles: []string{access.Authenticated}, Resource: "project", Operations: access.Read | access.Insert | access.Delete},
	{Roles: []string{access.Authenticated}, Resource: "comment", Operations: access.Read | access.Insert | access.Update | access.Delete},
	{Roles: []string{access.Authenticated}, Resource: "label", Operations: access.Read | access.Insert},
	{Roles: []string{access.Authenticated}, Resource: "issue_label", Operations: access.Read | access.Insert | access.Delete},
	{Roles: []string{access.Authenticated}, Resource: "issue", Operations: access.Read},
	{Roles: []string{"editor"}, Resource: "issue", Operations: access.Insert | access.Update | access.Delete | access.ChooseKey},
}

// client sends requests to a tracker, and collects what is wrong.
type client struct {
	testing.TB

	store    *core.Store
	api      http.Handler
	requests int
	wrong    []string
}

// openTracker returns a client of a new tracker with the users ada, bob and visitor.
func openTracker(tb testing.TB, backend core.Backend, decorator core.Decorator) *client {
	tb.Helper()
	store, err := core.New(tb.Context(), tracker, backend, access.New(policy, access.Options{}), decorator)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	for _, name := range []string{"ada", "bob", "visitor"} {
		if _, err := store.Insert(core.System(tb.Context()), tracker.Resource("user"), tracker.Resource("user").RecordOf([]core.Value{core.TextValue(name)})); err != nil {
			tb.Fatal(err)
		}
	}
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: func(r *http.Request) (*core.Principal, error) {
		return principal(r.Header.Get("Authorization")), nil
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return &client{TB: tb, store: store, api: api}
}

func principal(name string) *core.Principal {
	p := &core.Principal{ID: core.TextValue(name)}
	if name != "visitor" {
		p.Roles = []string{"editor"}
	}
	return p
}

func (c *client) expect(is bool, format string, args ...any) {
	if !is {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

type object = map[string]any

// send sends a request such as "ada POST /issue {...}" at a time after those of the former ones, with the id r1, r2, ... and
// returns the answer.
func (c *client) send(request string, headers ...string) object {
	c.Helper()
	for begin := time.Now().Truncate(time.Microsecond); !time.Now().Truncate(time.Microsecond).After(begin); {
	}
	parts := strings.SplitN(request, " ", 4)
	body := ""
	if len(parts) == 4 {
		body = parts[3]
	}
	c.requests++
	ctx := core.WithRequestID(c.Context(), fmt.Sprint("r", c.requests))
	r := httptest.NewRequestWithContext(ctx, parts[1], parts[2], strings.NewReader(body))
	r.Header.Set("Authorization", parts[0])
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r)
	var answer any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		c.Fatalf("%s: %d %s", request, w.Code, w.Body)
	}
	c.expect(w.Code < 300, "%s: %d %s", request, w.Code, w.Body)
	record, _ := answer.(object)
	if record == nil {
		record = object{"list": answer}
	}
	record["etag"] = w.Header().Get("Etag")
	return record
}

// text returns a member of an answer as text, also of nested records: "comments.0.created_at".
func text(v any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[name]
		case []any:
			v = x[int(name[0]-'0')]
		}
	}
	return fmt.Sprint(v)
}

// same expects equal members of two answers.
func (c *client) same(label string, a, b object, members ...string) {
	for _, m := range members {
		c.expect(text(a, m) == text(b, m) && text(a, m) != "<nil>", "%s: %s is %s and then %s", label, m, text(a, m), text(b, m))
	}
}

// later expects that the time of b is after that of a.
func (c *client) later(label string, a, b object) {
	c.expect(text(b, "updated_at") > text(a, "updated_at"), "%s: updated_at is %s and then %s", label, text(a, "updated_at"), text(b, "updated_at"))
}

// is expects members of an answer.
func (c *client) is(label string, a object, want object) {
	for m, v := range want {
		c.expect(text(a, m) == fmt.Sprint(v), "%s: %s is %s, want %v", label, m, text(a, m), v)
	}
}

// promises are the rules of the package, each in a tracker of its own.
var promises = []struct {
	name  string
	check func(c *client)
}{
	{"an insert has times, authors and the request", func(c *client) {
		issue := c.send(`ada POST /issue {"title":"a"}`)
		c.is("issue", issue, object{"created_by": "ada", "updated_by": "ada", "request": "r1", "updated_at": text(issue, "created_at")})
		at, err := time.Parse(time.RFC3339Nano, text(issue, "created_at"))
		c.expect(err == nil && time.Since(at) < time.Hour && time.Since(at) > -time.Hour, "created_at is %v", at)
		c.same("read", issue, c.send(`ada GET /issue/1`), "created_at", "updated_at", "etag")
	}},
	{"nested records have the time of the request", func(c *client) {
		issue := c.send(`ada POST /issue?depth=2 {"title":"a","comments":[{"text":"x"},{"text":"y"}],"labels":[{"name":"l"}]}`)
		for _, path := range []string{"updated_at", "comments.0.created_at", "comments.0.updated_at", "comments.1.created_at"} {
			c.is("one request", issue, object{path: text(issue, "created_at")})
		}
		c.is("nested", issue, object{"comments.1.created_by": "ada", "comments.0.request": "r1"})
	}},
	{"a change has a new time and author, and keeps the creation", func(c *client) {
		before := c.send(`ada POST /issue {"title":"a"}`)
		after := c.send(`bob PATCH /issue/1 {"title":"b"}`)
		c.later("change", before, after)
		c.same("change", before, after, "created_at", "created_by")
		c.is("change", after, object{"updated_by": "bob", "request": "r2"})
		c.same("read", after, c.send(`ada GET /issue/1`), "updated_at", "updated_by", "etag")
	}},
	{"an update that changes nothing leaves the stamps", func(c *client) {
		before := c.send(`ada POST /issue {"title":"a"}`)
		c.same("patch", before, c.send(`bob PATCH /issue/1 {"title":"a"}`), "updated_at", "updated_by", "request", "etag")
		c.same("put", before, c.send(`bob PUT /issue/1 {"title":"a"}`), "updated_at", "updated_by", "request", "etag")
		c.same("put of all", before, c.send(`bob PUT /issue/1 {"title":"a","points":1,"comments":[],"labels":[]}`), "updated_at", "request", "etag")
	}},
	{"a replacement keeps the creation, and twice equals once", func(c *client) {
		before := c.send(`ada POST /issue {"title":"a","points":5}`)
		once := c.send(`bob PUT /issue/1 {"title":"b"}`)
		c.later("put", before, once)
		c.same("put", before, once, "created_at", "created_by")
		c.is("put", once, object{"updated_by": "bob", "points": 1})
		c.same("put again", once, c.send(`ada PUT /issue/1 {"title":"b"}`), "updated_at", "updated_by", "created_by", "etag")
	}},
	{"a conditional write takes the ETag of a stamped answer", func(c *client) {
		issue := c.send(`ada POST /issue {"title":"a"}`)
		issue = c.send(`bob PATCH /issue/1 {"title":"b"}`, "If-Match", text(issue, "etag"))
		c.send(`bob PATCH /issue/1 {"title":"c"}`, "If-Match", text(issue, "etag"))
	}},
	{"a change of many records stamps those that change", func(c *client) {
		c.send(`ada POST /issue [{"title":"a"},{"title":"b"},{"title":"c"}]`)
		second := c.send(`ada GET /issue/2`)
		c.send(`bob PATCH /issue?filter={}&max=10 {"title":"b"}`)
		first, third := c.send(`ada GET /issue/1`), c.send(`ada GET /issue/3`)
		c.same("of one request", first, third, "updated_at", "request")
		c.is("changed", first, object{"updated_by": "bob", "request": "r3"})
		c.same("unchanged", second, c.send(`ada GET /issue/2`), "updated_at", "updated_by", "etag")
	}},
	{"records that a delete detaches are stamped", func(c *client) {
		c.send(`ada POST /project {}`)
		before := c.send(`ada POST /issue {"title":"a","project":1}`)
		c.send(`bob DELETE /project/1`)
		after := c.send(`ada GET /issue/1`)
		c.later("detached", before, after)
		c.is("detached", after, object{"updated_by": "bob", "request": "r3"})
	}},
	{"a principal cannot choose its stamps", func(c *client) {
		r, ctx := tracker.Resource("issue"), core.WithPrincipal(c.Context(), principal("ada"))
		forged := object{"id": 1, "title": "a", "created_at": "2000-01-01T00:00:00Z", "created_by": "bob", "updated_at": "2000-01-01T00:00:00Z", "updated_by": "bob", "request": "x"}
		for i, write := range []func(context.Context, *core.Resource, ...core.Record) ([]core.Record, error){c.store.Insert, c.store.Update} {
			if forged["title"] = strconv.Itoa(i); i == 1 {
				c.send(`ada PATCH /issue/1 {"points":2}`)
			}
			rec, err := r.NewRecord(forged)
			if err != nil {
				c.Fatal(err)
			}
			written, err := write(ctx, r, rec)
			if err != nil {
				c.Fatal(err)
			}
			issue := written[0].Map()
			c.expect(!strings.Contains(fmt.Sprint(issue), "2000") && issue["created_by"] == "ada" && issue["updated_by"] == "ada" && issue["request"] != "x", "forged: %v", issue)
		}
	}},
	{"the operations of a transaction have one time", func(c *client) {
		r, times := tracker.Resource("issue"), make(map[core.Value]bool)
		err := c.store.Tx(core.System(c.Context()), func(ctx context.Context, tx *core.Transaction) error {
			clear(times)
			for range 3 {
				for begin := time.Now(); time.Since(begin) < 10*time.Microsecond; {
				}
				written, err := tx.Insert(ctx, r, r.RecordOf(make([]core.Value, len(r.Columns()))))
				if err != nil {
					return err
				}
				times[written[0].Get("created_at")] = true
			}
			return nil
		})
		c.expect(err == nil && len(times) == 1, "%v, times %v", err, times)
	}},
	{"a write of the program has no author", func(c *client) {
		r, ctx := tracker.Resource("issue"), core.System(c.Context())
		written, err := c.store.Insert(ctx, r, r.RecordOf(make([]core.Value, len(r.Columns()))))
		c.expect(err == nil && written[0].Get("created_by").IsNull() && written[0].Get("created_at").IsSet(), "%v %v", written, err)
		c.send(`ada PATCH /issue/1 {"title":"a"}`)
		rec, _ := r.NewRecord(object{"id": 1, "title": "b"})
		written, err = c.store.Update(ctx, r, rec)
		c.expect(err == nil && written[0].Get("updated_by").IsNull() && written[0].Get("request").IsNull(), "%v %v", written, err)
	}},
	{"a comment touches its issue", func(c *client) {
		issue := c.send(`ada POST /issue {"title":"a"}`)
		touched := func(request string, is bool) {
			c.send(request)
			after := c.send(`ada GET /issue/1`)
			if is {
				c.later(request, issue, after)
			} else {
				c.same(request, issue, after, "updated_at", "etag")
			}
			c.is(request, after, object{"updated_by": "ada", "request": "r1"})
			issue = after
		}
		touched(`visitor POST /comment {"issue":1,"text":"x"}`, true) // a visitor may not edit the issue
		touched(`bob PATCH /comment/1 {"text":"y"}`, true)
		touched(`bob PATCH /comment/1 {"text":"y","issue":1}`, false)
		touched(`bob POST /comment {"text":"of no issue"}`, false)
		touched(`bob DELETE /comment/1`, true)
	}},
	{"a comment that moves touches both issues", func(c *client) {
		c.send(`ada POST /issue [{"title":"a"},{"title":"b"}]`)
		c.send(`ada POST /comment {"issue":1}`)
		from, to := c.send(`ada GET /issue/1`), c.send(`ada GET /issue/2`)
		comment := c.send(`bob PATCH /comment/1 {"issue":2}`)
		for _, issue := range []object{from, to} {
			after := c.send(`ada GET /issue/` + text(issue, "id"))
			c.later("move", issue, after)
			c.same("move", comment, after, "updated_at")
		}
		from, to = c.send(`ada GET /issue/1`), c.send(`ada GET /issue/2`)
		after := c.send(`bob PATCH /issue/1 {"comments":[1]}`) // the other side of the relation
		c.later("move to the list", from, after)
		c.later("move from the list", to, c.send(`ada GET /issue/2`))
		c.same("answer", after, c.send(`ada GET /issue/1`), "updated_at", "etag")
	}},
	{"labels touch the issue", func(c *client) {
		issue := c.send(`ada POST /issue {"title":"a"}`)
		c.send(`ada POST /label [{"name":"l"},{"name":"m"}]`)
		for _, request := range []string{
			`bob PATCH /issue/1 {"labels":[1]}`, `bob PATCH /issue/1 {"labels":[1,2]}`, `bob PATCH /issue/1 {"labels":[{"name":"n"}]}`, `bob PUT /issue/1 {"title":"a"}`,
		} {
			after := c.send(request)
			c.later(request, issue, after)
			issue = after
			c.same("answer to "+request, issue, c.send(`ada GET /issue/1`), "updated_at", "etag")
		}
		c.send(`bob POST /issue_label {"issue":1,"label":2}`)
		after := c.send(`ada GET /issue/1`)
		c.later("link", issue, after)
		c.same("no change", after, c.send(`bob PATCH /issue/1 {"labels":[2]}`), "updated_at", "etag")
	}},
	{"a cascade touches what remains", func(c *client) {
		c.send(`ada POST /issue {"title":"a","comments":[{},{}],"labels":[{"name":"l"}]}`)
		c.send(`ada DELETE /issue/1`)
		list := c.send(`ada GET /comment`)
		c.is("comments", list, object{"list": "[]"})
	}},
}

// violations returns what a decorator with the options of the tracker does wrong, by promise.
func violations(tb testing.TB, open func(testing.TB) core.Backend, decorator func() core.Decorator) map[string][]string {
	tb.Helper()
	found := make(map[string][]string)
	for _, p := range promises {
		c := openTracker(tb, open(tb), decorator())
		if p.check(c); len(c.wrong) > 0 {
			found[p.name] = c.wrong
		}
	}
	return found
}
