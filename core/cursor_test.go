package core_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

func TestForgedCursorIsRejected(t *testing.T) {
	s := open(t)
	ctx, r := t.Context(), s.Model().Resource("cookie")
	for range 2 {
		insert(t, s, r, map[string]any{"price": 2.5})
	}
	q := core.Query{Order: []string{"price"}, Limit: 1}
	page, err := s.Select(ctx, r, q)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(page.Next))
	if err != nil {
		t.Fatal(err)
	}
	const fingerprint = 8
	for position, ok := range map[string]bool{
		"[2.5,1]": true, "[null,1]": true, "[7,0]": true,
		"": false, "null": false, "{}": false, "2.5": false, "[2.5,1": false, "[]": false, "[2.5]": false, "[2.5,1,1]": false,
		`["x",1]`: false, `[2.5,"x"]`: false, "[2.5,1.5]": false, "[2.5,null]": false, "[[2.5],1]": false,
		`[{"begins":2.5,"hash":"x"},1]`: false, `[2.5,{"begins":1,"hash":"x"}]`: false, `[{},1]`: false,
	} {
		q.After = core.Cursor(base64.RawURLEncoding.EncodeToString(append(raw[:fingerprint:fingerprint], position...)))
		if _, err := s.Select(ctx, r, q); ok != (err == nil) || err != nil && !errors.Is(err, core.BadParam) {
			t.Errorf("%s: %v", position, err)
		}
	}
	for _, whole := range []core.Cursor{"!", page.Next + "!", core.Cursor(base64.RawURLEncoding.EncodeToString(raw[:fingerprint-1]))} {
		q.After = whole
		if _, err := s.Select(ctx, r, q); !errors.Is(err, core.BadParam) {
			t.Errorf("%s: got %v", whole, err)
		}
	}
}

// wide is a resource with a text key and the largest number of sort fields.
func wide() *core.Model {
	fields := []core.FieldSpec{{Name: "key", Type: core.Text, Key: true}}
	for i := range 16 {
		typ := core.Text
		if i%2 > 0 {
			typ = core.Bytes
		}
		fields = append(fields, core.FieldSpec{Name: fmt.Sprint("f", i), Type: typ})
	}
	return core.MustModel("wide", core.ResourceSpec{Name: "row", Fields: fields})
}

