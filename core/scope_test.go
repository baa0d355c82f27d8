package core_test

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestACursorIsBoundToTheScopeInPlaceOfTheCondition(t *testing.T) {
	s := open(t)
	cookie := s.Model().Resource("cookie")
	for range 3 {
		insert(t, s, cookie, map[string]any{"type": "a"})
	}
	page, err := s.Select(t.Context(), cookie, core.Query{Where: core.In("id", 1, 2), Scope: "mine", Limit: 1})
	if err != nil || page.Next == "" {
		t.Fatalf("first page: %v, %v", page, err)
	}
	for _, c := range []struct {
		rule string
		q    core.Query
		want error
	}{
		{"another condition of the scope continues", core.Query{Where: core.In("id", 1, 3), Scope: "mine"}, nil},
		{"another scope does not", core.Query{Where: core.In("id", 1, 2), Scope: "yours"}, core.BadParam},
		{"the condition without its scope does not", core.Query{Where: core.In("id", 1, 2)}, core.BadParam},
		{"another order does not", core.Query{Where: core.In("id", 1, 2), Scope: "mine", Order: []string{"-id"}}, core.BadParam},
	} {
		t.Run(c.rule, func(t *testing.T) {
			c.q.After = page.Next
			next, err := s.Select(t.Context(), cookie, c.q)
			if !errors.Is(err, c.want) {
				t.Fatalf("error is %v, want %v", err, c.want)
			}
			if err == nil && (len(next.Records) != 1 || next.Records[0].Key() != core.IntValue(3)) {
				t.Errorf("second page is %v", next.Records)
			}
		})
	}
}
