package typed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/typed"
)

func id() core.FieldSpec { return core.FieldSpec{Name: "id", Type: core.Int, Key: true} }

func cookies() *core.Model {
	return core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id(),
			{Name: "type", Type: core.Text},
			{Name: "price", APIName: "cost", Type: core.Float, Default: 1},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{id(), {Name: "cookies", ToMany: "cookie", Inverse: "jar"}}},
	)
}

// open returns a store of cookies on memory, with a decorator that calls see for each operation.
func open(tb testing.TB, see ...func(op *core.Op)) *core.Store {
	tb.Helper()
	return openModel(tb, cookies(), see...)
}

func openModel(tb testing.TB, m *core.Model, see ...func(op *core.Op)) *core.Store {
	tb.Helper()
	s, err := core.New(tb.Context(), m, memory.New(), core.Decorator{
		Name: "see", Kind: core.KindPolicy, KnowsRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				for _, see := range see {
					see(op)
				}
				return next(ctx, op)
			}, nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func insert(tb testing.TB, s core.Querier, resource *core.Resource, fields map[string]any) core.Record {
	tb.Helper()
	rec, err := resource.NewRecord(fields)
	if err != nil {
		tb.Fatal(err)
	}
	done, err := s.Insert(tb.Context(), resource, rec)
	if err != nil {
		tb.Fatal(err)
	}
	return done[0]
}

type Cookie struct {
	ID    int64
	Type  string
	Price *float64
	Jar   int64
}

func collection[T any](t *testing.T, s *core.Store, resource string) *typed.Collection[T] {
	t.Helper()
	c, err := typed.New[T](s, resource)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFinalOperationCommits(t *testing.T) {
	final := 0
	s := open(t, func(op *core.Op) {
		if op.Final {
			final++
		}
	})
	type row struct {
		ID   int64
		Type string
	}
	all, err := typed.New[row](s, "cookie")
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Insert(t.Context(), &row{ID: 1}); err != nil {
		t.Fatal(err)
	}
	final = 0
	err = s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if err := all.Final(tx).Delete(ctx, 1); err != nil {
			return err
		}
		_, err := all.In(tx).Count(ctx, core.All())
		return err
	})
	if final != 1 || !errors.Is(err, core.ErrTxDone) {
		t.Errorf("%d final operations; after them: %v", final, err)
	}
	if n, err := all.Count(t.Context(), core.All()); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestInsertUpdateGetDelete(t *testing.T) {
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

func TestAllReadsEveryPage(t *testing.T) {
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

func TestCollectionInTransaction(t *testing.T) {
	s := open(t)
	all := collection[Cookie](t, s, "cookie")
	_ = s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
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

func TestNewRejectsStructThatDoesNotFit(t *testing.T) {
	s := open(t)
	type bad struct {
		Type   int
		Colour string
		Price  float64
		Cost   float64 `larder:"price"`
	}
	_, err := typed.New[bad](s, "cookie")
	for _, want := range []string{
		"bad.Type: type int cannot hold text", `bad.Colour: resource "cookie" has no field "Colour"`, `bad.Cost: a second field for "price"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s in %v", want, err)
		}
	}
	type keyless struct{ Type string }
	if _, err := typed.New[keyless](s, "cookie"); err == nil || !strings.Contains(err.Error(), `no field for the key "id"`) {
		t.Errorf("got %v", err)
	}
	type many struct {
		ID      int
		Cookies []int
	}
	if _, err := typed.New[many](s, "jar"); err == nil || !strings.Contains(err.Error(), "not stored") {
		t.Errorf("got %v", err)
	}
	if _, err := typed.New[int](s, "cookie"); err == nil {
		t.Error("an int was accepted")
	}
	if _, err := typed.New[Cookie](s, "cake"); err == nil || !strings.Contains(err.Error(), `no resource "cake"`) {
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
	Day     time.Time
	Wall    time.Time
	Price   string
	Factor  *string
	Last    *time.Time
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
		"until": core.Time, "ref": core.UUID, "day": core.Date, "wall": core.LocalTime, "price": core.Decimal, "factor": core.Decimal, "last": core.Date, "blob": core.Bytes, "doc": core.JSON, "raw": core.JSON, "numbers": core.List,
	} {
		fields = append(fields, core.FieldSpec{Name: name, Type: typ})
	}
	m, err := core.NewModel("all", core.ResourceSpec{Name: "everything", Fields: fields})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryGoTypeRoundTrips(t *testing.T) {
	s := openModel(t, everything(t))
	all := collection[Everything](t, s, "everything")
	full := Everything{
		Whole: -7, Small: new(uint8(255)), Real: 1.5, Name: "é", Nick: new(""), Truth: true,
		At: time.Date(2026, 11, 23, 0, 0, 0, 1000, time.UTC), Until: new(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)),
		Day: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Last: new(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)),
		Price: "10.5", Factor: new("-0.000000000000000000000000000000000001"),
		Wall: time.Date(2026, 11, 29, 2, 30, 0, 1000, time.UTC),
		Ref:  "6ba7b810-9dad-11d1-80b4-00c04fd430c8", Blob: []byte{0, 255}, Doc: map[string]any{"a": []any{"b"}},
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

func TestEveryTypeHasAGoType(t *testing.T) {
	types := map[core.Type]func(s *core.Store) error{
		core.Int: fits[int], core.Float: fits[float64], core.Text: fits[string], core.Bool: fits[bool], core.Time: fits[time.Time],
		core.UUID: fits[[16]byte], core.Bytes: fits[[]byte], core.JSON: fits[any], core.List: fits[[]any], core.Date: fits[time.Time],
		core.LocalTime: fits[time.Time], core.Decimal: fits[string],
	}
	for _, typ := range core.Types() {
		fields := []core.FieldSpec{id(), {Name: "value", Type: typ}}
		if err := types[typ](openModel(t, core.MustModel("m", core.ResourceSpec{Name: "r", Fields: fields}))); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// fits reports whether a collection of resource r can have a field of type T.
func fits[T any](s *core.Store) error {
	type row struct {
		ID    int
		Value T
	}
	_, err := typed.New[row](s, "r")
	return err
}

func TestGetRejectsOverflow(t *testing.T) {
	s := openModel(t, everything(t))
	r := s.Model().Resource("everything")
	rec := insert(t, s, r, map[string]any{"small": 256})
	_, err := collection[Everything](t, s, "everything").Get(t.Context(), rec.Key())
	checkMisfit(t, err, "everything "+rec.Key().String(), 256)
}

func TestInsertRejectsClockTimeInDate(t *testing.T) {
	type row struct {
		ID  int64
		Day time.Time
	}
	s := openModel(t, core.MustModel("days", core.ResourceSpec{Name: "day", Fields: []core.FieldSpec{id(), {Name: "day", Type: core.Date}}}))
	noon := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	err := collection[row](t, s, "day").Insert(t.Context(), &row{ID: 1}, &row{ID: 2, Day: noon})
	checkMisfit(t, err, "row 2", noon)
}

// checkMisfit checks that the error has the value and names the record or row.
func checkMisfit(t *testing.T, err error, subject string, value any) {
	t.Helper()
	e, ok := errors.AsType[*core.Error](err)
	if !ok || e.Code != core.BadFieldValue || fmt.Sprint(e.Value) != fmt.Sprint(value) || !strings.Contains(err.Error(), subject+":") {
		t.Errorf("got %v, want %s with the value %v and %q", err, core.BadFieldValue, value, subject)
	}
}

func TestGetReadsOnlyMappedFields(t *testing.T) {
	var fields []string
	s := open(t, func(op *core.Op) {
		if op.Kind == core.Load {
			fields = append(fields, fmt.Sprint(op.Fields))
		}
	})
	rec := insert(t, s, s.Model().Resource("cookie"), map[string]any{"type": "muffin"})
	type Typed struct {
		ID   int
		Type string
	}
	part := collection[Typed](t, s, "cookie")
	if got, err := part.Get(t.Context(), rec.Key()); err != nil || got.Type != "muffin" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := collection[Cookie](t, s, "cookie").Get(t.Context(), rec.Key()); err != nil {
		t.Error(err)
	}
	if got := strings.Join(fields, " "); got != "[cookie.id cookie.type] []" {
		t.Errorf("read %s", got)
	}
	if _, err := part.Get(t.Context(), 99); !errors.Is(err, core.NotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := part.Get(t.Context(), "x"); !errors.Is(err, core.BadFieldValue) {
		t.Errorf("got %v", err)
	}
}

func TestUpdateKeepsUnmappedFields(t *testing.T) {
	s := open(t)
	rec := insert(t, s, s.Model().Resource("cookie"), map[string]any{"type": "muffin", "price": 7})
	type Typed struct {
		ID   int64
		Type string
	}
	if err := collection[Typed](t, s, "cookie").Update(t.Context(), &Typed{ID: rec.Key().Int(), Type: "oat"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), rec.Resource(), rec.Key())
	if err != nil || got.Get("price") != core.FloatValue(7) || got.Get("type") != core.TextValue("oat") {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestIntegerSizes(t *testing.T) {
	type sizes struct {
		ID   int64
		I8   int8   `larder:"i8"`
		I16  int16  `larder:"i16"`
		I32  int32  `larder:"i32"`
		I64  int64  `larder:"i64"`
		I    int    `larder:"i"`
		U8   uint8  `larder:"u8"`
		U16  uint16 `larder:"u16"`
		U32  uint32 `larder:"u32"`
		U64  uint64 `larder:"u64"`
		U    uint   `larder:"u"`
		Half float32
	}
	specs := []core.FieldSpec{id(), {Name: "half", Type: core.Float}}
	for _, name := range []string{"i8", "i16", "i32", "i64", "i", "u8", "u16", "u32", "u64", "u"} {
		specs = append(specs, core.FieldSpec{Name: name, Type: core.Int})
	}
	s := openModel(t, core.MustModel("m", core.ResourceSpec{Name: "sizes", Fields: specs}))
	all, r := collection[sizes](t, s, "sizes"), s.Model().Resource("sizes")
	for _, row := range []sizes{
		{I8: math.MinInt8, I16: math.MinInt16, I32: math.MinInt32, I64: math.MinInt64, I: math.MinInt},
		{
			I8: math.MaxInt8, I16: math.MaxInt16, I32: math.MaxInt32, I64: math.MaxInt64, I: math.MaxInt,
			U8: math.MaxUint8, U16: math.MaxUint16, U32: math.MaxUint32, U64: math.MaxInt64, U: math.MaxInt64, Half: math.MaxFloat32,
		},
	} {
		want := row
		if err := all.Insert(t.Context(), &row); err != nil {
			t.Fatal(err)
		}
		want.ID = row.ID
		if got, err := all.Get(t.Context(), row.ID); err != nil || got != want {
			t.Errorf("stored %+v, got %+v, %v", want, got, err)
		}
	}
	for _, row := range []sizes{{U64: math.MaxUint64}, {U: math.MaxInt64 + 1}, {Half: float32(math.Inf(1))}} {
		if err := all.Insert(t.Context(), &row); !errors.Is(err, core.BadFieldValue) {
			t.Errorf("%+v: got %v", row, err)
		}
	}
	for field, value := range map[string]any{
		"i8": 128, "i16": -32769, "i32": 1 << 31, "u8": -1, "u16": 1 << 16, "u32": 1 << 32, "u64": -1, "u": -1, "half": 1e300,
	} {
		rec := insert(t, s, r, map[string]any{field: value})
		if got, err := all.Get(t.Context(), rec.Key()); !errors.Is(err, core.BadFieldValue) {
			t.Errorf("%s %v: got %+v, %v", field, value, got, err)
		}
	}
}

func TestJSONNumbersKeepAllDigits(t *testing.T) {
	type Row struct {
		ID   [16]byte
		Doc  map[string]any
		Raw  any
		List []any `larder:"numbers"`
	}
	s := openModel(t, everything(t))
	const big = 9007199254740993
	rec := insert(t, s, s.Model().Resource("everything"), map[string]any{
		"doc": map[string]any{"n": big}, "raw": big, "numbers": []int{big},
	})
	all := collection[Row](t, s, "everything")
	row, err := all.Get(t.Context(), rec.Key())
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Update(t.Context(), &row); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), rec.Resource(), rec.Key()); err != nil || !got.Equal(rec) {
		t.Errorf("inserted %v, got %v, %v", rec, got, err)
	}
}

func TestInsertRejectsInvalidJSON(t *testing.T) {
	type Row struct {
		ID  [16]byte
		Doc map[string]string
		Raw json.RawMessage
	}
	s := openModel(t, everything(t))
	all := collection[Row](t, s, "everything")
	for _, row := range []Row{{Doc: map[string]string{"a": "\xff"}}, {Raw: json.RawMessage(`{"a":1,"a":2}`)}, {Raw: json.RawMessage("x")}} {
		if err := all.Insert(t.Context(), &row); !errors.Is(err, core.BadFieldValue) {
			t.Errorf("%v: got %v", row, err)
		}
	}
	row := Row{Raw: json.RawMessage(`"\ufffd"`)}
	if err := all.Insert(t.Context(), &row); err != nil || string(row.Raw) != "\"\ufffd\"" {
		t.Errorf("got %s, %v", row.Raw, err)
	}
}

type (
	Number int64
	Mixin  struct{ Colour string }
	Shown  struct{ Type string }
)

func TestEmbeddedStructs(t *testing.T) {
	type Row struct {
		Number `larder:"id"`
		Mixin  `larder:"-"`
		Shown
	}
	s := open(t)
	row := Row{Shown: Shown{"muffin"}}
	all := collection[Row](t, s, "cookie")
	if err := all.Insert(t.Context(), &row); err != nil || row.Number == 0 {
		t.Fatalf("%+v, %v", row, err)
	}
	if got, err := all.Get(t.Context(), int64(row.Number)); err != nil || got != row {
		t.Errorf("got %+v, %v", got, err)
	}
	type pointer struct {
		ID int
		*Shown
	}
	if _, err := typed.New[pointer](s, "cookie"); err == nil || !strings.Contains(err.Error(), "Type: is promoted through a pointer") {
		t.Errorf("got %v", err)
	}
	type channel struct {
		ID  [16]byte
		Doc chan int
	}
	other := openModel(t, everything(t))
	if _, err := typed.New[channel](other, "everything"); err == nil || !strings.Contains(err.Error(), "type chan int cannot hold json") {
		t.Errorf("got %v", err)
	}
}

func TestExactFieldNameWins(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{
		id(), {Name: "name", Type: core.Int}, {Name: "Name", Type: core.Text},
	}})
	s := openModel(t, m)
	type Row struct {
		ID   int
		Name string
	}
	if _, err := typed.New[Row](s, "r"); err != nil {
		t.Error(err)
	}
}

func TestRowsThatCannotBeWrittenAreErrors(t *testing.T) {
	all := collection[Cookie](t, open(t), "cookie")
	if err := all.Update(t.Context(), &Cookie{ID: 1}, nil); !errors.Is(err, core.BadRequest) {
		t.Errorf("no row: got %v", err)
	}
	if err := all.Update(t.Context(), &Cookie{Type: "without a key"}); !errors.Is(err, core.BadFieldValue) {
		t.Errorf("no key: got %v", err)
	}
	if err := all.Delete(t.Context(), 1, "x"); !errors.Is(err, core.BadFieldValue) {
		t.Errorf("bad key: got %v", err)
	}
}

func TestInRejectsTransactionOfAnotherStore(t *testing.T) {
	m := cookies()
	own, other := openModel(t, m), openModel(t, m)
	all := collection[Cookie](t, own, "cookie")
	for name, call := range map[string]func(tx *core.Transaction){
		"In":    func(tx *core.Transaction) { all.In(tx) },
		"Final": func(tx *core.Transaction) { all.Final(tx) },
	} {
		err := other.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) (err error) {
			defer func() { err = fmt.Errorf("panic: %v", recover()) }()
			call(tx)
			return nil
		})
		if err == nil || err.Error() != "panic: typed: the transaction belongs to another store than the collection" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNewRejectsNilStore(t *testing.T) {
	_, err := typed.New[Cookie](nil, "cookie")
	if err == nil || err.Error() != "typed: the store is nil; pass the result of core.New" {
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
	cookies, err := typed.New[Cookie](store, "cookie")
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

func TestZeroNumberIsAssigned(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		id(), {Name: "year", Type: core.Int, Indexed: true}, {Name: "number", Type: core.Int, NumberedBy: "year"},
	}})
	type issue struct{ ID, Year, Number int64 }
	issues, err := typed.New[issue](openModel(t, m), "issue")
	if err != nil {
		t.Fatal(err)
	}
	rows := []*issue{{Year: 1}, {Year: 1, Number: 5}, {Year: 1}, {Year: 2}}
	if err := issues.Insert(t.Context(), rows...); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(*rows[0], *rows[1], *rows[2], *rows[3]); got != "{1 1 6} {2 1 5} {3 1 7} {4 2 1}" {
		t.Error(got)
	}
}

func TestKeysOfSeveralFields(t *testing.T) {
	type Line struct {
		ID            string
		Order, Number int
		Next          string
	}
	s := openModel(t, core.MustModel("m", core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
		{Name: "order", Type: core.Int, Key: true}, {Name: "number", Type: core.Int, Key: true}, {Name: "next", ToOne: "line"},
	}}))
	lines := collection[Line](t, s, "line")
	first, second := Line{Order: 1, Number: 2}, Line{ID: "1,3", Order: 1, Number: 3, Next: "1,2"}
	if err := lines.Insert(t.Context(), &first, &second); err != nil {
		t.Fatal(err)
	}
	second.Next = "1,3"
	if err := lines.Update(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Line{"1,2": {ID: "1,2", Order: 1, Number: 2}, "1,3": {ID: "1,3", Order: 1, Number: 3, Next: "1,3"}} {
		if got, err := lines.Get(t.Context(), key); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	second.Number = 4
	if err := lines.Update(t.Context(), &second); !errors.Is(err, core.FieldUpdateForbidden) {
		t.Errorf("got %v", err)
	}
}
