package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// acceptedRules has the rule for every value that a field accepts, common or not.
var acceptedRules = []rule{
	{
		"every accepted value reads back",
		"A value that its field accepts is stored and read back unchanged, or rejected with BAD_FIELD_VALUE. It never makes a record unreadable.",
		acceptedValuesReadBack,
	},
}

func acceptedValuesReadBack(t *kit.Fixture) {
	sample := t.Resource("sample")
	var kept []core.Record
	for _, f := range acceptedEdgeValues() {
		got := t.Insert("sample", f)
		kept = append(kept, t.Full("sample", f).With(0, got[0].Key()))
		t.Same("insert returned", got, kept[len(kept)-1])
	}
	if err := readsBack(t.Ctx, t, kept); err != nil {
		t.Fatal(err)
	}
	t.CheckRandomly(func(ctx context.Context, r *rapid.T) error {
		recs := make([]core.Record, 4)
		for i := range recs {
			recs[i] = sample.RecordOf(acceptedColumns(r, sample))
		}
		made, err := t.Store.Insert(ctx, sample, recs...)
		if err != nil {
			return unlessRejected("insert", err)
		}
		for i, rec := range made {
			recs[i] = recs[i].With(0, rec.Key())
		}
		if err := errors.Join(compareRecords("insert returned", made, recs), readsBack(ctx, t, recs)); err != nil {
			return err
		}
		swapped := slices.Clone(recs)
		for i, rec := range recs {
			swapped[i] = recs[(i+1)%len(recs)].With(0, rec.Key())
		}
		updated, err := t.Store.Update(ctx, sample, swapped...)
		if err != nil {
			return unlessRejected("update", err)
		}
		kept = append(kept, swapped...)
		return errors.Join(compareRecords("update returned", updated, swapped), readsBack(ctx, t, swapped))
	})
	if t.Opts.Reopen != nil {
		t.Reopen()
		if err := readsBack(t.Ctx, t, kept); err != nil {
			t.Fatalf("after a restart: %v", err)
		}
	}
}

