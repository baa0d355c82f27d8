package main

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/ownership"
)

// leaks are the ways in which records of other users leaked in stores that compared the owner in some operations only. In
// each, Alice owns jar 1 with the cookies 1 and 5, Bob owns jar 2 and cookie 2 and sends the requests, and cookie 9 has no
// owner.
var leaks = []struct {
	name string
	try  func(t *testing.T, s *scene)
}{
	{"reading by id", readingByID},
	{"putting over a foreign id", puttingOver},
	{"posting to a taken id", postingToATakenID},
	{"nested records that reach a foreign one", nestedRecords},
	{"tearing the relations of a foreign record", tearingRelations},
	{"deleting what another's record points at", deletingATarget},
	{"concurrent requests that share a principal", concurrentRequests},
	{"owners of other types", ownersOfOtherTypes},
	{"records without an owner", recordsWithoutOwner},
	{"hidden fields by filter and sort", hiddenFields},
	{"counts, cursors and next ids", countsAndCursors},
	{"no principal at all", noPrincipal},
}

func TestHiddenRecordsDoNotLeak(t *testing.T) {
	for backend, fresh := range backends {
		for name, open := range faces {
			for _, leak := range leaks {
				t.Run(backend+"/"+name+"/"+leak.name, func(t *testing.T) {
					leak.try(t, &scene{
						full: stock(t, newWorld(t, fresh(t), open), true), alone: stock(t, newWorld(t, fresh(t), open), false), fresh: fresh,
					})
				})
			}
		}
	}
}

// scene has a world with the records of all users, and one with the records of Bob only.
type scene struct {
	full, alone *world
	fresh       func(t *testing.T) core.Backend // for another world
}

func stock(t *testing.T, w *world, others bool) *world {
	t.Helper()
	must := func(user, request, body string) {
		t.Helper()
		if a := w.send(t, user, request, body); a.code != "" {
			t.Fatalf("%s: %s", request, a.text)
		}
	}
	if others {
		must("alice", "PUT /jar/1", `{}`)
		must("alice", "PUT /cookie/1", `{"type": "secret", "jar": 1}`)
		must("alice", "PUT /cookie/5", `{"type": "secret", "jar": 1}`)
		w.program(t, "cookie", map[string]any{"id": 9, "type": "secret"})
	}
	must("bob", "PUT /jar/2", `{}`)
	must("bob", "PUT /cookie/2", `{"type": "own", "jar": 2}`)
	return w
}

// program inserts a record for the program itself, so that the record has no owner.
func (w *world) program(t *testing.T, resource string, fields map[string]any) {
	t.Helper()
	r := model.Resource(resource)
	rec, err := r.NewRecord(fields)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Insert(core.System(t.Context()), r, rec); err != nil {
		t.Fatal(err)
	}
}

