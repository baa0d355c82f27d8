package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

func id() core.FieldSpec { return core.FieldSpec{Name: "id", Type: core.Int, Key: true} }

func cookies(tb testing.TB) *core.Model {
	tb.Helper()
	m, err := core.NewModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id(),
			{Name: "type", Type: core.Text},
			{Name: "price", APIName: "cost", Type: core.Float, Default: 1},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			id(),
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
			{Name: "label", Type: core.Text, Unique: true},
		}},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestNewModelReportsEveryMistake(t *testing.T) {
	get := &core.Computed{Get: func(context.Context, core.Record) (any, error) { return nil, nil }}
	_, err := core.NewModel("bad",
		core.ResourceSpec{Name: "empty"},
		core.ResourceSpec{Name: "twice", Fields: []core.FieldSpec{id()}},
		core.ResourceSpec{Name: "twice", Fields: []core.FieldSpec{id()}},
		core.ResourceSpec{Name: "other", APIName: "empty", Fields: []core.FieldSpec{id()}},
		core.ResourceSpec{Name: "keys", Fields: []core.FieldSpec{
			id(), {Name: "second", Type: core.Int, Key: true},
		}},
		core.ResourceSpec{Name: "floatkey", Fields: []core.FieldSpec{{Name: "id", Type: core.Float, Key: true, Hidden: true}}},
		core.ResourceSpec{Name: "hiddenkey", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true, Hidden: true}}},
		core.ResourceSpec{Name: "fields", Fields: []core.FieldSpec{
			id(),
			{Name: ""},
			{Name: "same", Type: core.Int},
			{Name: "same", Type: core.Int},
			{Name: "alias", APIName: "same", Type: core.Int},
			{Name: "nothing"},
			{Name: "badtype", Type: 77},
			{Name: "lost", ToOne: "nowhere"},
			{Name: "both", ToOne: "twice", ToMany: "twice"},
			{Name: "typed", ToOne: "twice", Type: core.Int},
			{Name: "calc", ToOne: "twice", Computed: get},
			{Name: "getless", Computed: &core.Computed{}},
			{Name: "scalarinverse", Type: core.Int, Inverse: "x"},
			{Name: "noinverse", ToMany: "twice", Inverse: "x"},
			{Name: "self", ToOne: "fields", Inverse: "self"},
			{Name: "tokey", ToMany: "twice", Inverse: "id"},
			{Name: "elsewhere", ToMany: "points", Inverse: "to"},
			{Name: "rulesonscalar", Type: core.Int, OnDelete: core.Cascade},
			{Name: "rulesoninverse", ToMany: "points", Inverse: "of", Orphans: core.DeleteOrphans},
			{Name: "badrule", ToOne: "twice", OnDelete: 4},
			{Name: "nolist", ToOne: "twice", Orphans: core.DeleteOrphans},
			{Name: "default", Type: core.Int, Default: "x"},
			{Name: "defaultfunc", Type: core.Text, Default: func() string { return "x" }},
			{Name: "listdefault", ToMany: "twice", Default: []int{1}},
			{Name: "unorderedjson", Type: core.JSON, Unordered: true},
			{Name: "unorderedjar", ToOne: "twice", Unordered: true},
			{Name: "searchednumber", Type: core.Int, Searchable: true},
			{Name: "searchedhidden", Type: core.Text, Hidden: true, Searchable: true},
			{Name: "demandedhidden", Type: core.Text, Hidden: true, OnDemand: true},
			{Name: "searchedcalc", Type: core.Text, Computed: get, Searchable: true},
			{Name: "uniquejson", Type: core.JSON, Unique: true},
			{Name: "calcreadonly", Computed: get, ReadOnly: true},
			{Name: "firstof", ToMany: "points", Inverse: "back"},
			{Name: "secondof", ToMany: "points", Inverse: "back"},
			{Name: "kept", Type: core.Int, Was: "kept"},
			{Name: "swapped", Type: core.Int, Was: "default"},
			{Name: "renamed", Type: core.Int, Was: "old"},
			{Name: "renamed too", Type: core.Int, Was: "old"},
			{Name: "control", Type: core.Int, Was: "a\nb"},
			{Name: "calcwas", Computed: get, Was: "calc_was"},
		}},
		core.ResourceSpec{
			Name: "indexes",
			Fields: []core.FieldSpec{
				id(), {Name: "a", Type: core.Int}, {Name: "b", Type: core.Text}, {Name: "doc", Type: core.JSON}, {Name: "at", Type: core.Time},
			},
			Unique: [][]string{{}, {"a"}, {"a", "-b"}, {"a", "id"}, {"b", "a"}},
			Indexes: []core.Index{
				{Fields: []string{"a", "nothing"}}, {Fields: []string{"a", "doc"}}, {Fields: []string{"a", "-a"}}, {Fields: []string{"id", "a"}},
				{Fields: []string{"b", "a"}, Unique: true}, {Fields: []string{"a"}, Where: core.Eq("none", 1)},
				{Fields: []string{"-a"}, Where: core.Gt("a", 1)}, {Fields: []string{"-b"}, Where: core.Eq("at", "2026-11-30T00:00:00Z")},
				{Fields: []string{"b"}, Where: core.Ne("a", 1)}, {Fields: []string{"b"}, Where: core.Eq("a", "x")},
			},
		},
		core.ResourceSpec{Name: "points", Fields: []core.FieldSpec{
			id(), {Name: "to", ToOne: "twice"}, {Name: "back", ToOne: "fields"}, {Name: "of", ToOne: "fields", Partner: core.RefusePartner},
		}},
		core.ResourceSpec{Name: "view", ReadOnly: true, Fields: []core.FieldSpec{id(), {Name: "cascades", ToOne: "twice", OnDelete: core.Cascade}}},
	)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`model "bad"`, `resource "empty": has no key; set Key on one field`, `resource "twice": declared twice`,
		`resource "other": another resource has the API name "empty"`, `resource "keys": field "id": has the name of the field that shows the key; set ResourceSpec.KeyName`,
		`resource "floatkey": field "id": a key must be int, text or uuid`, `resource "hiddenkey": field "id": a key cannot be hidden`,
		`field "": name must be non-empty`, `"same": declared twice`, `"alias": another field has the API name "same"`,
		`"nothing": needs a Type`, `"badtype": needs a Type`, `"lost": related resource "nowhere" does not exist`,
		`"both": is both to-one and to-many`, `"typed": a relation has no type of its own; remove Type`,
		`"calc": is both a relation and computed`, `"getless": is computed and needs a Get function`,
		`"scalarinverse": has an Inverse but no ToOne or ToMany`, `"noinverse": inverse twice.x does not exist`,
		`"self": is its own inverse`, `"tokey": inverse twice.id is not a stored to-one relation; name a ToOne that has no Inverse`,
		`"elsewhere": inverse points.to does not point back at "fields"`,
		`"rulesonscalar": only a stored to-one relation can have OnDelete`, `"rulesoninverse": only a stored to-one relation can have OnDelete`,
		`"badrule": OnDelete, Orphans or Partner has a value that is no constant`, `"nolist": Orphans needs a connected other side`,
		`"of": only the stored side of a one-to-one relation can have Partner`,
		`"default": default "x" does not fit type int`, `"defaultfunc": default is a func() string; a function must be a func() any`,
		`"listdefault": only a stored scalar or to-one relation can have a default`,
		`"unorderedjson": only a stored scalar of an ordered type, other than the key, can be Unordered`, `"unorderedjar": only a stored scalar`,
		`"searchednumber": only a stored text that is neither hidden nor a relation can be Searchable`, `"searchedhidden": only a stored text`, `"demandedhidden": a key or a hidden field cannot be OnDemand`, `"searchedcalc": only a stored text`,
		`"uniquejson": only a stored field of an ordered type can be Unique or Indexed`, `"calcreadonly": a computed field cannot have ReadOnly or Writable`,
		`"secondof": inverse points.back is already connected to fields.firstof`,
		`"kept": Was is its own name`, `"swapped": Was is the name of another field, "default"`,
		`"renamed too": Was is "old", as for field "renamed"`, `"control": Was has control characters`,
		`"calcwas": only a stored field can have Was`,
		`"indexes": index "": must have 1 to 16 fields`, `index "a": has one field, all records and no direction; set Indexed or Unique on the field`,
		`index "a, -b": is unique and has a direction`, `index "a, id": only the last field of an index that is not unique can be the key`,
		`index "a, nothing": field "nothing" does not exist`, `index "a, doc": field "doc" must be a stored field of an ordered type`,
		`index "a, -a": field "-a" occurs twice`, `index "id, a": only the last field`, `index "b, a": declared twice`,
		`index "a": condition: FIELD_DOES_NOT_EXIST`, `index "-a": the condition must be Eq, In, or Ne with nil`,
		`index "-b": the condition must compare fields of type bool, int, text or uuid`, `index "b": the condition must be Eq`,
		`index "b": condition: BAD_FIELD_VALUE`,
		`"cascades": a relation that a read-only resource stores cannot have OnDelete, Orphans or Partner`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestNewModelRequiresNameAndResources(t *testing.T) {
	if _, err := core.NewModel(""); err == nil || !strings.Contains(err.Error(), "has no resources; declare at least one") || !strings.Contains(err.Error(), "name") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheToOneSideOfAConnectedPairIsStored(t *testing.T) {
	m := cookies(t)
	jar, list := m.Resource("cookie").Field("jar"), m.Resource("jar").Field("cookies")
	if !jar.Stored() || list.Stored() || jar.Inverse() != list || list.Inverse() != jar {
		t.Error("the pair is not connected as declared")
	}
	if jar.Type() != core.Int || list.Type() != core.List || !jar.Indexed() || jar.Unique() {
		t.Error("wrong types or indexes")
	}
	if got := m.Resource("jar").Referrers(); len(got) != 1 || got[0] != jar {
		t.Errorf("referrers of jar: %v", got)
	}
}

func TestStoredSideOfAOneToOneRelationIsUnique(t *testing.T) {
	m := core.MustModel("family",
		core.ResourceSpec{Name: "male", Fields: []core.FieldSpec{id(), {Name: "wife", ToOne: "female"}}},
		core.ResourceSpec{Name: "female", Fields: []core.FieldSpec{id(), {Name: "husband", ToOne: "male", Inverse: "wife"}}},
	)
	wife := m.Resource("male").Field("wife")
	if !wife.Unique() || len(m.Resource("male").Uniques()) != 1 || len(m.Resource("female").Columns()) != 1 {
		t.Error("wife is not the stored, unique side")
	}
}

func TestIndexNamesItsVisibleFields(t *testing.T) {
	issue := core.MustModel("tracker", core.ResourceSpec{
		Name: "issue", APIName: "Issue",
		Fields: []core.FieldSpec{
			id(), {Name: "org", APIName: "Org", Type: core.Int}, {Name: "number", APIName: "No", Type: core.Int}, {Name: "secret", Type: core.Text, Hidden: true},
			{Name: "deleted", Type: core.Time},
		},
		Unique: [][]string{{"org", "number"}},
		Indexes: []core.Index{
			{Fields: []string{"secret", "org"}, Unique: true},
			{Fields: []string{"org", "-number", "-id"}, Where: core.Eq("deleted", nil)},
		},
	}).Resource("issue")
	both, one, live := issue.Indexes()[0], issue.Indexes()[1], issue.Indexes()[2]
	if got := both.AlreadyExists().Public(); got != `CONFLICT object_name="Issue" field_names=["Org","No"]` {
		t.Error(got)
	}
	if got := one.AlreadyExists().Public(); got != `CONFLICT object_name="Issue" field_name="Org"` {
		t.Error(got)
	}
	if order := live.Order(); len(order) != 3 || order[0].Desc || !order[1].Desc || order[2].Field != issue.Key() || live.String() != "org, -number, -id where deleted = [null]" {
		t.Errorf("%v, %s", order, live)
	}
	rec, err := issue.NewRecord(map[string]any{"id": 1, "org": 2, "number": 3, "deleted": nil})
	if err != nil {
		t.Fatal(err)
	}
	if got := both.AlreadyExistsWith(both.Claim(rec)); got.Value != core.ListOf(core.IntValue(2), core.IntValue(3)) {
		t.Error(got.Value)
	}
	if null := both.Claim(rec.With(2, core.Null)); null.IsSet() {
		t.Error(null)
	}
}

func TestLookupByAPIName(t *testing.T) {
	cookie := cookies(t).Resource("cookie")
	if cookie.FieldByAPIName("cost") != cookie.Field("price") || cookie.FieldByAPIName("price") != nil || cookie.Field("cost") != nil {
		t.Error("API names and names of the program are mixed up")
	}
}

func TestAPINamesAreLettersDigitsUnderscoresAndInnerHyphens(t *testing.T) {
	model := func(resource, field string) error {
		_, err := core.NewModel("m", core.ResourceSpec{Name: "r", APIName: resource, Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "f", APIName: field, Type: core.Int},
		}})
		return err
	}
	for _, name := range []string{"a", "Z", "_", "__x", "7", "a-b", "a--b", "a_1", "größe", "名前"} {
		if err := model(name, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		".", "..", "-", "-x", "x-", "cs@next", "$batch", "a b", "a.b", "a/b", "a,b", "a%", "a{b}", "a:b", "a=b", "a+b", "é\u0301", "a\n", "\xff", "²",
	} {
		const rule = `use letters, digits, "_" and inner "-"`
		for kind, err := range map[string]error{`resource "r": API name `: model(name, "f"), `resource "r": field "f": API name `: model("r", name)} {
			if want := kind + strconv.Quote(name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), rule) {
				t.Errorf("%q: %v, want %s", name, err, want)
			}
		}
	}
	_, err := core.NewModel("m", core.ResourceSpec{Name: "Order Details", Fields: []core.FieldSpec{{Name: "id no.", Type: core.Int, Key: true}}})
	if err == nil || !strings.Contains(err.Error(), `resource "Order Details": API name "Order Details" is not valid; set APIName`) ||
		!strings.Contains(err.Error(), `field "id no.": API name "id no." is not valid; set APIName`) {
		t.Errorf("names that are no API names: %v", err)
	}
}