// edgeValues are raw values at the limits of each type, accepted and rejected ones.
var edgeValues = map[core.Type][]any{
	core.Int:   {json.Number("9223372036854775807"), json.Number("9223372036854775808"), json.Number("-9223372036854775808"), json.Number("1e18"), math.Copysign(0, -1)},
	core.Float: {math.NaN(), math.Inf(1), json.Number("1e-323"), json.Number("1e-324"), json.Number("1e-400"), json.Number("1e308"), json.Number("1e309")},
	core.Text:  {"a\x00", "\xed\xa0\x80", "\ufffe", "\U0010ffff", json.Number("1e-398"), json.Number("1e-400"), strings.Repeat("x", 1<<20)},
	core.Time: {
		"0000-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+00:01", "0000-12-31T23:59:59-00:01", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-00:01",
		"2016-12-31T23:59:60Z", "2026-02-29T00:00:00Z", time.Unix(math.MaxInt64, 0), time.Unix(math.MinInt64, 0), time.Time{},
	},
	core.LocalTime: {
		"0000-12-31T23:59:59.999999", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "10000-01-01T00:00:00", "2026-02-29T00:00:00", "2016-12-31T23:59:60",
		"2024-03-31T02:30:00", "infinity", time.Time{}, time.Unix(math.MaxInt64, 0).UTC(),
	},
	core.Decimal: {
		"NaN", "Infinity", "-0", "-0.000", "1e999", "1e1000", "1e-999", "1e-1000", "1e999999999", json.Number("1e-99999999999999999999"), math.NaN(), math.Inf(1),
		math.MaxFloat64, math.SmallestNonzeroFloat64, strings.Repeat("9", 1000), strings.Repeat("9", 1001), "0." + strings.Repeat("0", 998) + "1", "1." + strings.Repeat("0", 1500),
	},
	core.Date:  {"0000-12-31", "0001-01-01", "9999-12-31", "10000-01-01", "2026-02-29", "infinity", time.Time{}, time.Unix(0, 0).UTC()},
	core.UUID:  {"", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b8109dad11d180b400c04fd430c8", [16]byte{}},
	core.Bytes: {[]byte{}, "", "AA==", "AA", make([]byte, 1<<20)},
	core.JSON:  oddJSON(),
	core.List:  inLists(oddJSON()),
}

// oddJSON returns JSON at the limits of numbers, strings and nesting.
func oddJSON() []any {
	odd := []any{nested(63), nested(64), nested(65), "\x00", "\uffff", map[string]any{"\x00": 1}, map[string]any{"": nil}, json.RawMessage(`"\ud83d"`)}
	for _, n := range []string{
		"-0", "1e5", "1e-5", "1e21", "5e-324", "1e-323", "1e-398", "1e-399", "1e-400", "-1e-397", "-1e-398", "1e-16383", "1e-16384", "1e-99999999999999999999",
		"1e308", "1.7976931348623157e308", "1e309", "1e400", "1E+400", "0e400", "0.1e309", strings.Repeat("9", 308), strings.Repeat("9", 309),
		"0." + strings.Repeat("1", 398), "0." + strings.Repeat("1", 399), "1." + strings.Repeat("0", 399), strings.Repeat("1", 22) + "." + strings.Repeat("3", 378),
	} {
		odd = append(odd, json.Number(n), map[string]any{"n": json.Number(n)})
	}
	return odd
}

// inLists returns a list for each value, which contains the value twice.
func inLists(values []any) []any {
	lists := make([]any, len(values))
	for i, v := range values {
		lists[i] = []any{v, v}
	}
	return lists
}

// acceptedEdgeValues returns the fields of a record for each accepted edge value.
func acceptedEdgeValues() []kit.Fields {
	var all []kit.Fields
	for _, typ := range core.Types() {
		for _, raw := range edgeValues[typ] {
			if v, err := typ.Convert(raw); err == nil {
				all = append(all, kit.Fields{typ.String(): v})
			}
		}
	}
	return all
}

// unlessRejected returns nil if the backend rejected a value, and the error otherwise.
func unlessRejected(label string, err error) error {
	if errors.Is(err, core.BadFieldValue) {
		return nil
	}
	return fmt.Errorf("%s: %w", label, err)
}

// compareRecords returns an error that describes how two lists of records differ, or nil.
func compareRecords(label string, got, want []core.Record) error {
	if diff := kit.Difference(got, want); diff != "" {
		return fmt.Errorf("%s: %s", label, diff)
	}
	return nil
}

// readsBack loads the records, and selects each by one of its values, in one transaction: the tests of the file backend
// reopen the file before each transaction.
func readsBack(ctx context.Context, t *kit.Fixture, want []core.Record) error {
	return t.Store.TxWith(ctx, core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
		if err := checkLoad(ctx, tx, want); err != nil {
			return err
		}
		return checkSelects(ctx, tx, want)
	})
}

func checkLoad(ctx context.Context, tx *core.Transaction, want []core.Record) error {
	got, err := tx.Load(ctx, want[0].Resource(), kit.KeysOf(want))
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return compareRecords("load", got, want)
}

