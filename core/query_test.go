package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

func TestOrderByPath(t *testing.T) {
	s := teamsStore(t, hide("org", core.Ne("name", "art")))
	ctx, issue := t.Context(), s.Model().Resource("issue")
	for order, c := range map[string]struct {
		system, anyone string
		err            *core.Error
	}{
		"project.name":                          {"[1,2,3]", "[1,2,3]", nil},
		"-project.name":                         {"[3,2,1]", "[3,2,1]", nil},
		"project.org.name":                      {"[2,1,3]", "[1,2,3]", nil},
		"-project.org.name":                     {"[3,1,2]", "[2,3,1]", nil},
		"parent.project.org":                    {"[2,1,3]", "[2,1,3]", nil},
		"-parent.parent.project.id":             {"[1,2,3]", "[1,2,3]", nil},
		"labels.name":                           {err: &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "labels"}},
		"children.id":                           {err: &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "children"}},
		"id.name":                               {err: &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "id"}},
		"project.title":                         {err: &core.Error{Code: core.UnknownField, Resource: "project", Field: "title"}},
		"project.":                              {err: &core.Error{Code: core.UnknownField, Resource: "project"}},
		"project.issues":                        {err: &core.Error{Code: core.SearchForbidden, Resource: "project", Field: "issues"}},
		"parent.parent.parent.parent.parent.id": {"[1,2,3]", "[1,2,3]", nil},
		"parent.parent.parent.parent.parent.parent.id": {err: &core.Error{Code: core.BadParam}},
	} {
		for ctx, want := range map[context.Context]string{ctx: c.anyone, core.System(ctx): c.system} {
			var got []core.Value
			q := core.Query{Order: []string{order}, Limit: 1, Fields: []string{}}
			page, err := s.Select(ctx, issue, q)
			for err == nil {
				got = append(got, keysOf(page.Records)...)
				if q.After = page.Next; q.After == "" {
					break
				}
				page, err = s.Select(ctx, issue, q)
			}
			e, _ := errors.AsType[*core.Error](err)
			switch {
			case c.err != nil:
				if e == nil || e.Code != c.err.Code || e.Resource != c.err.Resource || e.Field != c.err.Field {
					t.Errorf("%s: %v, want %v", order, err, c.err)
				}
			case err != nil || core.ListOf(got...).Text() != want:
				t.Errorf("%s: %v, %v, want %s", order, got, err, want)
			}
		}
	}
}

// TestCursorOfAPath continues after each record, with values that fit into a cursor and with longer ones, also if a page
// ends early.
func TestCursorOfAPath(t *testing.T) {
	for _, length := range []int{1, 5000} {
		s := teamsStore(t, hide("project", core.Ne("name", "hidden")))
		ctx, project, issue := t.Context(), s.Model().Resource("project"), s.Model().Resource("issue")
		for i := range 6 {
			at := insert(t, s, project, map[string]any{"name": strings.Repeat("x", length) + string(rune('f'-i))})
			insert(t, s, issue, map[string]any{"project": at.Key()})
			insert(t, s, issue, map[string]any{"project": at.Key()})
		}
		for _, order := range []string{"project.name", "-project.name"} {
			q := core.Query{Order: []string{order}}
			whole, err := s.Select(ctx, issue, q)
			if err != nil || len(whole.Records) != 15 {
				t.Fatalf("%d records, %v", len(whole.Records), err)
			}
			for i := range whole.Records {
				next, err := whole.CursorAfter(i)
				if err != nil || len(next) >= 2048 {
					t.Fatalf("%d bytes, %v", len(next), err)
				}
				rest, err := s.Select(ctx, issue, core.Query{Order: q.Order, After: next})
				if want := keysOf(whole.Records[i+1:]); err != nil || !slices.Equal(keysOf(rest.Records), want) {
					t.Errorf("%s, length %d, after %d: got %v, %v, want %v", order, length, i, keysOf(rest.Records), err, want)
				}
			}
		}
	}
}

func TestGuardIsNoPartOfTheCursor(t *testing.T) {
	s := teamsStore(t, policy(func(op *core.Op) error {
		if op.Kind == core.Visibility {
			op.Guard(core.Ne("id", op.Principal.ID.Any()))
		}
		return nil
	}))
	member := s.Model().Resource("member")
	var cursors []core.Cursor
	for n := range int64(2) {
		ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(10 + n)})
		page, err := s.Select(ctx, member, core.Query{Where: core.Related("user", core.All()), Order: []string{"-user.name"}, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		cursors = append(cursors, page.Next)
	}
	if cursors[0] != cursors[1] || cursors[0] == "" {
		t.Errorf("cursors: %q", cursors)
	}
}