// content returns all stored records.
func (w *world) content(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, r := range model.Resources() {
		page, err := w.store.Select(core.System(t.Context()), r, core.Query{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, page.Records)
	}
	return all.String()
}

// same sends a request of Bob to both worlds. The answers must be equal, have the code, show no value of Alice, and leave her
// records unchanged.
func (s *scene) same(t *testing.T, request, body string, want core.Code) {
	t.Helper()
	full := s.fails(t, request, body, want)
	if alone := s.alone.send(t, "bob", request, body); alone != full {
		t.Errorf("%s %s: with others' records\n%s\nand without\n%s", request, body, full.text, alone.text)
	}
}

func (s *scene) fails(t *testing.T, request, body string, want core.Code) answer {
	t.Helper()
	before := s.full.content(t)
	a := s.full.send(t, "bob", request, body)
	if a.code != want {
		t.Errorf("%s %s: got %q, want %q: %s", request, body, a.code, want, a.text)
	}
	if strings.Contains(a.text, "secret") || strings.Contains(a.text, "alice") {
		t.Errorf("%s %s shows %s", request, body, a.text)
	}
	if after := s.full.content(t); want != "" && after != before {
		t.Errorf("%s %s: it was\n%s\nand is\n%s", request, body, before, after)
	}
	return a
}

func readingByID(t *testing.T, s *scene) {
	for _, path := range []string{"/cookie/1", "/cookie/5", "/cookie/9", "/jar/1", "/cookie/1?depth=0", "/jar/1?depth=3"} {
		s.same(t, "GET "+path, "", core.NotFound)
	}
	s.same(t, "GET /cookie/2?depth=3", "", "")
	s.same(t, "GET /jar/2?depth=3", "", "")
}

func puttingOver(t *testing.T, s *scene) {
	for _, path := range []string{"/cookie/1", "/cookie/9"} {
		s.fails(t, "PUT "+path, `{}`, core.AlreadyExists)
		s.fails(t, "PUT "+path, `{"type": "mine"}`, core.AlreadyExists)
		s.fails(t, "PUT "+path+"?depth=2", `{"type": "mine", "jar": 2}`, core.AlreadyExists)
	}
	s.fails(t, "PUT /jar/1", `{}`, core.AlreadyExists)
	s.fails(t, "PUT /jar/1", `{"cookies": [2]}`, core.AlreadyExists)
	s.same(t, "PATCH /cookie/1", `{"type": "mine"}`, core.NotFound)
	s.same(t, "PATCH /cookie/1", `{}`, core.NotFound)
}

func postingToATakenID(t *testing.T, s *scene) {
	s.same(t, "POST /cookie", `{"id": 1, "type": "mine"}`, core.FieldReadOnly)
	s.same(t, "POST /jar", `{"id": 1}`, core.FieldReadOnly)
	foreign := s.full.content(t)
	for range 12 { // generated ids skip the taken ones
		s.fails(t, "POST /cookie", `{"type": "mine"}`, "")
	}
	for line := range strings.FieldsSeq(foreign) {
		if strings.Contains(line, "secret") && !strings.Contains(s.full.content(t), line) {
			t.Errorf("%s is gone", line)
		}
	}
}

func nestedRecords(t *testing.T, s *scene) {
	s.same(t, "POST /jar", `{"cookies": [{"id": 1, "type": "mine"}]}`, core.FieldReadOnly)
	s.same(t, "POST /cookie", `{"jar": {"id": 1}}`, core.FieldReadOnly)
	s.same(t, "POST /jar", `{"cookies": [1]}`, core.NotFound)
	s.same(t, "POST /jar", `{"cookies": [{"type": "mine"}, 1]}`, core.NotFound)
	s.same(t, "POST /cookie", `{"jar": 1}`, core.NotFound)
	s.same(t, "POST /cookie", `{"jar": {"cookies": [5]}}`, core.NotFound)
	s.same(t, "PATCH /cookie/2", `{"jar": {"cookies": [{"jar": 1}]}}`, core.NotFound)
	s.same(t, "PUT /jar/3", `{"cookies": [9]}`, core.NotFound)
}

func tearingRelations(t *testing.T, s *scene) {
	before := s.full.send(t, "alice", "GET /jar?depth=3", "")
	s.same(t, "PATCH /jar/2", `{"cookies": [1]}`, core.NotFound)
	s.same(t, "PATCH /jar/2", `{"cookies": [2, 5]}`, core.NotFound)
	s.same(t, "PUT /jar/2", `{"cookies": [1, 5]}`, core.NotFound)
	s.same(t, "PATCH /cookie/2", `{"jar": 1}`, core.NotFound)
	s.same(t, "PATCH /jar/1", `{"cookies": []}`, core.NotFound)
	s.fails(t, "PUT /jar/1", `{"cookies": []}`, core.AlreadyExists)
	s.same(t, "DELETE /jar/1", "", core.NotFound)
	s.same(t, "DELETE /cookie/1", "", core.NotFound)
	if after := s.full.send(t, "alice", "GET /jar?depth=3", ""); before != after || after.code != "" || !strings.Contains(after.text, "secret") {
		t.Errorf("Alice saw\n%s\nand sees\n%s", before.text, after.text)
	}
}

func deletingATarget(t *testing.T, s *scene) {
	move := func(to any) {
		t.Helper()
		r := model.Resource("cookie")
		rec, err := r.NewRecord(map[string]any{"id": 5, "jar": to})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.full.store.Update(core.System(t.Context()), r, rec); err != nil {
			t.Fatal(err)
		}
	}
	move(2) // the program puts a cookie of Alice into the jar of Bob
	s.same(t, "GET /jar/2?depth=2", "", "")
	s.same(t, "PATCH /jar/2?depth=2", `{"cookies": [2]}`, "")
	a := s.fails(t, "DELETE /jar/2", "", core.StillReferenced)
	if strings.Contains(a.text, "5") {
		t.Errorf("the answer names the cookie: %s", a.text)
	}
	s.same(t, "DELETE /jar/1", "", core.NotFound)
	move(nil)
	s.same(t, "DELETE /jar/2", "", "")
}

func concurrentRequests(t *testing.T, s *scene) {
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			user := fmt.Sprint("user", i)
			for range 5 {
				made := s.full.send(t, user, "POST /cookie", `{"type": "of-`+user+`"}`)
				seen := s.full.send(t, user, "GET /cookie", "")
				if made.code != "" || seen.code != "" || strings.Count(seen.text, "of-") != strings.Count(seen.text, "of-"+user) ||
					!strings.Contains(seen.text, "of-"+user) || strings.Contains(seen.text, "secret") {
					t.Errorf("%s made %s and sees %s", user, made.text, seen.text)
					return
				}
			}
		})
	}
	all.Wait()
}