func checkSelects(ctx context.Context, tx *core.Transaction, want []core.Record) error {
	r := want[0].Resource()
	compared := slices.DeleteFunc(slices.Clone(r.Columns()), (*core.Field).Many)
	for i, rec := range want {
		f := compared[i%len(compared)]
		page, err := tx.Select(ctx, r, core.Query{Where: core.And(core.Eq(r.Key().Name(), rec.Key()), core.Eq(f.Name(), rec.At(f.Column())))})
		if err != nil {
			return fmt.Errorf("select by %s: %w", f, err)
		}
		if err := compareRecords("select by "+f.String(), page.Records, want[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// acceptedColumns draws a value for each column except the key. The value is null if the field rejects the drawn one.
func acceptedColumns(r *rapid.T, res *core.Resource) []core.Value {
	values := make([]core.Value, len(res.Columns()))
	for i, f := range res.Columns() {
		if f.Key() {
			continue
		}
		v, err := f.Convert(anyRaw(r, f))
		if values[i] = core.Null; err == nil {
			values[i] = v
		}
	}
	return values
}

// anyRaw draws a raw value that a program or a client may set.
func anyRaw(r *rapid.T, f *core.Field) any {
	if f.Many() {
		return rapid.SliceOfN(rapid.IntRange(-9, 9), 0, 4).Draw(r, f.Name())
	}
	return rawGenerators[f.Type()].Draw(r, f.Name())
}

var rawGenerators = map[core.Type]*rapid.Generator[any]{
	core.Int:     rapid.OneOf(rapid.Int64().AsAny(), anyNumber),
	core.Float:   rapid.OneOf(rapid.Float64().AsAny(), rapid.Float32().AsAny(), anyNumber),
	core.Text:    anyText,
	core.Bool:    rapid.Bool().AsAny(),
	core.Time:    anyTime,
	core.Date:    anyDate,
	core.Decimal: rapid.OneOf(rapid.Int64().AsAny(), rapid.Float64().AsAny(), anyNumber),
	core.LocalTime: rapid.Map(anyTime, func(raw any) any {
		at, _ := raw.(time.Time)
		return at.UTC()
	}),
	core.UUID:  rapid.Custom(func(r *rapid.T) any { return [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "uuid")) }),
	core.Bytes: rapid.SliceOf(rapid.Byte()).AsAny(),
	core.JSON:  anyJSON(4),
	core.List:  rapid.SliceOfN(anyJSON(3), 0, 4).AsAny(),
}

// anyNumber draws numbers of all sizes, also short ones with a large exponent.
var anyNumber = rapid.Custom(func(r *rapid.T) any {
	pattern := rapid.SampledFrom([]string{`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?`, `-?[1-9](\.[0-9])?[eE][+-]?[1-9][0-9]{2}`}).Draw(r, "pattern")
	return json.Number(rapid.StringMatching(pattern).Draw(r, "number"))
})

// anyText draws texts, and bytes that are not valid text.
var anyText = rapid.OneOf(oddText, oddText, rapid.SampledFrom([]string{"\x00", "a\x00", "\xff", "\xed\xa0\x80"}).AsAny())

// oddText draws texts with control and format characters, characters at the ends of ranges, and words with a special
// meaning.
var oddText = rapid.OneOf(
	rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 })).AsAny(),
	rapid.StringOf(rapid.SampledFrom([]rune("\x01\t\n\r\x1f \"'\\%_$\x7f\u0080\u009f\u00a0\u00ad\u0301\u200b\u200f\u2028\u202e\ud7ff\ue000\ufdd0\ufeff\ufffd\uffff\U00010000\U0001F36A\U000E0001\U0010FFFF"))).AsAny(),
	rapid.SampledFrom([]string{"NaN", "null", "infinity", "{}", `\x00`, `\N`, "1e400"}).AsAny(),
)

// anyTime draws instants in and near the supported years, in any zone.
var anyTime = rapid.Custom(func(r *rapid.T) any {
	const firstYear, lastYear = -62167219200, 253433923200 // the years 0 and 10000
	seconds := rapid.Int64Range(firstYear, lastYear).Draw(r, "seconds")
	zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(r, "offset")*60)
	return time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(r, "nanoseconds")).In(zone)
})

// anyDate draws days in and near the supported years.
var anyDate = rapid.Custom(func(r *rapid.T) any {
	return time.Date(1, 1, 1+rapid.IntRange(-400, 3_652_500).Draw(r, "days"), 0, 0, 0, 0, time.UTC)
})

// anyJSON draws JSON that is nested at most as deep as given.
func anyJSON(nesting int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{rapid.Just[any](nil), rapid.Bool().AsAny(), anyNumber, anyNumber, oddText}
	if nesting == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return anyJSON(nesting - 1) })
	lists := rapid.SliceOfN(inner, 0, 3).AsAny()
	objects := rapid.Custom(func(r *rapid.T) any {
		object := map[string]any{}
		for _, member := range rapid.SliceOfN(inner, 0, 3).Draw(r, "members") {
			name, _ := oddText.Draw(r, "name").(string)
			object[name] = member
		}
		return object
	})
	return rapid.OneOf(append(scalars, lists, objects)...)
}