func TestSearchBindsToSearchableFields(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{
			id(), {Name: "title", Type: core.Text, Searchable: true}, {Name: "text", APIName: "body", Type: core.Text, Searchable: true}, {Name: "draft", Type: core.Text},
		}},
		core.ResourceSpec{Name: "tag", APIName: "Tag", Fields: []core.FieldSpec{id(), {Name: "page", ToOne: "page"}}},
	)
	page, tag := m.Resource("page"), m.Resource("tag")
	f, err := page.Bind(core.Not(core.Search(" Foo  ba\"r ")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.String(), `(not (search "Foo" "ba\"r"))`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := core.Search("a b").String(); got != "(search ? ?)" {
		t.Errorf("unbound: %s", got)
	}
	if got := fmt.Sprint(f.Fields()); got != "[page.title page.text]" { // an op of a decorator has no guards, so policies check the fields
		t.Errorf("fields %s", got)
	}
	if core.Search(" \t\n ").Kind() != core.FilterAll {
		t.Error("a search without words is a condition")
	}
	rec, err := page.NewRecord(map[string]any{"id": 1, "title": "some FOO", "text": "BA\"R", "draft": "baz"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"foo ba\"r": true, "foo baz": false, "FOO some": true, "o": true} {
		bound, err := page.Bind(core.Search(text))
		if got := matches(t, bound, rec); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, c := range []struct {
		r        *core.Resource
		text     string
		accepted string
	}{
		{tag, "a", "no search, because Tag has no searchable field"},
		{page, strings.Repeat("a ", 17), "at most 16 words and 1000 bytes"},
		{page, strings.Repeat("a", 1001), "at most 16 words and 1000 bytes"},
		{page, "a\xff", "valid UTF-8 without NUL"},
		{page, "a\x00", "valid UTF-8 without NUL"},
	} {
		_, err := c.r.Bind(core.Search(c.text))
		if e := core.AsError(err); err == nil || e.Code != core.BadParam || e.Param != "search" || e.Accepted != c.accepted {
			t.Errorf("%.20q: %v", c.text, err)
		}
	}
	if _, err := tag.Bind(f); !errors.Is(err, core.ServerError) {
		t.Errorf("a search of another resource: %v", err)
	}
	if bound, err := tag.Bind(core.Related("page", core.Search("a"))); err != nil || bound.String() != `(page any (search "a"))` {
		t.Errorf("a related search: %v, %v", bound, err)
	}
}

func TestSearchAsksForEachField(t *testing.T) {
	var asked []string
	see := policy(func(op *core.Op) error {
		if op.Kind != core.Visibility {
			return nil
		}
		asked = append(asked, fmt.Sprintf("%v where %v, %v", op.Resource, op.Where, op.Fields))
		switch op.Fields[0].Name() {
		case "mail":
			op.Guard(core.Eq("name", "bob"))
		case "secret":
			return &core.Error{Code: core.UnknownField, Resource: op.Resource.APIName(), Field: op.Fields[0].APIName()}
		}
		return nil
	})
	m := core.MustModel("m", core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
		id(), {Name: "name", Type: core.Text, Searchable: true}, {Name: "mail", Type: core.Text, Searchable: true}, {Name: "secret", Type: core.Text, Searchable: true},
	}})
	for name, c := range map[string]struct {
		decorators []core.Decorator
		want       string
	}{
		"a policy by fields":       {[]core.Decorator{see}, "[1,2]"},
		"no policy":                {nil, "[1,2,3]"},
		"a policy that refuses":    {[]core.Decorator{policy(func(op *core.Op) error { return op.Resource.Forbidden() })}, "FORBIDDEN"},
		"a policy that is unaware": {[]core.Decorator{{Name: "old", Kind: core.KindPolicy, Wrap: policy(func(*core.Op) error { return nil }).Wrap}}, "SEARCH_FORBIDDEN"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := core.New(t.Context(), m, memory.New(), c.decorators...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			user := m.Resource("user")
			for i, rec := range []map[string]any{{"name": "ann x", "mail": "x"}, {"name": "bob", "mail": "x"}, {"name": "cid", "mail": "x", "secret": "x"}} {
				rec["id"] = i + 1
				r, err := user.NewRecord(rec)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Insert(core.System(t.Context()), user, r); err != nil && name != "a policy that refuses" {
					t.Fatal(err)
				}
			}
			asked = nil
			page, err := s.Select(t.Context(), user, core.Query{Where: core.Search("X")})
			got := core.ListOf(keysOf(page.Records)...).Text()
			if err != nil {
				got = string(core.AsError(err).Code)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if want := []string{"user where all, [user.name]", "user where all, [user.mail]", "user where all, [user.secret]"}; name == "a policy by fields" && !slices.Equal(asked, want) {
				t.Errorf("asked %q", asked)
			}
		})
	}
}
