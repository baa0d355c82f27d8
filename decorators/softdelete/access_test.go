package softdelete_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/readonly"
	"github.com/larder-go/larder/decorators/softdelete"
)

// everyRow permits a role some operations on the rows of resources.
func everyRow(role string, o access.Operation, resources ...string) (p access.Policy) {
	for _, r := range resources {
		p = append(p, access.Rule{Roles: []string{role}, Resource: r, Operations: o})
	}
	return p
}

const readWrite = access.Read | access.Insert | access.Update | access.Delete

// rights are those of clerks, who may delete and not restore, and of keepers, who may restore, except comments of other authors.
func rights() access.Policy {
	all := []string{"project", "user", "issue", "label", "issue_label"}
	p := append(everyRow("clerk", readWrite, append(all, "comment")...), everyRow("keeper", readWrite, append(all, "comment")...)...)
	p = append(p, everyRow("keeper", access.Restore, "project", "issue", "issue_label")...)
	return append(p, access.Rule{Roles: []string{"keeper"}, Resource: "comment", Operations: access.Restore, Using: access.Eq("author", access.PrincipalID())})
}

var (
	clerk  = &core.Principal{ID: core.IntValue(2), Roles: []string{"clerk"}}
	keeper = &core.Principal{ID: core.IntValue(1), Roles: []string{"keeper"}}
)

func TestRestoreIsUnderThePolicies(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		api := engine.New(s, engine.Options{})
		byClerk, byKeeper := core.WithPrincipal(t.Context(), clerk), core.WithPrincipal(t.Context(), keeper)
		if err := api.Delete(byClerk, "issue", 1, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		expect(t, s, "project[1 2] user[1 2] issue[2 3] comment[3] label[1 2] issue_label[3]", "issue[1] comment[1 2 4] issue_label[1 2]")
		for name, act := range map[string]func() error{
			"restore": func() error { _, err := api.Restore(byClerk, "issue", 1, engine.Write{}); return err },
			"read":    func() error { _, err := api.GetDeleted(byClerk, "issue", 1, 1); return err },
			"list":    func() error { _, err := api.List(byClerk, "issue", engine.Query{Deleted: true}); return err },
			"count": func() error {
				_, err := s.Deleted().Count(byClerk, s.Model().Resource("issue"), core.All())
				return err
			},
		} {
			if err := act(); !errors.Is(err, core.Forbidden) {
				t.Errorf("%s by the clerk: %v", name, err)
			}
		}
		if list, err := api.List(byKeeper, "comment", engine.Query{Deleted: true, Depth: 1}); err != nil || len(list.Views) != 2 {
			t.Errorf("the keeper lists %d deleted comments, %v", len(list.Views), err)
		}
		if _, err := api.Restore(byKeeper, "comment", 2, engine.Write{}); !errors.Is(err, core.NotFound) || core.AsError(err).Key != core.IntValue(2) {
			t.Errorf("the keeper restores a comment of another author: %v", err)
		}
		if v, err := api.Restore(byKeeper, "issue", 1, engine.Write{Depth: 1}); err != nil || json(v) != `{"id":1,"title":"x","project":1,"assignee":1,"comments":[1],"labels":[1,2]}` {
			t.Errorf("restored %s, %v", json(v), err)
		}
		expect(t, s, "project[1 2] user[1 2] issue[1 2 3] comment[1 3] label[1 2] issue_label[1 2 3]", "comment[2 4]")
	}, access.New(rights(), access.Options{}))
}

// TestRestoreDoesNotRevealAnUnreadableParent restores as a principal that may restore issues, and may not read which comments they
// have.
func TestRestoreDoesNotRevealAnUnreadableParent(t *testing.T) {
	p := append(everyRow("blind", access.Read|access.Restore, "issue", "issue_label"), everyRow("blind", access.Restore, "comment")...)
	p = append(p, access.Rule{Roles: []string{"blind"}, Resource: "comment", Operations: access.Read, Fields: []string{"id", "text", "answers"}})
	onEach(t, func(t *testing.T, s *core.Store) {
		api := engine.New(s, engine.Options{})
		if err := api.Delete(core.System(t.Context()), "issue", 1, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(1), Roles: []string{"blind"}})
		if _, err := api.Restore(ctx, "comment", 2, engine.Write{}); !errors.Is(err, core.NotFound) || core.AsError(err).Key != core.IntValue(1) || core.AsError(err).Resource != "comment" {
			t.Errorf("restored the answer to a deleted comment: %v", err)
		}
		if v, err := api.Restore(ctx, "comment", 1, engine.Write{Depth: 1}); err != nil || json(v) != `{"id":1,"text":"one"}` {
			t.Errorf("restored %s, %v", json(v), err)
		}
	}, access.New(p, access.Options{}))
}

