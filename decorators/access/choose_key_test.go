package access_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
)

// garden has keys that the backend generates, of type int and uuid, and assigned ones.
// The setter of a computed field makes the engine allocate a key before the insert.
func garden() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	name := core.FieldSpec{Name: "name", Type: core.Text}
	return core.MustModel("garden",
		core.ResourceSpec{Name: "bed", Fields: []core.FieldSpec{id, name, {Name: "plants", ToMany: "plant", Inverse: "bed"}}},
		core.ResourceSpec{Name: "plant", Fields: []core.FieldSpec{id, name, {Name: "bed", ToOne: "bed"}, {Name: "label", Computed: &core.Computed{
			Get: func(_ context.Context, rec core.Record) (any, error) { return rec.Get("name").Any(), nil },
			Set: func(_ context.Context, _ core.Record, value any) (map[string]any, error) {
				return map[string]any{"name": value}, nil
			},
		}}}},
		core.ResourceSpec{Name: "tool", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, name}},
		core.ResourceSpec{Name: "seed", Fields: []core.FieldSpec{{Name: "code", Type: core.Text, Key: true}, name}},
	)
}

// gardeners may create records, and heads choose their keys.
func gardeners() access.Policy {
	var policy access.Policy
	for _, r := range garden().Resources() {
		policy = append(policy,
			access.Rule{Roles: []string{"gardener"}, Resource: r.Name(), Operations: access.Read | access.Insert | access.Update},
			access.Rule{Roles: []string{"head"}, Resource: r.Name(), Operations: access.Read | access.Insert | access.Update | access.ChooseKey},
		)
	}
	return policy
}

