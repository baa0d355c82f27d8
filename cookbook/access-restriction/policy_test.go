package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// compiled returns the policy, compiled for the model as in the program.
func compiled(t *testing.T) *access.CompiledPolicy {
	t.Helper()
	policy, err := access.Parse(policyJSON)
	if err != nil {
		t.Fatal(err)
	}
	c, err := policy.Compile(bakery)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPolicyTable compares the policy with a table that the owner of the bakery can read. Operations that are not in the
// table must be denied.
func TestPolicyTable(t *testing.T) {
	const table = `
		visitor  read  bread  name price
		alice  read    bread  name price on_sale recipe baker
		alice  insert  bread  name recipe baker
		alice  update  bread  name recipe baker
		alice  read    staff  name wage
		olga   read    bread  name price on_sale recipe baker
		olga   insert  bread  name price on_sale recipe baker
		olga   choose_key  bread  name price on_sale recipe baker
		olga   update  bread  name price on_sale recipe baker
		olga   delete  bread
		olga   read    staff  name wage
		olga   insert  staff  name wage
		olga   update  staff  name wage
		olga   delete  staff`
	allowed := make(map[string]bool)
	for line := range strings.Lines(strings.TrimSpace(table)) {
		words := strings.Fields(line)
		allowed[strings.Join(words[:3], " ")] = true
		for _, field := range words[3:] {
			allowed[strings.Join(words[:3], " ")+" "+field] = true
		}
	}
	c := compiled(t)
	for _, user := range []string{"visitor", "alice", "bob", "olga"} {
		like := strings.Replace(user, "bob", "alice", 1)
		for _, op := range []access.Operation{access.Read, access.Insert, access.Update, access.Delete, access.ChooseKey} {
			for _, r := range bakery.Resources() {
				entry := fmt.Sprintf("%s %v %s", like, op, r)
				if e := c.Explain(principals[user], op, r.Name()); e.Allowed() != allowed[entry] {
					t.Errorf("%s: %v, %v", entry, e.Err, e)
				}
				for _, f := range r.Columns() {
					e := c.Explain(principals[user], op, r.Name(), f.Name())
					if op != access.Delete && !f.Key() && e.Allowed() != allowed[entry+" "+f.Name()] {
						t.Errorf("%s %s: %v, %v", entry, f.Name(), e.Err, e)
					}
				}
			}
		}
	}
}

func TestRowsByRole(t *testing.T) {
	c, bread := compiled(t), bakery.Resource("bread")
	row := func(fields map[string]any) core.Record {
		rec, err := bread.NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	hers := row(map[string]any{"id": 2, "on_sale": false, "baker": "alice"})
	window := row(map[string]any{"id": 3, "on_sale": true, "baker": "bob"})
	for _, want := range []struct {
		user         string
		op           access.Operation
		field        string
		hers, window bool
	}{
		{"visitor", access.Read, "price", false, true},
		{"alice", access.Read, "price", true, true},
		{"alice", access.Read, "recipe", true, false},
		{"alice", access.Read, "baker", true, true},
		{"alice", access.Update, "name", true, false},
		{"bob", access.Update, "name", false, true},
		{"olga", access.Update, "price", true, true},
	} {
		e := c.Explain(principals[want.user], want.op, "bread", want.field)
		if matches(t, e.Using, hers) != want.hers || matches(t, e.Using, window) != want.window {
			t.Errorf("%s %v %s: %v", want.user, want.op, want.field, e)
		}
	}
	if e := c.Explain(principals["alice"], access.Insert, "bread"); matches(t, e.Check, window) || !matches(t, e.Check, hers) {
		t.Errorf("alice bakes for others: %v", e)
	}
}

// matches reports whether the row matches the condition, which is about this row only.
func matches(t *testing.T, f core.Filter, row core.Record) bool {
	t.Helper()
	is, err := f.Match(row, nil)
	if err != nil {
		t.Fatal(err)
	}
	return is
}