func ownersOfOtherTypes(t *testing.T, s *scene) {
	if a := s.full.send(t, "1", "PUT /cookie/11", `{"type": "secret"}`); a.code != "" {
		t.Fatal(a.text)
	}
	for _, user := range []any{1, true, []any{"1"}, []any{1, 2}} {
		for _, request := range []string{"GET /cookie/11", "GET /cookie", "DELETE /cookie/11", "PUT /cookie/11", "PUT /cookie/12", "POST /cookie"} {
			if a := s.full.send(t, user, request, `{}`); a.code != core.Unauthorized && a.code != core.Forbidden || strings.Contains(a.text, "secret") {
				t.Errorf("%v: %s: %s", user, request, a.text)
			}
		}
	}
	for _, user := range []string{"1 ", "01", "+1", "１", "Alice", "alice ", "alic", "%", "alice' OR '1'='1", "a%"} {
		if a := s.full.send(t, user, "GET /cookie", ""); a.code != "" || strings.Contains(a.text, "secret") {
			t.Errorf("%q sees %s", user, a.text)
		}
	}
}

func recordsWithoutOwner(t *testing.T, s *scene) {
	s.same(t, "GET /cookie/9", "", core.NotFound)
	s.same(t, "PATCH /jar/2", `{"cookies": [9]}`, core.NotFound)
	s.same(t, "DELETE /cookie/9", "", core.NotFound)
	for _, user := range []string{"null", "", "nobody", "system"} {
		if a := s.full.send(t, user, "GET /cookie/9", ""); a.code == "" || strings.Contains(a.text, "secret") {
			t.Errorf("%q sees %s", user, a.text)
		}
	}
}