func TestAnonymousHasNoRole(t *testing.T) {
	var anonymous *core.Principal
	alice := &core.Principal{ID: core.TextValue("alice"), Roles: []string{"baker"}}
	system := core.PrincipalOf(core.System(t.Context()))
	for _, c := range []struct {
		principal *core.Principal
		name      string
		baker     bool
		system    bool
	}{
		{anonymous, "anonymous", false, false}, {alice, "alice", true, false}, {system, "system", false, true},
	} {
		if c.principal.String() != c.name || c.principal.HasRole("baker") != c.baker || c.principal.HasRole("") || c.principal.IsSystem() != c.system {
			t.Errorf("%s", c.principal)
		}
	}
}

func TestLastPrincipalOfContextWins(t *testing.T) {
	alice, bob := &core.Principal{ID: core.IntValue(1)}, &core.Principal{ID: core.TextValue("1")}
	ctx := core.WithPrincipal(t.Context(), alice)
	if core.PrincipalOf(t.Context()) != nil || core.PrincipalOf(ctx) != alice || alice.ID == bob.ID {
		t.Error("not as set")
	}
	if inner := core.WithPrincipal(ctx, bob); core.PrincipalOf(inner) != bob || core.PrincipalOf(ctx) != alice {
		t.Error("an inner context changed the outer one")
	}
	if core.PrincipalOf(core.WithPrincipal(ctx, nil)) != nil {
		t.Error("the anonymous principal is not nil")
	}
}

