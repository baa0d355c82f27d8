package access_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/condition"
	"github.com/larder-go/larder/decorators/access"
)

// teams is a model in which members of a project work on its issues.
func teams() *core.Model {
	return core.MustModel("teams",
		core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "public", Type: core.Bool, Default: false},
			{Name: "memberships", ToMany: "membership", Inverse: "project"},
			{Name: "issues", ToMany: "issue", Inverse: "project"},
		}},
		core.ResourceSpec{Name: "membership", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "project", ToOne: "project"},
			{Name: "user", Type: core.Int},
			{Name: "role", Type: core.Text},
		}},
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "project", ToOne: "project"},
			{Name: "title", Type: core.Text},
			{Name: "secret", Type: core.Text},
			{Name: "comments", ToMany: "comment", Inverse: "issue"},
		}},
		core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "issue", ToOne: "issue"},
			{Name: "text", Type: core.Text},
		}},
	)
}

const teamsPolicy = `{"rules": [
	{"roles": ["anonymous"], "resource": "project", "operations": ["read"], "using": {"public": true}},
	{"roles": ["authenticated"], "resource": "project", "operations": ["read"],
		"using": {"$or": [{"public": true}, {"memberships": {"$any": {"user": {"$principal": "id"}}}}]}},
	{"name": "members", "roles": ["authenticated"], "resource": "issue", "operations": ["read", "insert"],
		"using": {"project.memberships": {"$any": {"user": {"$principal": "id"}}}}},
	{"name": "guests", "roles": ["anonymous", "authenticated"], "resource": "issue", "operations": ["read"],
		"fields": ["project", "title"], "using": {"project.public": true}},
	{"name": "admins", "roles": ["authenticated"], "resource": "issue", "operations": ["update", "delete"],
		"using": {"project": {"$any": {"memberships": {"$any": {"user": {"$principal": "id"}, "role": "admin"}}}}}},
	{"roles": ["anonymous", "authenticated"], "resource": "comment", "operations": ["read", "insert"], "using": {"issue": {"$where": "read"}}}
]}`

