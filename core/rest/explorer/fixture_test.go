package explorer_test

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/stamp"
)

// workshop is the model of the tests. Each record has an owner, which a new one gets from its principal.
func workshop() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	owner := core.FieldSpec{Name: "owner", Type: core.Text, Hidden: true}
	return core.MustModel("workshop",
		core.ResourceSpec{Name: "project", Description: "A body of work with its issues.", Fields: []core.FieldSpec{
			id, owner,
			{Name: "name", Type: core.Text, Required: true, MaxLength: 80, Unique: true},
			{Name: "description", Type: core.Text},
			{Name: "public", Type: core.Bool, Default: false},
			{Name: "issues", ToMany: "issue", Inverse: "project"},
		}},
		core.ResourceSpec{Name: "issue", Description: "Something to do, or to repair.", Fields: []core.FieldSpec{
			id, owner,
			{Name: "title", Type: core.Text, Required: true, MaxLength: 120, Searchable: true, Description: "What is wrong, in a few words."},
			{Name: "state", Type: core.Text, Transitions: map[string][]string{"": {"open"}, "open": {"working", "closed"}, "working": {"closed"}, "closed": {"open"}}},
			{Name: "priority", Type: core.Text, OneOf: []any{"low", "normal", "high"}, Default: "normal"},
			{Name: "project", ToOne: "project", OnDelete: core.Cascade},
			{Name: "assignee", ToOne: "person"},
			{Name: "labels", ToMany: "label", Through: "issue_label"},
			{Name: "points", Type: core.Int, Min: 0, Max: 100},
			{Name: "effort", Type: core.Decimal},
			{Name: "due", Type: core.Date},
			{Name: "text", Type: core.Text, Searchable: true},
			{Name: "details", Type: core.JSON},
			{Name: "cost", Type: core.Decimal, Description: "Internal."},
			{Name: "code", APIName: "code-name", Type: core.Text, ReadOnly: true, Default: "none"},
			{Name: "log", Type: core.Text, OnDemand: true},
		}},
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
			{Name: "login", Type: core.Text, Key: true}, owner,
			{Name: "name", Type: core.Text},
			{Name: "email", Type: core.Text},
			{Name: "assigned", ToMany: "issue", Inverse: "assignee"},
		}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{
			id, owner,
			{Name: "name", Type: core.Text, Required: true},
			{Name: "issues", ToMany: "issue", Through: "issue_label"},
		}},
		core.ResourceSpec{Name: "issue_label", Fields: []core.FieldSpec{
			id, owner, {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"},
		}, Unique: [][]string{{"issue", "label"}}},
		core.ResourceSpec{Name: "currency", ReadOnly: true, Fields: []core.FieldSpec{
			{Name: "code", Type: core.Text, Key: true}, owner, {Name: "name", Type: core.Text},
		}},
	)
}

// markup is a text that must appear as it is.
const markup = `<script>alert("x")</script><b title='y'>&amp;`