func TestNumberedFieldsAreChecked(t *testing.T) {
	with := func(fields ...core.FieldSpec) error {
		fields = append([]core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "org", ToOne: "issue"}, {Name: "title", Type: core.Text}}, fields...)
		_, err := core.NewModel("m", core.ResourceSpec{Name: "issue", Fields: fields})
		return err
	}
	if err := with(core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "org"}); err != nil {
		t.Error(err)
	}
	const kind, group = "only a stored int can have NumberedBy", "must be a stored to-one relation or an Indexed field"
	for _, c := range []struct {
		field core.FieldSpec
		want  string
	}{
		{core.FieldSpec{Name: "n", Type: core.Text, NumberedBy: "org"}, kind},
		{core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "org", Unique: true}, kind},
		{core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "org", Default: 1}, kind},
		{core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "org", Unordered: true}, kind},
		{core.FieldSpec{Name: "n", ToOne: "issue", NumberedBy: "org"}, kind},
		{core.FieldSpec{Name: "n", ToMany: "issue", Inverse: "org", NumberedBy: "org"}, kind},
		{core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "title"}, group},
		{core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "n", Indexed: true}, group},
		{core.FieldSpec{Name: "n", Type: core.Int, NumberedBy: "nope"}, group},
	} {
		if err := with(c.field); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.field, err)
		}
	}
	fields := []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "a", Type: core.Int, Indexed: true}, {Name: "n", Type: core.Int, NumberedBy: "a"}}
	_, err := core.NewModel("m", core.ResourceSpec{Name: "issue", Fields: fields}, core.ResourceSpec{Name: core.CountersName, Fields: fields[:1]})
	if err == nil || !strings.Contains(err.Error(), "the name belongs to the counters") {
		t.Error(err)
	}
}