// pageOf returns the page of the query from a store with the records.
func pageOf(r *core.Resource, q core.Query, records []core.Record) (page core.Page, err error) {
	ctx := context.Background()
	s, err := core.New(ctx, r.Model(), memory.New())
	if err != nil {
		return page, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Insert(ctx, r, records...); err != nil {
		return page, err
	}
	return s.Select(ctx, r, q)
}

func TestCursorsStayBelowTwoKilobytes(t *testing.T) {
	r := wide().Resource("row")
	for _, char := range []string{"a", "\x01", "é", "\u2028", "\U0010FFFF"} {
		for _, keySize := range []int{1, 500, 520, 5000} {
			fields := map[string]any{"key": strings.Repeat(char, keySize)}
			var order []string
			for i := range 16 {
				name := fmt.Sprint("f", i)
				fields[name] = strings.Repeat(char, 10_000)
				if i%2 > 0 {
					fields[name] = []byte(strings.Repeat("\xff", 10_000))
				}
				order = append(order, "-"+name)
				rec, err := r.NewRecord(fields)
				if err != nil {
					t.Fatal(err)
				}
				cursor, err := r.CursorAfter(core.Query{Order: order}, rec)
				if err != nil || len(cursor) >= 2048 {
					t.Errorf("%d fields of %q, a key of %d: %d bytes, %v", i+1, char, keySize, len(cursor), err)
				}
				q := core.Query{Order: order, After: cursor}
				if page, err := pageOf(r, q, []core.Record{rec}); err != nil || len(page.Records) > 0 {
					t.Errorf("%d fields of %q, a key of %d: the page after the record has %d records, %v", i+1, char, keySize, len(page.Records), err)
				}
			}
		}
	}
}

func TestShortValuesAreNotTruncated(t *testing.T) {
	r := wide().Resource("row")
	rec, err := r.NewRecord(map[string]any{"key": "k", "f0": strings.Repeat("a", 1400)})
	if err != nil {
		t.Fatal(err)
	}
	q := core.Query{Order: []string{"f0"}}
	if q.After, err = r.CursorAfter(q, rec); err != nil {
		t.Fatal(err)
	}
	before, _ := r.NewRecord(map[string]any{"key": "j", "f0": strings.Repeat("a", 1399)})
	after, _ := r.NewRecord(map[string]any{"key": "l", "f0": strings.Repeat("a", 1400)})
	page, err := pageOf(r, q, []core.Record{before, after}) // the record itself is missing
	if err != nil || len(page.Records) != 1 || page.Records[0].Key().Text() != "l" {
		t.Errorf("%v, %v", page.Records, err)
	}
}

// TestTruncatedCursorsSkipNoRecord continues after a record that may be gone or changed.
func TestTruncatedCursorsSkipNoRecord(t *testing.T) {
	r := wide().Resource("row")
	letter := rapid.SampledFrom([]string{"", "\x01", "a", "é", "\uD7FF", "\U0010FFFE", "\U0010FFFF"})
	text := rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
			return nil
		}
		begin, n := letter.Draw(t, "begin"), rapid.SampledFrom([]int{1, 60, 2000}).Draw(t, "times")
		return strings.Repeat(begin, n) + letter.Draw(t, "end")
	})
	rapid.Check(t, func(t *rapid.T) {
		records := make([]core.Record, rapid.IntRange(1, 12).Draw(t, "records"))
		for i := range records {
			fields := map[string]any{"key": strconv.Itoa(i), "f0": text.Draw(t, "f0"), "f2": text.Draw(t, "f2")}
			if b, ok := text.Draw(t, "f1").(string); ok {
				fields["f1"] = []byte(strings.ReplaceAll(b, "\U0010FFFF", "\xff"))
			}
			records[i], _ = r.NewRecord(fields)
			for c, v := range fields {
				if v == nil {
					records[i] = records[i].With(r.Field(c).Column(), core.Null)
				}
			}
			if fields["f1"] == nil {
				records[i] = records[i].With(r.Field("f1").Column(), core.Null)
			}
		}
		var order []string
		for _, name := range []string{"f0", "f1", "f2"} {
			order = append(order, rapid.SampledFrom([]string{"", "-"}).Draw(t, "direction")+name)
		}
		q := core.Query{Order: rapid.Permutation(order).Draw(t, "order")}
		whole, err := pageOf(r, q, records)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(records)-1).Draw(t, "at")
		if q.After, err = r.CursorAfter(q, whole.Records[at]); err != nil {
			t.Fatal(err)
		}
		rest := whole.Records[at+1:]
		exact, err := pageOf(r, q, records)
		if err != nil || len(exact.Records) != len(rest) {
			t.Fatalf("with the record: %d records, want %d, %v", len(exact.Records), len(rest), err)
		}
		gone, err := pageOf(r, q, slices.Delete(slices.Clone(whole.Records), at, at+1))
		if err != nil || len(gone.Records) < len(rest) || !slices.EqualFunc(gone.Records[len(gone.Records)-len(rest):], rest, core.Record.Equal) {
			t.Fatalf("without the record: %d records, want at least %d, %v", len(gone.Records), len(rest), err)
		}
	})
}