// newTeams returns a store with the policy and rows: project 1 with the members 1 (admin) and 2, and the public project 2 with
// the member 3 (admin).
func newTeams(t *testing.T) fixture {
	t.Helper()
	policy, err := access.Parse([]byte(teamsPolicy))
	if err != nil {
		t.Fatal(err)
	}
	m := teams()
	store, err := core.New(t.Context(), m, memory.New(), access.New(policy, access.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := fixture{T: t, store: store}
	s.add(m.Resource("project"), map[string]any{"id": 1, "name": "a"}, map[string]any{"id": 2, "name": "b", "public": true})
	s.add(m.Resource("membership"),
		map[string]any{"id": 1, "project": 1, "user": 1, "role": "admin"},
		map[string]any{"id": 2, "project": 1, "user": 2, "role": "guest"},
		map[string]any{"id": 3, "project": 2, "user": 3, "role": "admin"})
	s.add(m.Resource("issue"),
		map[string]any{"id": 1, "project": 1, "title": "one", "secret": "s1"},
		map[string]any{"id": 2, "project": 2, "title": "two", "secret": "s2"},
		map[string]any{"id": 3, "title": "three"})
	s.add(m.Resource("comment"), map[string]any{"id": 1, "issue": 1, "text": "x"}, map[string]any{"id": 2, "issue": 2, "text": "y"})
	return s
}

func (s fixture) resource(name string) *core.Resource { return s.store.Model().Resource(name) }

// read returns what p reads of a resource with the query, one record a line, or the error.
func (s fixture) read(p *core.Principal, resource string, q core.Query) string {
	page, err := s.store.Select(s.as(p), s.resource(resource), q)
	if err != nil {
		return public(err)
	}
	return strings.TrimSpace(lines(page.Records))
}

func TestRowsFollowMemberships(t *testing.T) {
	s := newTeams(t)
	whole, guest := "issue{id:1 project:1 title:one secret:s1}", "issue{id:2 project:2 title:two}"
	s.is("a member", s.read(user(1), "issue", core.Query{}), whole+"\n"+guest)
	s.is("another member", s.read(user(2), "issue", core.Query{}), whole+"\n"+guest)
	s.is("a member of the public project", s.read(user(3), "issue", core.Query{}), "issue{id:2 project:2 title:two secret:s2}")
	s.is("a stranger", s.read(user(9), "issue", core.Query{}), guest)
	s.is("a guest", s.read(nil, "issue", core.Query{}), guest)
	s.is("comments follow their issue", s.read(user(1), "comment", core.Query{}), "comment{id:1 issue:1 text:x}\ncomment{id:2 issue:2 text:y}")
	s.is("comments of a guest", s.read(nil, "comment", core.Query{}), "comment{id:2 issue:2 text:y}")
}

func TestFiltersCrossRelationsUnderTheirPolicy(t *testing.T) {
	s := newTeams(t)
	inProject := func(name string) core.Query { return core.Query{Where: core.Related("project", core.Eq("name", name))} }
	s.is("a member finds by the project", s.read(user(1), "issue", inProject("a")), "issue{id:1 project:1 title:one secret:s1}")
	s.is("the project of another", s.read(user(3), "issue", inProject("a")), "")
	s.is("by a field that guests cannot read", s.read(nil, "project", core.Query{Where: core.Related("issues", core.Eq("secret", "s2"))}),
		`FIELD_DOES_NOT_EXIST object_name="issue" field_name="secret"`)
	s.is("by a field that members can read", s.read(user(3), "project", core.Query{Where: core.Related("issues", core.Eq("secret", "s2"))}),
		"project{id:2 name:b public:true}")
	s.is("a secret of a row that shows only its title", s.read(user(1), "project", core.Query{Where: core.Related("issues", core.Eq("secret", "s2"))}), "")
	s.is("a resource of which nothing can be read", s.read(user(1), "project", core.Query{Where: core.Related("memberships", core.All())}),
		`FORBIDDEN object_name="membership"`)
	s.is("an order by a hidden project", s.read(user(3), "comment", core.Query{Order: []string{"issue.project.name"}}),
		"comment{id:2 issue:2 text:y}")
}

func TestWritesFollowMemberships(t *testing.T) {
	s := newTeams(t)
	issue := s.resource("issue")
	retitle := func(p *core.Principal, id int64) string {
		title := issue.Field("title")
		changed, err := s.store.Update(s.as(p), issue, issue.Patch(core.IntValue(id)).Set(title, core.TextValue("new")))
		if err != nil {
			return public(err)
		}
		return changed[0].String()
	}
	s.is("an admin", retitle(user(1), 1), "issue{id:1 project:1 title:new secret:s1}")
	s.is("a member who is no admin can read the issue", retitle(user(2), 1), `FORBIDDEN object_name="issue"`)
	s.is("a stranger cannot", retitle(user(3), 1), `OBJECT_DOES_NOT_EXIST object_name="issue" object_id=1`)
	s.is("a record that does not exist", retitle(user(1), 8), `OBJECT_DOES_NOT_EXIST object_name="issue" object_id=8`)
	s.is("a delete", public(s.store.Delete(s.as(user(2)), issue, core.IntValue(1))), `FORBIDDEN object_name="issue"`)
	insert := func(p *core.Principal, project int64) string {
		added, err := s.store.Insert(s.as(p), issue, s.record(issue, map[string]any{"project": project, "title": "t"}))
		if err != nil {
			return public(err)
		}
		return added[0].String()
	}
	s.is("a member adds", insert(user(2), 1), "issue{id:4 project:1 title:t secret:null}")
	s.is("to another project", insert(user(2), 2), `FORBIDDEN object_name="issue"`)
}

func TestDeniedWriteNamesTheRules(t *testing.T) {
	s := newTeams(t)
	err := s.store.Delete(s.as(user(2)), s.resource("issue"), core.IntValue(1))
	if cause := core.AsError(err).Cause; cause == nil || !strings.Contains(cause.Error(), "delete of issue") || !strings.Contains(cause.Error(), "(admins)") {
		t.Errorf("the cause is %v", cause)
	}
}

func TestCheckSeesTheTransaction(t *testing.T) {
	s := newTeams(t)
	issue, membership := s.resource("issue"), s.resource("membership")
	err := s.store.Tx(s.as(user(9)), func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Insert(core.System(ctx), membership, s.record(membership, map[string]any{"project": 1, "user": 9})); err != nil {
			return err
		}
		_, err := tx.Insert(ctx, issue, s.record(issue, map[string]any{"project": 1}))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestExplainNamesMissingIndexes(t *testing.T) {
	policy, err := access.Parse([]byte(teamsPolicy))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := policy.Compile(teams())
	if err != nil {
		t.Fatal(err)
	}
	e := compiled.Explain(user(1), access.Update, "issue")
	if !slices.Equal(e.Unindexed, []string{"membership.role", "membership.user"}) || !strings.Contains(e.String(), "set Indexed on membership.user") {
		t.Errorf("got %v: %s", e.Unindexed, e)
	}
}

func TestCompileReportsMistakesOfRelations(t *testing.T) {
	for _, c := range []struct{ want, using string }{
		{`issue has no field "team"`, `{"team": {"$any": {"user": 1}}}`},
		{"issue.title is no relation", `{"title": {"$any": {"user": 1}}}`},
		{`project.memberships is to-many, and a path crosses to-ones only; use Related("memberships", ...), in JSON {"memberships": {"$any": {"user": ...}}}`,
			`{"project.memberships.user": 1}`},
		{`membership has no field "usr"`, `{"project.memberships": {"$any": {"usr": 1}}}`},
		{"$where leads in a circle back to the rules for read of comment; state the condition of one of them", `{"comments": {"$where": "read"}}`},
	} {
		policy, err := access.Parse([]byte(`{"rules": [
			{"roles": ["r"], "resource": "issue", "operations": ["read"], "using": ` + c.using + `},
			{"roles": ["r"], "resource": "comment", "operations": ["read"], "using": {"issue": {"$where": "read"}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Compile(teams()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", c.using, err, c.want)
		}
	}
}

func TestPolicySchemaContainsTheLanguage(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if !strings.Contains(squeeze(access.Schema), squeeze(condition.Schema)) {
		t.Error("policy.schema.json must contain core/condition/condition.schema.json unchanged")
	}
}

func TestPolicyThroughRelationsNeedsDecoratorsThatKnowThem(t *testing.T) {
	policy, err := access.Parse([]byte(teamsPolicy))
	if err != nil {
		t.Fatal(err)
	}
	old := core.Decorator{Name: "old", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }}
	_, err = core.New(t.Context(), teams(), memory.New(), old, access.New(policy, access.Options{}))
	if err == nil || !strings.Contains(err.Error(), `"old"`) || errors.Is(err, core.ServerError) {
		t.Errorf("got %v", err)
	}
}

func TestGuardOfOneConditionIsNotThatOfARange(t *testing.T) {
	s := newTeams(t)
	ids := core.Related("issue", core.Ne("project", 0))
	ranged := core.Related("issue", core.Lt("project", 2))
	s.is("a range alone", s.read(user(3), "comment", core.Query{Where: ranged}), `SEARCH_FORBIDDEN object_name="issue" field_name="project"`)
	s.is("a range beside an equality", s.read(user(3), "comment", core.Query{Where: core.And(ids, ranged)}),
		`SEARCH_FORBIDDEN object_name="issue" field_name="project"`)
}

func TestCirclesThroughChecksAreRejected(t *testing.T) {
	policy, err := access.Parse([]byte(`{"rules": [
		{"roles": ["r"], "resource": "issue", "operations": ["read", "update"], "using": {"title": "x"}, "check": {"comments": {"$where": "update"}}},
		{"roles": ["r"], "resource": "comment", "operations": ["read", "update"], "using": {"issue": {"$where": "update"}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Compile(teams()); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("got %v", err)
	}
}

// reviews is a model in which users review issues.
func reviews() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	return core.MustModel("reviews",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			id, {Name: "title", Type: core.Text}, {Name: "reviewers", ToMany: "user", Through: "review"},
		}},
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{id, {Name: "team", Type: core.Text}, {Name: "reviewed", ToMany: "issue", Through: "review"}}},
		core.ResourceSpec{Name: "review", Fields: []core.FieldSpec{
			id, {Name: "issue", ToOne: "issue"}, {Name: "user", ToOne: "user"}, {Name: "secret", Type: core.Bool, Default: false},
		}, Unique: [][]string{{"issue", "user"}}},
	)
}

func TestRulesCrossAJoinResource(t *testing.T) {
	policy, err := access.Parse([]byte(`{"rules": [
		{"name": "reviewers", "roles": ["authenticated"], "resource": "issue", "operations": ["read"],
			"using": {"reviewers": {"$any": {"id": {"$principal": "id"}}}}},
		{"name": "colleagues", "roles": ["authenticated"], "resource": "user", "operations": ["read"],
			"using": {"$or": [{"id": {"$principal": "id"}}, {"reviewed": {"$where": "read"}}]}},
		{"name": "open reviews", "roles": ["authenticated"], "resource": "review", "operations": ["read"],
			"using": {"secret": false}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	m := reviews()
	store, err := core.New(t.Context(), m, memory.New(), access.New(policy, access.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := fixture{T: t, store: store}
	s.add(m.Resource("issue"), map[string]any{"id": 1, "title": "a"}, map[string]any{"id": 2, "title": "b"}, map[string]any{"id": 3, "title": "c"})
	s.add(m.Resource("user"), map[string]any{"id": 1, "team": "x"}, map[string]any{"id": 2, "team": "y"}, map[string]any{"id": 3, "team": "z"})
	s.add(m.Resource("review"), map[string]any{"id": 1, "issue": 1, "user": 1}, map[string]any{"id": 2, "issue": 1, "user": 2},
		map[string]any{"id": 3, "issue": 2, "user": 2, "secret": true}, map[string]any{"id": 4, "issue": 3, "user": 3})
	s.is("a rule sees every link", s.read(user(2), "issue", core.Query{}), "issue{id:1 title:a}\nissue{id:2 title:b}")
	s.is("$where crosses the join resource", s.read(user(1), "user", core.Query{}), "user{id:1 team:x}\nuser{id:2 team:y}")
	by := func(team string) core.Query {
		return core.Query{Where: core.Related("reviewers", core.Eq("team", team))}
	}
	s.is("a filter sees the links and members that the principal can read", s.read(user(2), "issue", by("y")), "issue{id:1 title:a}")
	s.is("a member that is hidden", s.read(user(1), "issue", by("z")), "")
	s.is("of the program", s.read(core.PrincipalOf(core.System(t.Context())), "issue", by("y")), "issue{id:1 title:a}\nissue{id:2 title:b}")
}

func TestCompileReportsMistakesAboutListsThroughAJoinResource(t *testing.T) {
	for _, c := range []struct{ want, rule string }{
		{"fields: issue.reviewers is stored as review.issue and review.user; write a rule about review", `"fields": ["reviewers"]`},
		{"using: issue.reviewers is stored as review.issue and review.user; write a rule about review", `"using": {"reviewers": 1}`},
		{`using: issue.reviewers is to-many, and a path crosses to-ones only; use Related("reviewers", ...)`, `"using": {"reviewers.team": "x"}`},
		{`using: reviewers: user has no field "name"`, `"using": {"reviewers": {"$any": {"name": "x"}}}`},
		{`$where must be read, update or delete`, `"using": {"reviewers": {"$where": "insert"}}`},
	} {
		policy, err := access.Parse([]byte(`{"rules": [{"roles": ["r"], "resource": "issue", "operations": ["read"], ` + c.rule + `}]}`))
		if err == nil {
			_, err = policy.Compile(reviews())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", c.rule, err, c.want)
		}
	}
}