func TestCountersAreStoredAndNotListed(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	plain := core.MustModel("m", core.ResourceSpec{Name: core.CountersName, Fields: []core.FieldSpec{id}})
	m := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{id, {Name: "a", Type: core.Int, Indexed: true}, {Name: "n", Type: core.Int, NumberedBy: "a"}}})
	n := m.Resource("r").Field("n")
	if !n.ReadOnly() || n.NumberedBy() != m.Resource("r").Field("a") || m.Resource("r").Field("a").NumberedBy() != nil {
		t.Error("the field does not know its group")
	}
	stored := m.Stored()
	if len(plain.Stored()) != 1 || len(m.Resources()) != 1 || len(stored) != 2 || stored[1].Index() != 1 || m.Resource(core.CountersName) != nil {
		t.Errorf("%v %v %v", plain.Stored(), m.Resources(), stored)
	}
}

func TestRememberedAnswersAreStoredAndNotListed(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	fields := []core.FieldSpec{id, {Name: "a", Type: core.Int, Indexed: true}, {Name: "n", Type: core.Int, NumberedBy: "a"}}
	numbered, answers := core.ResourceSpec{Name: "r", Fields: fields}, core.ResourceSpec{Name: core.AnswersName}
	m := core.MustModel("m", answers, numbered)
	stored := m.Stored()
	if len(m.Resources()) != 1 || m.Resource(core.AnswersName) != nil || !m.RemembersAnswers() {
		t.Errorf("%v", m.Resources())
	}
	if len(stored) != 3 || stored[1].Name() != core.CountersName || stored[2].Name() != core.AnswersName || stored[2].Index() != 2 {
		t.Errorf("%v", stored)
	}
	plain := core.MustModel("m", plainSpec(id))
	if len(plain.Stored()) != 1 || plain.RemembersAnswers() {
		t.Errorf("%v", plain.Stored())
	}
	for _, second := range []core.ResourceSpec{answers, plainSpec(id)} {
		if _, err := core.NewModel("m", numbered, answers, second); err == nil || !strings.Contains(err.Error(), `"larder_answer": declared twice`) {
			t.Error(err)
		}
	}
	if _, err := core.NewModel("m", answers); err == nil || !strings.Contains(err.Error(), "has no resources") {
		t.Error(err)
	}
}

