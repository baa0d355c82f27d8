package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

type Cookie struct {
	ID    int64
	Type  string
	Price *float64
	Jar   int64
}

func collection[T any](t *testing.T, s *core.Store, resource string) *core.Collection[T] {
	t.Helper()
	c, err := core.NewCollection[T](s, resource)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRowsGoInAndComeOutAsStructs(t *testing.T) {
	s := open(t)
	ctx, all := t.Context(), collection[Cookie](t, s, "cookie")
	muffin, shortbread := Cookie{Type: "muffin"}, Cookie{Type: "shortbread", Price: new(2.5)}
	if err := all.Insert(ctx, &muffin, &shortbread); err != nil {
		t.Fatal(err)
	}
	if muffin.ID == 0 || muffin.Price == nil || *muffin.Price != 1 || *shortbread.Price != 2.5 {
		t.Errorf("inserted %+v and %+v", muffin, shortbread)
	}
	muffin.Type, muffin.Price = "oat", nil
	if err := all.Update(ctx, &muffin); err != nil {
		t.Fatal(err)
	}
	if got, err := all.Get(ctx, muffin.ID); err != nil || got != muffin {
		t.Errorf("got %+v, %v", got, err)
	}
	if n, err := all.Count(ctx, core.Eq("price", nil)); n != 1 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	if err := all.Delete(ctx, muffin.ID); err != nil {
		t.Error(err)
	}
	if _, err := all.Get(ctx, muffin.ID); !errors.Is(err, core.NotFound) {
		t.Errorf("got %v", err)
	}
}

func TestAllPagesThroughEverythingByKey(t *testing.T) {
	s := open(t)
	ctx, all := t.Context(), collection[Cookie](t, s, "cookie")
	const many = 700 // more than two pages
	rows := make([]*Cookie, many)
	for i := range rows {
		rows[i] = &Cookie{Type: "muffin"}
	}
	if err := all.Insert(ctx, rows...); err != nil {
		t.Fatal(err)
	}
	count := func(q core.Query) (n int) {
		var last int64
		for row, err := range all.All(ctx, q) {
			if err != nil || row.ID <= last {
				t.Fatalf("%+v after %d, %v", row, last, err)
			}
			n, last = n+1, row.ID
		}
		return n
	}
	for limit, want := range map[int]int{0: many, 1: 1, 256: 256, 300: 300, 5000: many} {
		if got := count(core.Query{Limit: limit}); got != want {
			t.Errorf("limit %d: %d rows", limit, got)
		}
	}
	for _, err := range all.All(ctx, core.Query{}) {
		if err != nil {
			t.Error(err)
		}
		break // stopping early is fine
	}
}

func TestAllEndsWithItsError(t *testing.T) {
	all := collection[Cookie](t, open(t), "cookie")
	for _, q := range []core.Query{{Limit: -1}, {Where: core.Eq("x", 1)}, {Fields: []string{"id"}}} {
		var errs []error
		for _, err := range all.All(t.Context(), q) {
			errs = append(errs, err)
		}
		if len(errs) != 1 || errs[0] == nil {
			t.Errorf("%+v: got %v", q, errs)
		}
	}
}

func TestCollectionInsideATransactionSeesItAndRollsBackWithIt(t *testing.T) {
	s := open(t)
	all := collection[Cookie](t, s, "cookie")
	_ = s.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error {
		if err := all.In(tx).Insert(ctx, &Cookie{Type: "muffin"}); err != nil {
			t.Error(err)
		}
		if n, err := all.In(tx).Count(ctx, core.All()); n != 1 || err != nil {
			t.Errorf("inside: %d, %v", n, err)
		}
		return errors.New("no")
	})
	if n, err := all.Count(t.Context(), core.All()); n != 0 || err != nil {
		t.Errorf("after the rollback: %d, %v", n, err)
	}
}