func hiddenFields(t *testing.T, s *scene) {
	for _, args := range []url.Values{
		{"filter": {`{"user_id": "alice"}`}}, {"filter": {`{"user_id": null}`}}, {"filter": {`{"user_id": {"gt": "b"}}`}},
		{"sort": {`["user_id"]`}}, {"sort": {`["-user_id"]`}},
	} {
		a := s.fails(t, "GET /cookie?"+args.Encode(), "", core.UnknownField)
		unknown := strings.ReplaceAll(args.Encode(), "user_id", "nothing")
		if b := s.full.send(t, "bob", "GET /cookie?"+unknown, ""); strings.ReplaceAll(b.text, "nothing", "user_id") != a.text {
			t.Errorf("%s: %s, and for a field that is not there %s", args, a.text, b.text)
		}
	}
	for _, request := range []string{"POST /cookie", "PUT /cookie/2", "PATCH /cookie/2", "PUT /cookie/20"} {
		s.same(t, request, `{"user_id": "alice"}`, core.UnknownField)
		s.same(t, request, `{"user_id": "bob"}`, core.UnknownField)
	}
	s.same(t, "GET /cookie?filter="+url.QueryEscape(`{"type": "secret"}`), "", "")
	s.same(t, "GET /cookie?filter="+url.QueryEscape(`{"jar": 1}`), "", "")
	s.same(t, "GET /cookie?filter="+url.QueryEscape(`{"id": {"ge": 0}}`), "", "")
}

func countsAndCursors(t *testing.T, s *scene) {
	for _, request := range []string{"PUT /cookie/3", "PUT /cookie/7", "PUT /cookie/20"} {
		s.same(t, request, `{"type": "own"}`, "")
	}
	for _, sort := range []string{`["id"]`, `["-id"]`, `["type"]`, `["-type", "jar"]`} {
		for _, limit := range []string{"1", "2", "3", "4", "5"} {
			args := url.Values{"sort": {sort}, "limit": {limit}}
			s.same(t, "GET /cookie?"+args.Encode(), "", "")
		}
	}
	for w, want := range map[*world]int{s.full: 4, s.alone: 4} {
		bob := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("bob")})
		if n, err := w.store.Count(bob, model.Resource("cookie"), core.All()); n != want || err != nil {
			t.Errorf("Bob counts %d, %v", n, err)
		}
	}
	nextIDs(t, s)
}

// nextIDs checks that generated keys of type uuid are random. Integer keys would show how many were generated before.
func nextIDs(t *testing.T, s *scene) {
	t.Helper()
	m := core.MustModel("tickets", core.ResourceSpec{Name: "ticket", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, owner}})
	store, err := core.New(t.Context(), m, s.fresh(t), ownership.New("user_id", ownership.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing is left to save
	random := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, user := range []string{"alice", "alice", "bob"} {
		ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue(user)})
		ids, err := store.NextIDs(ctx, m.Resource("ticket"), 2)
		if err != nil || !random.MatchString(ids[0].Text()) || !random.MatchString(ids[1].Text()) || ids[0].Text()[:8] == ids[1].Text()[:8] {
			t.Errorf("%s gets %v, %v", user, ids, err)
		}
	}
}

func noPrincipal(t *testing.T, s *scene) {
	requests := []string{
		"GET /cookie", "GET /cookie/1", "GET /cookie/99", "GET /jar?depth=0", "POST /cookie", "PUT /cookie/1", "PUT /cookie/99",
		"PATCH /cookie/1", "PATCH /cookie/99", "DELETE /cookie/1", "DELETE /cookie/99",
	}
	bodies := []string{`{}`}
	if _, ok := s.full.face.(overHTTP); ok { // over HTTP, the mistakes of a request and the model are hidden too
		bodies = append(bodies, `[]`, `{`, `{"user_id": "alice"}`)
		requests = append(requests, "GET /cookie/abc", "GET /cookie?limit=-1", "GET /cookie?filter=%5B", "GET /cookie?filter=%7B%22user_id%22%3A1%7D",
			"GET /cookie?sort=%5B%22nothing%22%5D", "GET /cookie?depth=99", "GET /nothing", "BREW /cookie", "POST /cookie/1", "PUT /cookie/abc", "GET /openapi.json")
	}
	for _, request := range requests {
		for _, body := range bodies {
			before := s.full.content(t)
			if a := s.full.send(t, nil, request, body); a.code != core.Unauthorized || s.full.content(t) != before {
				t.Errorf("%s %s: %s", request, body, a.text)
			}
		}
	}
}