// plainSpec declares an ordinary resource with the name of the remembered answers.
func plainSpec(id core.FieldSpec) core.ResourceSpec {
	return core.ResourceSpec{Name: core.AnswersName, Fields: []core.FieldSpec{id}}
}

// tracker returns issues and labels, with the fields of the join resource and its options.
func tracker(join core.ResourceSpec, lists ...core.FieldSpec) (*core.Model, error) {
	join.Name = "issue_label"
	return core.NewModel("tracker",
		core.ResourceSpec{Name: "issue", Fields: append([]core.FieldSpec{id()}, lists...)},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id(), {Name: "issues", ToMany: "issue", Through: "issue_label"}}},
		join,
	)
}

func TestListThroughAJoinResource(t *testing.T) {
	labels := core.FieldSpec{Name: "labels", ToMany: "label", Through: "issue_label"}
	for name, join := range map[string]core.ResourceSpec{
		"key of both": {Fields: []core.FieldSpec{{Name: "issue", ToOne: "issue", Key: true}, {Name: "label", ToOne: "label", Key: true}}},
		"own key": {
			Fields: []core.FieldSpec{id(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}},
			Unique: [][]string{{"label", "issue"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := tracker(join, labels)
			if err != nil {
				t.Fatal(err)
			}
			list, link := m.Resource("issue").Field("labels"), m.Resource("issue_label")
			near, far := list.Through()
			back, forth := m.Resource("label").Field("issues").Through()
			if near != link.Field("issue") || far != link.Field("label") || back != far || forth != near {
				t.Errorf("the list goes through %v and %v, the other one through %v and %v", near, far, back, forth)
			}
			if list.Stored() || !list.Many() || list.Inverse() != nil || list.Type() != core.List || list.ReadOnly() {
				t.Error("the list is not a to-many relation that other records store")
			}
			if near.OnDelete() != core.Cascade || far.OnDelete() != core.Cascade {
				t.Errorf("a delete of an issue and of a label has the effects %s and %s on links", near.OnDelete(), far.OnDelete())
			}
			steps := list.Relations()
			if _, one := list.Relation(); one || len(steps) != 2 || steps[0] != (core.Relation{Stored: near, Reverse: true}) || steps[1] != (core.Relation{Stored: far}) {
				t.Errorf("the list takes the steps %v", steps)
			}
			if n, f := near.Through(); n != nil || f != nil || len(near.Relations()) != 1 || link.Key().Relations() != nil {
				t.Error("fields of the join resource are lists")
			}
			f, err := m.Resource("issue").Bind(core.Related("labels", core.Eq("id", 3)))
			if err != nil || f.String() != "(labels any (label any id = [3]))" {
				t.Errorf("the condition is %s, %v", f, err)
			}
		})
	}
}

func TestListThroughDeclaredRulesOfTheJoinResource(t *testing.T) {
	m, err := tracker(core.ResourceSpec{
		Fields:   []core.FieldSpec{id(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}},
		Unique:   [][]string{{"label", "issue"}},
		ReadOnly: true,
	}, core.FieldSpec{Name: "labels", ToMany: "label", Through: "issue_label"})
	if err != nil || !m.Resource("issue").Field("labels").ReadOnly() {
		t.Errorf("a list through a read-only resource: %v", err)
	}
	m, err = tracker(core.ResourceSpec{
		Fields: []core.FieldSpec{id(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label", OnDelete: core.Restrict}},
		Unique: [][]string{{"label", "issue"}},
	})
	if err != nil || m.Resource("issue_label").Field("label").OnDelete() != core.Restrict {
		t.Errorf("a declared OnDelete: %v", err)
	}
}

func TestListsThroughOneJoinResourceToItsOwnResource(t *testing.T) {
	follows := func(following, followers string, unique ...[]string) (*core.Model, error) {
		return core.NewModel("people",
			core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
				id(), {Name: "following", ToMany: "user", Through: following}, {Name: "followers", ToMany: "user", Through: followers},
			}},
			core.ResourceSpec{Name: "app.follow", APIName: "follow", Fields: []core.FieldSpec{
				id(), {Name: "follower", ToOne: "user"}, {Name: "followee", ToOne: "user"},
			}, Unique: unique},
		)
	}
	m, err := follows("app.follow.followee", "app.follow.follower", []string{"follower", "followee"})
	if err != nil {
		t.Fatal(err)
	}
	near, far := m.Resource("user").Field("following").Through()
	if near.Name() != "follower" || far.Name() != "followee" {
		t.Errorf("following goes through %s and %s", near, far)
	}
	_, err = follows("app.follow", "app.follow.id", []string{"follower", "followee"})
	for _, want := range []string{
		`field "following": Through: several relations lead to "user"; name one of them: "app.follow.followee" or "app.follow.follower"`,
		`field "followers": Through: app.follow.id is no stored to-one relation to "user"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s\n%v", want, err)
		}
	}
}

func TestNewModelReportsMistakesOfThrough(t *testing.T) {
	issue, label := core.FieldSpec{Name: "issue", ToOne: "issue"}, core.FieldSpec{Name: "label", ToOne: "label"}
	labels := core.FieldSpec{Name: "labels", ToMany: "label", Through: "issue_label"}
	unique := [][]string{{"issue", "label"}}
	with := func(change func(*core.FieldSpec)) core.FieldSpec {
		f := labels
		change(&f)
		return f
	}
	for _, c := range []struct {
		name string
		join core.ResourceSpec
		list core.FieldSpec
		want string
	}{
		{"missing resource", core.ResourceSpec{}, with(func(f *core.FieldSpec) { f.Through = "tag.issue" }), `Through: resource "tag.issue" does not exist`},
		{"one of the two", core.ResourceSpec{}, with(func(f *core.FieldSpec) { f.Through = "label" }), `Through: "label" is one of the two resources`},
		{"no relation to the owner", core.ResourceSpec{Fields: []core.FieldSpec{id(), label}}, labels, `Through: "issue_label" has no stored to-one relation to "issue"`},
		{"no relation to the member", core.ResourceSpec{Fields: []core.FieldSpec{id(), issue}}, labels, `Through: "issue_label" has no stored to-one relation to "label"`},
		{"no unique pair", core.ResourceSpec{Fields: []core.FieldSpec{id(), issue, label}}, labels, `make the relation to "issue" and the one to "label" its key, or name both in a Unique`},
		{
			"unique pair of some records",
			core.ResourceSpec{Fields: []core.FieldSpec{id(), issue, label}, Indexes: []core.Index{{Fields: unique[0], Unique: true, Where: core.Ne("issue", nil)}}},
			labels, `or name both in a Unique`,
		},
		{
			"unique with a third field",
			core.ResourceSpec{Fields: []core.FieldSpec{id(), issue, label, {Name: "by", Type: core.Int}}, Unique: [][]string{{"issue", "label", "by"}}},
			labels, `or name both in a Unique`,
		},
		{
			"two relations to the member",
			core.ResourceSpec{Fields: []core.FieldSpec{id(), issue, label, {Name: "former", ToOne: "label"}}, Unique: [][]string{{"issue", "label"}, {"issue", "former"}}},
			labels, `name one of them: "issue_label.label" or "issue_label.former"`,
		},
		{
			"two relations to the owner",
			core.ResourceSpec{Fields: []core.FieldSpec{id(), issue, label, {Name: "copied", ToOne: "issue"}}, Unique: [][]string{{"issue", "label"}, {"copied", "label"}}},
			labels, `issue_label.issue and issue_label.copied both form a unique pair with issue_label.label`,
		},
		{
			"assigned key",
			core.ResourceSpec{Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true, Assigned: true}, issue, label}, Unique: unique},
			labels, `whose key is Assigned; set ReadOnly on the field`,
		},
		{"to-one", core.ResourceSpec{}, with(func(f *core.FieldSpec) { f.ToMany, f.ToOne = "", "label" }), `has Through but no ToMany`},
		{"inverse", core.ResourceSpec{}, with(func(f *core.FieldSpec) { f.Inverse = "issues" }), `has Through and Inverse`},
		{"rule", core.ResourceSpec{}, with(func(f *core.FieldSpec) { f.OnDelete = core.Cascade }), `only a stored to-one relation can have OnDelete`},
		{"default", core.ResourceSpec{}, with(func(f *core.FieldSpec) { f.Default = []any{} }), `only a stored scalar or to-one relation can have a default`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.join.Fields == nil {
				c.join = core.ResourceSpec{Fields: []core.FieldSpec{id(), issue, label}, Unique: unique}
			}
			_, err := tracker(c.join, c.list)
			if err == nil || !strings.Contains(err.Error(), `resource "issue": field "labels": `) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

const module = "github.com/larder-go/larder/"

type listed struct {
	ImportPath string
	Standard   bool
	Deps       []string
	Imports    []string
}

// packages returns the packages of the module and their dependencies, from go list.
func packages(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Deps,Imports", "../...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := make(map[string]listed)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p
	}
}

func TestCoreEngineAndRestUseTheStandardLibraryOnly(t *testing.T) {
	all := packages(t)
	for _, name := range []string{"core", "core/engine", "core/rest"} {
		p, ok := all[module+name]
		if !ok {
			t.Errorf("package %s is not there", name)
		}
		for _, dep := range p.Deps {
			if !all[dep].Standard && !strings.HasPrefix(dep, module+"core") || dep == module+"core/memtable" {
				t.Errorf("%s links %s", name, dep)
			}
		}
	}
}

func TestImportArrowsPointOneWay(t *testing.T) {
	for path, p := range packages(t) {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module)
			if ours && !mayImport(name, other) {
				t.Errorf("%s imports %s", name, other)
			}
		}
	}
}

// mayImport reports whether package name may import package other, both of this module: core imports core, backends and
// decorators import core and their own folder, the cookbook imports everything.
func mayImport(name, other string) bool {
	top := func(s string) string { return strings.Split(s, "/")[0] }
	folder := func(s string) string { return strings.Join(strings.SplitN(s, "/", 3)[:2], "/") }
	switch top(name) {
	case "core":
		return top(other) == "core"
	case "backends", "decorators":
		return top(other) == "core" || strings.Contains(other, "/") && folder(other) == folder(name)
	case "cookbook":
		return true
	}
	return false
}

func TestDriverImportsAreConfined(t *testing.T) {
	homes := map[string]string{
		"go.uber.org/zap": "decorators/logging", "golang.org/x/time": "decorators/limit", "go.opentelemetry.io": "decorators/tracing", "github.com/prometheus/client_golang": "decorators/metrics",
		"github.com/jackc/pgx": "backends/postgres", "github.com/tidwall/btree": "core/memtable",
		"github.com/santhosh-tekuri/jsonschema": "core/jsonschema", "github.com/swaggest/swgui": "core/rest/swaggerui",
		"github.com/golang-jwt/jwt": "cookbook/", "github.com/MicahParks/jwkset": "cookbook/authentication",
	}
	for path, p := range packages(t) {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		for dep, home := range homes {
			if strings.HasPrefix(name, "cookbook") && !strings.HasPrefix(home, "cookbook") {
				continue // programs may use the libraries of the packages that they show
			}
			imports := slices.ContainsFunc(p.Imports, func(s string) bool { return strings.HasPrefix(s, dep) })
			if imports && !strings.HasPrefix(name, home) {
				t.Errorf("%s imports %s, which only %s may", name, dep, home)
			}
		}
	}
}

func TestKeepIsForPlainReferences(t *testing.T) {
	key := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	for name, c := range map[string]struct {
		resources []core.ResourceSpec
		want      string
	}{
		"one-to-one": {
			[]core.ResourceSpec{
				{Name: "a", Fields: []core.FieldSpec{key, {Name: "b", ToOne: "b", OnDelete: core.Keep}}},
				{Name: "b", Fields: []core.FieldSpec{key, {Name: "a", ToOne: "a", Inverse: "b"}}},
			},
			`resource "a": field "b": a one-to-one relation cannot have OnDelete Keep; make the other side a ToMany`,
		},
		"link": {
			[]core.ResourceSpec{
				{Name: "a", Fields: []core.FieldSpec{key, {Name: "bs", ToMany: "b", Through: "link"}}},
				{Name: "b", Fields: []core.FieldSpec{key}},
				{Name: "link", Fields: []core.FieldSpec{{Name: "a", ToOne: "a", Key: true, OnDelete: core.Keep}, {Name: "b", ToOne: "b", Key: true}}},
			},
			`resource "a": field "bs": Through: a relation of "link" has OnDelete Keep; a link ends with its targets, so remove OnDelete`,
		},
	} {
		_, err := core.NewModel("kept", c.resources...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	m := core.MustModel("kept", core.ResourceSpec{Name: "a", Fields: []core.FieldSpec{key, {Name: "of", ToOne: "a", OnDelete: core.Keep}}})
	if a := m.Resource("a"); len(a.Referrers()) != 0 || len(a.References()) != 1 || !a.Field("of").Keeps() || !a.Field("of").Indexed() {
		t.Errorf("referrers %v, references %v", a.Referrers(), a.References())
	}
}