// rows are the records of the tests. bob owns hidden ones.
func rows() seed.Data {
	return seed.Data{
		"project": {
			1: {"owner": "alice", "name": "Mill", "description": "The mill of the analytical engine.", "public": true},
			2: {"owner": "alice", "name": "Store", "description": markup},
			3: {"owner": "bob", "name": "Hidden", "description": "Nobody but bob knows it."},
		},
		"person": {
			"ada": {"owner": "alice", "name": "Ada Lovelace", "email": "ada@example.com"}, "$charles/b": {"owner": "alice", "name": "Charles Babbage"},
			"eve": {"owner": "bob", "name": "Eve"},
		},
		"issue": {
			1: {
				"owner": "alice", "title": "Gears slip under load", "state": "open", "priority": "high", "project": 1, "assignee": "ada", "points": 5,
				"effort": "2.50", "due": "2026-12-24", "text": "The teeth of the third column are worn.\n\nReplace them.", "details": map[string]any{"column": 3, "teeth": []any{7, 9}},
				"cost": "99", "log": "oiled twice",
			},
			2: {"owner": "alice", "title": "Columns stick in the cold", "state": "working", "project": 2, "assignee": "$charles/b", "points": 8, "text": markup},
			3: {"owner": "alice", "title": markup, "state": "closed", "project": 1},
			4: {"owner": "bob", "title": "Hidden issue", "project": 1, "assignee": "ada"},
			5: {"owner": "alice", "title": "Cards jam when it is damp", "state": "open", "priority": "low", "project": 1, "assignee": "eve"},
		},
		"label":       {1: {"owner": "alice", "name": "urgent"}, 2: {"owner": "alice", "name": "question"}, 3: {"owner": "bob", "name": "hidden label"}},
		"issue_label": {1: {"owner": "alice", "issue": 1, "label": 1}, 2: {"owner": "bob", "issue": 1, "label": 2}},
		"currency":    {"EUR": {"owner": "alice", "name": "Euro"}},
	}
}

// members may use their own records, but neither read nor write the field cost, and not delete labels. viewers read.
func members() access.Policy {
	fields := func(resource string, without ...string) (names []string) {
		for _, f := range workshop().Resource(resource).Fields() {
			if f.Stored() && !slices.Contains(without, f.Name()) {
				names = append(names, f.Name())
			}
		}
		return names
	}
	own := access.Eq("owner", access.PrincipalID())
	var policy access.Policy
	for _, r := range workshop().Resources() {
		writes := access.Read | access.Insert | access.Update
		if r.Name() != "label" {
			policy = append(policy, access.Rule{Roles: []string{"member"}, Resource: r.Name(), Operations: access.Delete, Using: own})
		}
		policy = append(policy,
			access.Rule{Roles: []string{"member"}, Resource: r.Name(), Operations: writes, Using: own, Check: own, Fields: fields(r.Name(), "cost")},
			access.Rule{Roles: []string{"viewer"}, Resource: r.Name(), Operations: access.Read, Fields: fields(r.Name(), "cost", "email", "text")},
		)
	}
	return policy
}

// tokens are the bearer tokens of the tests.
var tokens = map[string]*core.Principal{
	"alice-token": {ID: core.TextValue("alice"), Roles: []string{"member"}},
	"bob-token":   {ID: core.TextValue("bob"), Roles: []string{"member"}},
	"view-token":  {ID: core.TextValue("vera"), Roles: []string{"viewer"}},
}

func authenticate(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	token, _ := strings.CutPrefix(header, "Bearer ")
	if p := tokens[token]; p != nil || header == "" {
		return p, nil
	}
	return nil, core.Unauthorized
}

// site is an explorer over a store.
type site struct {
	store  *core.Store
	engine *engine.Engine
	api    http.Handler
	pages  http.Handler
}

// open returns a site with the records. Without tokens, everybody may do everything.
func open(tb testing.TB, data seed.Data, opts explorer.Options, limits engine.Options) site {
	tb.Helper()
	var decorators []core.Decorator
	restOptions := rest.Options{Prefix: opts.Prefix, Logger: slog.New(slog.DiscardHandler)}
	if opts.SignIn {
		decorators = []core.Decorator{access.New(members(), access.Options{}), stamp.New(stamp.Options{CreatedBy: "owner"})} // new records belong to their author
		restOptions.Authenticate = authenticate
	}
	store, err := core.New(tb.Context(), workshop(), memory.NewWith(data), decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	s := site{store: store, engine: engine.New(store, limits)}
	if s.api, err = rest.New(s.engine, restOptions); err != nil {
		tb.Fatal(err)
	}
	opts.Title = cmp.Or(opts.Title, "Workshop")
	if s.pages, err = explorer.New(s.api, s.engine, opts); err != nil {
		tb.Fatal(err)
	}
	return s
}