// asJSON returns the policy of gardeners as Parse reads it.
func asJSON(t *testing.T) access.Policy {
	t.Helper()
	var rules []string
	for _, r := range garden().Resources() {
		rules = append(rules,
			`{"roles": ["gardener"], "resource": "`+r.Name()+`", "operations": ["read", "insert", "update"]}`,
			`{"roles": ["head"], "resource": "`+r.Name()+`", "operations": ["read", "insert", "update", "choose_key"]}`)
	}
	policy, err := access.Parse([]byte(`{"rules": [` + strings.Join(rules, ", ") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// gardenOn returns a function that sends a request as a principal with the role, or as anonymous for "", and returns the
// status and the body of the answer.
func gardenOn(t *testing.T, backend core.Backend, policy access.Policy) func(role, method, path, body string) string {
	t.Helper()
	store, err := core.New(t.Context(), garden(), backend, access.New(policy, access.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{
		Authenticate: func(r *http.Request) (*core.Principal, error) {
			if role := r.Header.Get("Role"); role != "" {
				return user(1, role), nil
			}
			return nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(role, method, path, body string) string {
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Role", role)
		res := httptest.NewRecorder()
		handler.ServeHTTP(res, req)
		return strings.TrimSpace(http.StatusText(res.Code) + " " + res.Body.String())
	}
}

func choosesKeys(t *testing.T, backend core.Backend, policy access.Policy) {
	t.Helper()
	ask := gardenOn(t, backend, policy)
	const uuid = "00000000-0000-0000-0000-000000000001"
	forbidden := func(resource string) string {
		return `Forbidden {"error":{"code":"FORBIDDEN","message":"You may not do this with ` + resource + `.","details":{"object_name":"` + resource + `"}}}`
	}
	for _, x := range []struct{ role, method, path, body, want string }{
		{"gardener", "POST", "/plant", `{"name": "a"}`, `Created {"id":1,`},
		{"gardener", "PUT", "/plant/50", `{"name": "b"}`, forbidden("plant")},
		{"gardener", "PUT", "/tool/" + uuid, `{"name": "b"}`, forbidden("tool")},
		{"", "PUT", "/plant/50", `{"name": "b"}`, `Unauthorized {"error":{"code":"UNAUTHORIZED"`},
		{"head", "GET", "/plant?depth=0", "", `OK [1]`},
		{"head", "GET", "/tool?depth=0", "", `OK []`},
		// These need no right: an update, a key that the store allocates for a setter or for nested records, and a key
		// that the backend cannot generate.
		{"gardener", "PUT", "/plant/1", `{"name": "c"}`, `OK {"id":1,"name":"c"`},
		{"gardener", "POST", "/plant", `{"label": "d"}`, `Created {"id":2,"name":"d"`},
		{"gardener", "POST", "/bed", `{"plants": [{"name": "e"}, {"label": "f"}]}`, `Created {"id":1,`},
		{"gardener", "POST", "/plant", `{"label": "g", "bed": {"name": "h"}}`, `Created {"id":5,"name":"g","bed":2`},
		{"gardener", "PATCH", "/bed/1", `{"plants": [{"label": "i"}]}`, `OK {"id":1,`},
		{"gardener", "PUT", "/seed/x", `{"name": "j"}`, `Created {"code":"x"`},
		{"gardener", "POST", "/seed", `{"code": "y"}`, `Created {"code":"y"`},
		{"head", "PUT", "/plant/50", `{"name": "k"}`, `Created {"id":50,"name":"k"`},
		{"head", "PUT", "/plant/51", `{"label": "l"}`, `Created {"id":51,"name":"l"`},
		{"head", "PUT", "/bed/50", `{"plants": [{"label": "m"}]}`, `Created {"id":50,`},
		{"head", "PUT", "/tool/" + uuid, `{}`, `Created {"id":"` + uuid},
		{"gardener", "PUT", "/plant/50", `{"name": "n"}`, `OK {"id":50,"name":"n"`},
	} {
		if got := ask(x.role, x.method, x.path, x.body); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s %s %s %s\ngot  %s\nwant %s", x.role, x.method, x.path, x.body, got, x.want)
		}
	}
}

func TestChooseKeyIsARightOfItsOwn(t *testing.T) {
	t.Run("Go policy", func(t *testing.T) { choosesKeys(t, memory.New(), gardeners()) })
	t.Run("JSON policy", func(t *testing.T) { choosesKeys(t, memory.New(), asJSON(t)) })
}

func TestChooseKeyInPostgreSQL(t *testing.T) {
	b, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	choosesKeys(t, b, gardeners())
}

func TestDeniedKeyRevealsNoHiddenRow(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read | access.Insert, Using: access.Eq("baker", access.PrincipalID())},
	})
	for what, id := range map[string]int{"hidden": 3, "absent": 99} {
		_, err := s.store.Insert(s.as(user(1, "baker")), s.bread, s.record(s.bread, map[string]any{"id": id, "baker": 1}))
		s.is(what, core.AsError(err).Error(),
			`FORBIDDEN object_name="Bread": access: choose_key of bread is denied: rule 1 does not permit choose_key`)
	}
	s.is("stored", s.stored(3), newFixture(t, nil).stored(3))
	s.is("absent", s.stored(99), public(s.bread.NotFound(core.IntValue(99))))
}

func TestOneRuleMustPermitTheWholeInsert(t *testing.T) {
	s := newFixture(t, access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert | access.ChooseKey,
			Fields: []string{"name", "baker"}, Check: access.Eq("baker", access.PrincipalID())},
	})
	insert := func(rows ...map[string]any) string {
		var records []core.Record
		for _, row := range rows {
			records = append(records, s.record(s.bread, row))
		}
		_, err := s.store.Insert(s.as(user(1, "baker")), s.bread, records...)
		if err != nil {
			return public(err)
		}
		return "stored"
	}
	s.is("both", insert(map[string]any{"id": 50, "name": "x", "baker": 1}), "stored")
	s.is("no key", insert(map[string]any{"name": "x", "price": 5}), "stored")
	s.is("a field", insert(map[string]any{"id": 51, "baker": 1, "price": 5}), `FIELD_IS_READONLY object_name="Bread" field_name="Price"`)
	s.is("the check", insert(map[string]any{"id": 52, "baker": 2}), `FORBIDDEN object_name="Bread"`)
	s.is("one of several", insert(map[string]any{"baker": 2}, map[string]any{"id": 53, "baker": 1}), `FORBIDDEN object_name="Bread"`)
}

func TestExplainChooseKey(t *testing.T) {
	c, err := access.Policy{
		{Name: "bake", Roles: []string{"baker"}, Resource: "bread", Operations: access.Insert},
		{Name: "number", Roles: []string{"chief"}, Resource: "bread", Operations: access.Insert | access.ChooseKey, Check: access.Eq("baker", access.PrincipalID())},
	}.Compile(bakery())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		principal *core.Principal
		what      access.Operation
		err, want string
	}{
		{user(1, "baker"), access.Insert, "", "insert of bread is allowed: rule 1 (bake) applies; rule 2 (number) is for chief"},
		{user(1, "baker"), access.ChooseKey, `FORBIDDEN object_name="Bread"`,
			"choose_key of bread is denied: rule 1 (bake) does not permit choose_key; rule 2 (number) is for chief"},
		{user(1, "chief"), access.ChooseKey, "", "choose_key of bread is allowed: rule 1 (bake) is for baker; rule 2 (number) applies"},
		{nil, access.ChooseKey, "UNAUTHORIZED", "choose_key of bread is denied: rule 1 (bake) is for baker; rule 2 (number) is for chief"},
	} {
		e, got := c.Explain(x.principal, x.what, "bread"), ""
		if e.Err != nil {
			got = public(e.Err)
		}
		if got != x.err || e.String() != x.want || e.Allowed() != (x.err == "") {
			t.Errorf("%v %v: got %s, %s; want %s, %s", x.principal, x.what, got, e, x.err, x.want)
		}
	}
	if e := c.Explain(user(1, "chief"), access.ChooseKey, "bread"); e.Check.String() != "baker = [1]" {
		t.Errorf("check %v", e.Check)
	}
}