func TestSearchInDeletedRecords(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		api := engine.New(s, engine.Options{})
		for _, id := range []int{3, 4} {
			if err := api.Delete(core.System(t.Context()), "comment", id, engine.Write{}); err != nil {
				t.Fatal(err)
			}
		}
		ctx := core.WithPrincipal(t.Context(), keeper)
		for text, want := range map[string]int{"three": 1, "e": 1, "one": 0} {
			if list, err := api.List(ctx, "comment", engine.Query{Deleted: true, Search: text}); err != nil || len(list.Views) != want {
				t.Errorf("%s: %d of %d deleted comments, %v", text, len(list.Views), want, err)
			}
		}
		n, err := s.Deleted().Count(ctx, s.Model().Resource("comment"), core.Related("answers", core.Search("two")))
		if err != nil || n != 1 { // 4 answers 2, which is not deleted
			t.Errorf("%d deleted answers, %v", n, err)
		}
		n, err = s.Deleted().Count(ctx, s.Model().Resource("comment"), core.Related("answers", core.Search("three")))
		if err != nil || n != 0 {
			t.Errorf("%d deleted answers to a deleted comment, %v", n, err)
		}
	}, access.New(rights(), access.Options{}))
}

// teams has documents of teams and their members.
func teams() *core.Model {
	return core.MustModel("teams",
		core.ResourceSpec{Name: "team", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}, {Name: "members", ToMany: "member", Inverse: "team"}}},
		core.ResourceSpec{Name: "member", Fields: []core.FieldSpec{id, gone, {Name: "user", Type: core.Int, Indexed: true}, {Name: "role", Type: core.Text}, {Name: "team", ToOne: "team"}}},
		core.ResourceSpec{Name: "document", Fields: []core.FieldSpec{id, gone, {Name: "title", Type: core.Text}, {Name: "team", ToOne: "team"}}},
	)
}

// TestRemovedMembershipGrantsNothing runs the rules on results: the store adds the condition of the effect behind all decorators.
func TestRemovedMembershipGrantsNothing(t *testing.T) {
	type row = map[string]any
	mine := access.Related("team", access.Related("members", access.Eq("user", access.PrincipalID())))
	policy := access.Policy{
		{Roles: []string{access.Authenticated}, Resource: "document", Operations: access.Read | access.Update, Using: mine},
		{Roles: []string{access.Authenticated}, Resource: "member", Operations: access.Read, Using: access.Eq("user", access.PrincipalID())},
		{Roles: []string{"keeper"}, Resource: "document", Operations: access.Restore, Using: mine},
	}
	spec := policytest.PolicySpec{
		Model: teams(), DeletedAt: deletedAt, Thin: 5, Operations: 3_000,
		Rows: seed.Data{
			"team": {1: row{"name": "red"}, 2: row{"name": "blue"}, 3: row{"name": "green"}},
			"member": {
				1: row{"user": 1, "team": 1}, 2: row{"user": 2, "team": 2}, 3: row{"user": 1, "team": 2, deletedAt: s0}, 4: row{"user": 2, "team": 1, deletedAt: s0},
				5: row{"user": 3, "team": 1}, 6: row{"user": 1, "team": 3},
			},
			"document": {
				1: row{"title": "a", "team": 1}, 2: row{"title": "b", "team": 2}, 3: row{"title": "c", "team": 3}, 4: row{"title": "d", "team": 1, deletedAt: s0},
				5: row{"title": "e", "team": 2, deletedAt: s0}, 6: row{"title": "f"},
			},
		},
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{access.New(policy, access.Options{}), softdelete.New(deletedAt, softdelete.Options{})}}
		},
		Principals: []*core.Principal{{ID: core.IntValue(1), Roles: []string{"keeper"}}, {ID: core.IntValue(2), Roles: []string{"reader"}}},
		Decide:     decideByMembership,
		Grants: func(p *core.Principal, row core.Record) bool {
			return row.Resource().Name() == "member" && p.ID.IsSet() && row.Get("user") == p.ID && row.Get(deletedAt).IsNull()
		},
		Denies: func(p *core.Principal, kind core.Kind, r *core.Resource) bool {
			switch kind {
			case core.Load, core.Select, core.Count, core.Aggregate, core.Visibility:
				return r.Name() == "team"
			case core.Update:
				return r.Name() != "document"
			case core.Restore:
				return r.Name() != "document" || !p.HasRole("keeper")
			}
			return true
		},
		Exempt: func(op *core.Op) bool { return op.Principal.IsSystem() },
	}
	open := backends["memory"]
	for _, c := range policytest.GuardCases() {
		switch c.Name {
		case "reads return all readable rows", "pages are full", "writes change allowed rows only", "decisions follow related rows", "denied kinds are denied":
			t.Run(c.Name, func(t *testing.T) { c.Check(t, open, spec) })
		}
	}
	policytest.NonInterference(t, open, spec)
}