func TestTruncatedCursorReadsItsRecordUnderGuards(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, row := range []struct {
		rule   string
		policy func(op *core.Op) error
		want   string
	}{
		{"visible", func(*core.Op) error { return nil }, "[2,3]"},
		{"hidden", func(op *core.Op) error { op.Guard(core.Ne("id", 1)); return nil }, "[2,3]"},
		{"denied", func(op *core.Op) error {
			if op.Kind == core.Select && op.Limit > 0 { // the page has no limit
				return core.Forbidden
			}
			return nil
		}, "[1,2,3]"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			var ops []string
			policy := core.Decorator{Name: "policy", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					ops = append(ops, op.Kind.String())
					if core.PrincipalOf(ctx) == nil && op.Kind != core.Tx {
						if err := row.policy(op); err != nil {
							return core.Result{}, err
						}
					}
					return next(ctx, op)
				}, nil
			}}
			s := open(t, policy)
			r := s.Model().Resource("cookie")
			for range 3 {
				rec, err := r.NewRecord(map[string]any{"type": long})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Insert(core.System(t.Context()), r, rec); err != nil {
					t.Fatal(err)
				}
			}
			q := core.Query{Order: []string{"-type"}, Limit: 1}
			page, err := s.Select(core.System(t.Context()), r, q)
			if err != nil {
				t.Fatal(err)
			}
			ops, q.After, q.Limit = nil, page.Next, 0
			page, err = s.Select(t.Context(), r, q)
			var keys []core.Value
			for _, rec := range page.Records {
				keys = append(keys, rec.Key())
			}
			if got := core.ListOf(keys...).Text(); err != nil || got != row.want {
				t.Errorf("got %s, %v, want %s", got, err, row.want)
			}
			if got := strings.Join(ops, " "); got != "tx select select" {
				t.Errorf("operations: %s", got)
			}
		})
	}
}

func TestForgedKeyPrefixDoesNotScanTheStore(t *testing.T) {
	m := wide()
	r := m.Resource("row")
	long, err := r.NewRecord(map[string]any{"key": strings.Repeat("k", 5000)})
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := r.CursorAfter(core.Query{}, long)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(cursor))
	if err != nil {
		t.Fatal(err)
	}
	for begins, ok := range map[string]bool{"": false, "k": false, strings.Repeat("k", 20): false, strings.Repeat("k", 250): true} {
		forged := append(raw[:8:8], `[{"begins":"`+begins+`","hash":"AAAAAAAAAAA"}]`...)
		q := core.Query{After: core.Cursor(base64.RawURLEncoding.EncodeToString(forged))}
		if _, err := pageOf(r, q, []core.Record{long}); ok != (err == nil) || err != nil && !errors.Is(err, core.BadParam) {
			t.Errorf("%q: %v", begins, err)
		}
	}
}

func TestCursorIsBoundToScope(t *testing.T) {
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

func TestTruncatedDecimalsSkipNoRecord(t *testing.T) {
	m := core.MustModel("wide", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		id(), {Name: "a", Type: core.Decimal}, {Name: "b", Type: core.Decimal},
	}})
	r := m.Resource("row")
	number := rapid.Custom(func(t *rapid.T) any {
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		return rapid.SampledFrom([]any{nil, sign + "1", sign + "1e999", sign + strings.Repeat("9", 1000), sign + "0." + strings.Repeat("3", 999)}).Draw(t, "number")
	})
	rapid.Check(t, func(t *rapid.T) {
		records := make([]core.Record, rapid.IntRange(1, 9).Draw(t, "records"))
		for i := range records {
			records[i], _ = r.NewRecord(map[string]any{"id": i, "a": number.Draw(t, "a"), "b": number.Draw(t, "b")})
		}
		sign := rapid.SampledFrom([]string{"", "-"})
		q := core.Query{Order: []string{sign.Draw(t, "direction") + "a", sign.Draw(t, "direction") + "b"}}
		whole, err := pageOf(r, q, records)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(records)-1).Draw(t, "at")
		if q.After, err = r.CursorAfter(q, whole.Records[at]); err != nil || len(q.After) >= 2048 {
			t.Fatalf("%d bytes, %v", len(q.After), err)
		}
		rest := whole.Records[at+1:]
		exact, err := pageOf(r, q, records)
		if err != nil || !slices.EqualFunc(exact.Records, rest, core.Record.Equal) {
			t.Fatalf("with the record: %d records, want %d, %v", len(exact.Records), len(rest), err)
		}
		gone, err := pageOf(r, q, slices.Delete(slices.Clone(whole.Records), at, at+1))
		if err != nil || len(gone.Records) < len(rest) || !slices.EqualFunc(gone.Records[len(gone.Records)-len(rest):], rest, core.Record.Equal) {
			t.Fatalf("without the record: %d records, want at least %d, %v", len(gone.Records), len(rest), err)
		}
	})
}