func TestStructThatDoesNotFitTheModelIsRefusedByField(t *testing.T) {
	s := open(t)
	type bad struct {
		Type   int
		Colour string
		Price  float64
		Cost   float64 `larder:"price"`
	}
	_, err := core.NewCollection[bad](s, "cookie")
	for _, want := range []string{
		"bad.Type: type int cannot hold text", `bad.Colour: resource "cookie" has no field "Colour"`, `bad.Cost: a second field for "price"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s in %v", want, err)
		}
	}
	type keyless struct{ Type string }
	if _, err := core.NewCollection[keyless](s, "cookie"); err == nil || !strings.Contains(err.Error(), `no field for the key "id"`) {
		t.Errorf("got %v", err)
	}
	type many struct {
		ID      int
		Cookies []int
	}
	if _, err := core.NewCollection[many](s, "jar"); err == nil || !strings.Contains(err.Error(), "not stored") {
		t.Errorf("got %v", err)
	}
	if _, err := core.NewCollection[int](s, "cookie"); err == nil {
		t.Error("an int was accepted")
	}
	if _, err := core.NewCollection[Cookie](s, "cake"); err == nil || !strings.Contains(err.Error(), `no resource "cake"`) {
		t.Errorf("got %v", err)
	}
}

type base struct{ ID [16]byte }

// Everything has a field of each type, in each of the Go types that hold it.
type Everything struct {
	base

	Whole   int32
	Small   *uint8
	Real    float32
	Name    string
	Nick    *string
	Truth   bool
	At      time.Time
	Until   *time.Time
	Ref     string
	Blob    []byte
	Doc     map[string]any
	Raw     json.RawMessage
	Numbers []int
	Friends []string
	skipped int
	Ignored chan int `larder:"-"`
}

func everything(t *testing.T) *core.Model {
	t.Helper()
	fields := []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, {Name: "friends", ToMany: "everything"}}
	for name, typ := range map[string]core.Type{
		"whole": core.Int, "small": core.Int, "real": core.Float, "name": core.Text, "nick": core.Text, "truth": core.Bool, "at": core.Time,
		"until": core.Time, "ref": core.UUID, "blob": core.Bytes, "doc": core.JSON, "raw": core.JSON, "numbers": core.List,
	} {
		fields = append(fields, core.FieldSpec{Name: name, Type: typ})
	}
	m, err := core.NewModel("all", core.ResourceSpec{Name: "everything", Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryGoTypeSurvivesTheStore(t *testing.T) {
	s, err := core.New(t.Context(), everything(t), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	all := collection[Everything](t, s, "everything")
	full := Everything{
		Whole: -7, Small: new(uint8(255)), Real: 1.5, Name: "é", Nick: new(""), Truth: true,
		At: time.Date(2026, 11, 23, 0, 0, 0, 1000, time.UTC), Until: new(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)),
		Ref: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", Blob: []byte{0, 255}, Doc: map[string]any{"a": []any{"b"}},
		Raw: json.RawMessage(`{"a":1}`), Numbers: []int{3, 1}, Friends: []string{"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, skipped: 1,
	}
	for _, row := range []Everything{full, {}} {
		if err := all.Insert(t.Context(), &row); err != nil {
			t.Fatal(err)
		}
		got, err := all.Get(t.Context(), row.ID)
		got.skipped = row.skipped
		if err != nil || !reflect.DeepEqual(got, row) {
			t.Errorf("stored %+v\ngot %+v, %v", row, got, err)
		}
	}
}

func TestValueThatDoesNotFitTheGoTypeIsAnErrorAndNotCut(t *testing.T) {
	s, err := core.New(t.Context(), everything(t), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	r := s.Model().Resource("everything")
	rec := insert(t, s.Session, r, map[string]any{"small": 256})
	if _, err := collection[Everything](t, s, "everything").Get(t.Context(), rec.Key()); !errors.Is(err, core.BadFieldValue) {
		t.Errorf("got %v", err)
	}
}

func ExampleCollection() {
	model := core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
	}})
	type Cookie struct {
		ID   int64
		Type string
	}
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New())
	if err != nil {
		panic(err)
	}
	cookies, err := core.NewCollection[Cookie](store, "cookie")
	if err != nil {
		panic(err)
	}
	if err := cookies.Insert(ctx, &Cookie{Type: "muffin"}, &Cookie{Type: "shortbread"}); err != nil {
		panic(err)
	}
	for cookie, err := range cookies.All(ctx, core.Query{Order: []string{"-type"}}) {
		fmt.Println(cookie.ID, cookie.Type, err)
	}
	// Output:
	// 2 shortbread <nil>
	// 1 muffin <nil>
}