func TestRestoreOverHTTP(t *testing.T) {
	sw := new(readonly.Switch)
	s, err := core.New(t.Context(), issues(), memory.New(), readonly.New(readonly.Options{Switch: sw}), access.New(rights(), access.Options{}), softdelete.New(deletedAt, softdelete.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	h, err := rest.New(engine.New(s, engine.Options{}), rest.Options{Authenticate: func(r *http.Request) (*core.Principal, error) {
		return map[string]*core.Principal{"clerk": clerk, "keeper": keeper}[r.Header.Get("As")], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		as, request, body string
		status            int
		answer            string
	}{
		{"clerk", "DELETE /comment/1", "", 200, "null"},
		{"clerk", "GET /comment/1", "", 404, ""},
		{"clerk", "GET /comment?fields=id", "", 200, `[{"id":3}]`},
		{"clerk", "GET /comment?search=one", "", 200, "[]"},
		{"clerk", "GET /comment?deleted=true", "", 403, ""},
		{"clerk", "GET /comment/1?deleted=true", "", 403, ""},
		{"clerk", "POST /comment/1/$restore", "{}", 403, ""},
		{"", "GET /comment?deleted=true", "", 401, ""},
		{"", "POST /comment/1/$restore", "{}", 401, ""},
		{"keeper", "GET /comment?deleted=true&sort=-id&limit=1&fields=id", "", 200, `[{"id":4}]`},
		{"keeper", "GET /comment?deleted=true&text=one", "", 200, `[{"id":1,"text":"one","issue":1,"author":1}]`},
		{"keeper", "GET /comment/1?deleted=true&fields=text", "", 200, `{"text":"one"}`},
		{"keeper", "GET /comment/3?deleted=true", "", 404, ""},
		{"keeper", "GET /comment/1?deleted=yes", "", 400, ""},
		{"keeper", "GET /user?deleted=true", "", 400, ""},
		{"keeper", "GET /user/1?deleted=true", "", 400, ""},
		{"keeper", "GET /issue/1/comments?deleted=true", "", 400, ""},
		{"keeper", "POST /comment/1/$restore", "", 400, ""},
		{"keeper", "POST /comment/1/$restore", `{"text":"x"}`, 400, ""},
		{"keeper", "POST /comment/2/$restore", "{}", 404, ""},
		{"keeper", "POST /comment/9/$restore", "{}", 404, ""},
		{"keeper", "POST /user/1/$restore", "{}", 404, `{"error":{"code":"NO_SUCH_URL"`},
		{"keeper", "POST /comment/1/$undo", "{}", 404, `{"error":{"code":"NO_SUCH_URL"`},
		{"keeper", "OPTIONS /comment/1/$restore", "", 204, "POST, OPTIONS"},
		{"keeper", "GET /comment/1/$restore", "", 405, ""},
		{"keeper", "POST /$batch", `[{"method": "POST", "path": "/comment/1/$restore", "body": {}}, {"method": "GET", "path": "/comment/1?fields=text"}]`, 200, ""},
		{"keeper", "GET /comment/1", "", 200, `{"id":1,"text":"one","issue":1,"author":1}`},
		{"clerk", "DELETE /comment/1", "", 200, "null"},
		{"keeper", "POST /comment/1/$restore?depth=0", "{}", 200, "1"},
		{"keeper", "POST /comment/1/$restore", "{}", 404, ""},
		{"clerk", "DELETE /issue/3", "", 200, "null"},
		{"clerk", "PUT /issue/3", `{"title": "new", "project": 1}`, 403, ""}, // without the right to choose a key
		{"", "READ ONLY", "", 0, ""},
		{"keeper", "POST /issue/3/$restore", "{}", 405, ""},
		{"keeper", "OPTIONS /issue/3/$restore", "", 204, "OPTIONS"},
		{"keeper", "GET /issue?deleted=true", "", 200, `[{"id":3,"title":"z","project":2,"comments":[],"labels":[]}]`},
	} {
		if step.request == "READ ONLY" {
			sw.Set(true)
			continue
		}
		method, path, _ := strings.Cut(step.request, " ")
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(step.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("As", step.as)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Body.String() + map[bool]string{true: w.Header().Get("Allow")}[method == http.MethodOptions]
		if w.Code != step.status || !strings.HasPrefix(got, step.answer) {
			t.Errorf("%s as %s: %d %s", step.request, step.as, w.Code, got)
		}
	}
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil)
	r.Header.Set("As", "keeper")
	h.ServeHTTP(w, r)
	if doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes()); err != nil || doc.Validate(t.Context()) != nil {
		t.Errorf("the document is invalid: %v, %v", err, doc.Validate(t.Context()))
	}
	for _, part := range []string{`"/issue/{id}/$restore":{`, `"operationId":"restore_issue"`, `"name":"deleted"`} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("the document has no %s", part)
		}
	}
	if strings.Contains(w.Body.String(), "restore_user") {
		t.Error("the document restores users, who are deleted for good")
	}
}

// decideByMembership makes the decisions of the policy of teams with loops.
func decideByMembership(all reference.Records) policytest.Decisions {
	inTeam := func(p *core.Principal, row core.Record) bool {
		for member := range all(row.Resource().Model().Resource("member")) {
			if p.ID.IsSet() && member.Get("user") == p.ID && row.Get("team").IsSet() && member.Get("team") == row.Get("team") {
				return true
			}
		}
		return false
	}
	change := func(p *core.Principal, kind core.Kind, row core.Record) bool {
		return row.Resource().Name() == "document" && inTeam(p, row) && (kind != core.Restore || p.HasRole("keeper"))
	}
	return policytest.Decisions{
		CanRead: func(p *core.Principal, row core.Record) bool {
			switch row.Resource().Name() {
			case "document":
				return inTeam(p, row)
			case "member":
				return p.ID.IsSet() && row.Get("user") == p.ID
			}
			return false
		},
		CanChange: change, CanResultIn: change,
	}
}

func TestExplainOfRestore(t *testing.T) {
	c, err := rights().Compile(issues())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		p    *core.Principal
		want string
	}{
		{clerk, "restore of comment is denied: rule 16 is for keeper"},
		{keeper, "restore of comment is allowed: rule 16 applies"},
		{core.PrincipalOf(core.System(t.Context())), "the system principal may do everything"},
	} {
		if e := c.Explain(step.p, access.Restore, "comment"); e.String() != step.want || e.Allowed() != (step.p != clerk) {
			t.Errorf("got %s, want %s", e, step.want)
		}
	}
}

