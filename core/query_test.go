package core_test

import (
	"errors"
	"fmt"
	"log"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
)

// things are records with the numbers, in an order that is none.
func things(m *core.Model, numbers map[int]any) (all []core.Record) {
	r := m.Resources()[0]
	for id, n := range numbers {
		rec, err := r.NewRecord(map[string]any{"id": id, "n": n})
		if err != nil {
			log.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

func numbered() *core.Model {
	return core.MustModel("things", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int},
	}})
}

func ExampleResource_PageOf() {
	m := numbered()
	records := things(m, map[int]any{1: 7, 2: nil, 3: 5, 4: 7})
	page, err := m.Resource("thing").PageOf(core.Query{Where: core.Ne("n", 5), Order: []string{"-n"}, Limit: 2}, slices.Values(records))
	fmt.Println(page.Records, page.Next != "", err)
	// Output: [thing{id:2 n:null} thing{id:1 n:7}] true <nil>
}

func TestPagesOfRecordsAtHandContinue(t *testing.T) {
	m := numbered()
	r, records := m.Resource("thing"), slices.Values(things(m, map[int]any{1: 7, 2: nil, 3: 5, 4: 7, 5: 6}))
	var got []core.Value
	q := core.Query{Order: []string{"n"}, Limit: 2}
	for {
		page, err := r.PageOf(q, records)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			got = append(got, rec.Key())
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if text := core.ListOf(got...).Text(); text != "[3,5,1,4,2]" {
		t.Errorf("got %s", text)
	}
	for want, q := range map[core.Code]core.Query{
		core.BadParam: {Limit: -1}, core.UnknownField: {Order: []string{"m"}}, core.BadFieldValue: {Where: core.Eq("n", "x")},
	} {
		if _, err := r.PageOf(q, records); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %s", q, err, want)
		}
	}
}