// TestRepeatedRestore sends a restore twice with one key.
func TestRepeatedRestore(t *testing.T) {
	s, err := core.New(t.Context(), issues(), memory.New(), access.New(rights(), access.Options{}), softdelete.New(deletedAt, softdelete.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	api := engine.New(s, engine.Options{})
	h, err := rest.New(api, rest.Options{RequireIfMatch: true, Authenticate: func(*http.Request) (*core.Principal, error) { return keeper, nil }})
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, path string, headers ...string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}")), httptest.NewRecorder()
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		h.ServeHTTP(w, r)
		return w
	}
	if err := api.Delete(core.WithPrincipal(t.Context(), keeper), "comment", 3, engine.Write{}); err != nil {
		t.Fatal(err)
	}
	tag := send(http.MethodGet, "/comment/3?deleted=true").Header().Get("ETag")
	const path = "/comment/3/$restore"
	for i, w := range []*httptest.ResponseRecorder{
		send(http.MethodPost, path), send(http.MethodPost, path, "If-Match", `"other"`),
		send(http.MethodPost, path, "If-Match", tag, "Idempotency-Key", "k"), send(http.MethodPost, path, "If-Match", tag, "Idempotency-Key", "k"),
		send(http.MethodPost, path, "If-Match", tag),
	} {
		want := []int{http.StatusPreconditionRequired, http.StatusPreconditionFailed, http.StatusOK, http.StatusOK, http.StatusNotFound}[i]
		if w.Code != want || (w.Header().Get("Idempotent-Replayed") != "") != (i == 3) || want == http.StatusOK && w.Body.String() != `{"id":3,"text":"three","issue":2,"author":1}` {
			t.Errorf("request %d: %d %v %s", i, w.Code, w.Header(), w.Body)
		}
	}
}
