package core_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// keyed has a resource with keys of each source.
func keyed() *core.Model {
	name := core.FieldSpec{Name: "name", Type: core.Text}
	return core.MustModel("keyed",
		core.ResourceSpec{Name: "generated", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, name}},
		core.ResourceSpec{Name: "random", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, name}},
		core.ResourceSpec{Name: "declared", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true, Assigned: true}, name}},
		core.ResourceSpec{Name: "text", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, name}},
	)
}

// choosing is a store that records Op.ChoosesKey of each insert, inside of an outer decorator.
type choosing struct {
	*testing.T

	store *core.Store
	chose []bool
}

func newChoosing(t *testing.T, outer core.Decorator) *choosing {
	t.Helper()
	c := &choosing{T: t}
	note := around("note", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert || op.ChoosesKey() {
			c.chose = append(c.chose, op.ChoosesKey())
		}
		return next(ctx, op)
	})
	store, err := core.New(t.Context(), keyed(), memory.New(), outer, note)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	c.store = store
	return c
}

func (c *choosing) res(name string) *core.Resource { return c.store.Model().Resource(name) }

func (c *choosing) record(resource string, fields map[string]any) core.Record {
	c.Helper()
	rec, err := c.res(resource).NewRecord(fields)
	if err != nil {
		c.Fatal(err)
	}
	return rec
}

// insert inserts records with the ids; nil leaves the id absent.
func (c *choosing) insert(ctx context.Context, s core.Querier, resource string, ids ...any) {
	c.Helper()
	records := make([]core.Record, len(ids))
	for i, id := range ids {
		fields := map[string]any{"name": "x"}
		if id != nil {
			fields["id"] = id
		}
		records[i] = c.record(resource, fields)
	}
	if _, err := s.Insert(ctx, c.res(resource), records...); err != nil {
		c.Fatal(err)
	}
}

func (c *choosing) noted(want ...bool) {
	c.Helper()
	if got := fmt.Sprint(c.chose); got != fmt.Sprint(want) {
		c.Errorf("got %s, want %v", got, want)
	}
	c.chose = nil
}

func passing() core.Decorator {
	return around("pass", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) })
}

func TestChoosesKey(t *testing.T) {
	c := newChoosing(t, passing())
	for name, x := range map[string]struct {
		resource string
		ids      []any
		want     bool
	}{
		"a key":                                 {"generated", []any{50}, true},
		"no key":                                {"generated", []any{nil}, false},
		"a key in one of several records":       {"generated", []any{nil, 60, nil}, true},
		"no records":                            {"generated", nil, false},
		"a key of type uuid":                    {"random", []any{"00000000-0000-0000-0000-000000000001"}, true},
		"a key that the model says is assigned": {"declared", []any{1}, false},
		"a key of type text":                    {"text", []any{"a"}, false},
	} {
		t.Run(name, func(*testing.T) {
			c.insert(t.Context(), c.store, x.resource, x.ids...)
			c.noted(x.want)
		})
	}
}

func TestChoosesKeyAllocatedByNextIDs(t *testing.T) {
	c := newChoosing(t, passing())
	if err := c.store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		keys, err := tx.NextIDs(ctx, c.res("generated"), 2)
		if err != nil {
			return err
		}
		c.insert(ctx, tx, "generated", keys[0], nil)
		c.insert(ctx, tx, "generated", keys[1], 70)
		c.insert(ctx, tx, "generated", 80)
		more, err := tx.NextIDs(ctx, c.res("generated"), 1)
		if err != nil {
			return err
		}
		c.insert(ctx, tx, "generated", more[0])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c.noted(false, true, true, false)
	keys, err := c.store.NextIDs(t.Context(), c.res("generated"), 1)
	if err != nil {
		t.Fatal(err)
	}
	c.insert(t.Context(), c.store, "generated", keys[0])
	c.noted(true) // the key was allocated in another transaction
}

// A key allocated for another resource of the transaction is chosen.
func TestChoosesKeyAllocatedForAnotherResource(t *testing.T) {
	c := newChoosing(t, passing())
	if err := c.store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		keys, err := tx.NextIDs(ctx, c.res("random"), 1)
		if err != nil {
			return err
		}
		c.insert(ctx, tx, "random", keys[0])
		c.insert(ctx, tx, "generated", 1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	c.noted(false, true)
}

func TestChoosesKeyOfADecorator(t *testing.T) {
	var change func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)
	c := newChoosing(t, around("outer", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert {
			return change(ctx, op, next)
		}
		return next(ctx, op)
	}))
	stamp := func(key core.Value) {
		change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			op.Records = []core.Record{op.Records[0].With(op.Resource.Key().Column(), key)}
			return next(ctx, op)
		}
	}
	further := func(values map[string]any) {
		change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			entry := op.Derive(core.Insert, op.Resource)
			entry.Records = []core.Record{c.record("generated", values)}
			if _, err := next(ctx, entry); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		}
	}
	stamp(core.IntValue(50))
	c.insert(t.Context(), c.store, "generated", nil)
	c.noted(false) // the caller did not choose it
	further(map[string]any{"id": 60})
	c.insert(t.Context(), c.store, "generated", nil)
	c.noted(true, false)
	further(map[string]any{"name": "y"})
	c.insert(t.Context(), c.store, "generated", 70)
	c.noted(false, true)
	change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			ids := op.Derive(core.NextID, op.Resource)
			ids.N = 1
			res, err := next(ctx, ids)
			if err != nil {
				return core.Result{}, err
			}
			entry := op.Derive(core.Insert, op.Resource)
			entry.Records = []core.Record{op.Resource.Patch(res.Keys[0])}
			if _, err := next(ctx, entry); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		})
	}
	c.insert(t.Context(), c.store, "generated", nil)
	c.noted(false, false)
	change = func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		other := c.record("text", map[string]any{"id": "z"})
		op.Resource, op.Records = other.Resource(), []core.Record{other}
		_, err := next(ctx, op)
		return core.Result{Records: op.Records}, err
	}
	c.insert(t.Context(), c.store, "generated", 90)
	c.noted(false)
}

func TestInsertRejectsTextKeysThatURLsCannotAddress(t *testing.T) {
	store, err := core.New(t.Context(), keyed(), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	page := store.Model().Resource("text")
	for _, key := range []string{"", ".", ".."} {
		values := make([]core.Value, len(page.Columns()))
		values[page.Key().Column()] = core.TextValue(key)
		_, err := store.Insert(t.Context(), page, page.RecordOf(values))
		if !errors.Is(err, core.BadFieldValue) || !strings.Contains(err.Error(), `"", "." and ".." cannot be keys`) {
			t.Errorf("%q: got %v", key, err)
		}
	}
}

// shop has keys of several fields: order lines, parcels that share the order with a line, and tags of lines.
func shop(tb testing.TB) *core.Store {
	tb.Helper()
	m := core.MustModel("shop",
		core.ResourceSpec{Name: "order", Fields: []core.FieldSpec{id(), {Name: "lines", ToMany: "line", Inverse: "order"}}},
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
			{Name: "order", ToOne: "order", Key: true},
			{Name: "number", Type: core.Int, Key: true},
			{Name: "text", Type: core.Text},
			{Name: "parcels", ToMany: "parcel", Inverse: "line"},
		}},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			id(), {Name: "order", ToOne: "order"}, {Name: "line_number", Type: core.Int},
			{Name: "line", ToOne: "line", Via: []string{"order", "line_number"}},
		}},
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "line_tag", Fields: []core.FieldSpec{
			{Name: "line", ToOne: "line", Key: true}, {Name: "tag", ToOne: "tag", Key: true}, {Name: "note", Type: core.Text},
		}},
		core.ResourceSpec{Name: "favourite", Fields: []core.FieldSpec{id(), {Name: "line", ToOne: "line", OnDelete: core.Cascade}}},
	)
	store, err := core.New(tb.Context(), m, memory.NewWith(seed.Data{
		"order":    {17: {}, 18: {}},
		"line":     {"17,3": {"text": "tea"}, "17,10": {}, "18,3": {"order": 18}},
		"parcel":   {1: {"line": "17,3"}, 2: {"order": 17, "line_number": 10}, 3: {"order": 18}},
		"tag":      {"50%, off": {}, "new": {}},
		"line_tag": {"17,3,50%25%2C off": {}},
	}))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

func text(rec core.Record, err error) string {
	if err != nil {
		return err.Error()
	}
	return rec.String()
}

func TestRecordsWithKeysOfSeveralFields(t *testing.T) {
	s, ctx := shop(t), t.Context()
	line, tagged := s.Model().Resource("line"), s.Model().Resource("line_tag")
	key, err := line.KeyOf(17, "3")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(s.Get(ctx, line, key)), "line{id:17,3 order:17 number:3 text:tea}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	long, err := tagged.KeyOf(key, "50%, off")
	if got, want := text(s.Get(ctx, tagged, long)), "line_tag{id:17,3,50%25%2C off line:17,3 tag:50%, off note:null}"; err != nil || got != want {
		t.Errorf("got %s, want %s, %v", got, want, err)
	}
	page, err := s.Select(ctx, line, core.Query{Limit: 2})
	if got := fmt.Sprint(keysOf(page.Records)); err != nil || got != "[17,3 17,10]" {
		t.Errorf("first page %s, %v", got, err)
	}
	page, err = s.Select(ctx, line, core.Query{Limit: 2, After: page.Next})
	if got := fmt.Sprint(keysOf(page.Records)); err != nil || got != "[18,3]" {
		t.Errorf("second page %s, %v", got, err)
	}
	for where, want := range map[string]core.Filter{
		"[17,3]":       core.Eq("id", "17,3"),
		"[17,3 17,10]": core.Eq("order", 17),
		"[17,10 18,3]": core.Gt("id", key),
		"[17,3 18,3]":  core.In("id", "17,3", "18,3", "19,3"),
	} {
		page, err := s.Select(ctx, line, core.Query{Where: want})
		if got := fmt.Sprint(keysOf(page.Records)); err != nil || got != where {
			t.Errorf("got %s, want %s, %v", got, where, err)
		}
	}
}

func TestPartsOfAKeyAreNamedOnceAndFixed(t *testing.T) {
	s, ctx := shop(t), t.Context()
	line := s.Model().Resource("line")
	insert := func(fields map[string]any) string {
		rec, err := line.NewRecord(fields)
		if err != nil {
			return err.Error()
		}
		recs, err := s.Insert(ctx, line, rec)
		if err != nil {
			return err.Error()
		}
		return recs[0].String()
	}
	for _, tt := range []struct {
		fields map[string]any
		want   string
	}{
		{map[string]any{"order": 18, "number": 4}, "line{id:18,4 order:18 number:4 text:null}"},
		{map[string]any{"id": "18,5", "text": "x"}, "line{id:18,5 order:18 number:5 text:x}"},
		{map[string]any{"order": 18}, `BAD_REQUEST msg="keys of line are not generated; set the fields order and number"`},
		{map[string]any{"order": 18, "number": nil}, `BAD_REQUEST msg="keys of line are not generated; set the fields order and number"`},
		{map[string]any{"id": "18,6", "number": 7}, `BAD_REQUEST msg="id of line contradicts order and number"`},
		{map[string]any{"order": 18, "number": 4}, `CONFLICT object_name="line" field_names=["order","number"]`},
		{map[string]any{"order": 99, "number": 4}, `OBJECT_DOES_NOT_EXIST object_name="order" object_id=99`},
		{map[string]any{"id": "018,6"}, `BAD_FIELD_VALUE object_name="line" field_name="id" type="tuple" value="018,6" accepted_values="the values of order (int) and number (int), with commas between them": value does not fit the type`},
	} {
		if got := insert(tt.fields); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	key, _ := line.KeyOf(17, 3)
	patch := func(field string, v any) string {
		value, err := line.Field(field).Convert(v)
		if err != nil {
			t.Fatal(err)
		}
		recs, err := s.Update(ctx, line, line.Patch(key).Set(line.Field(field), value).Set(line.Field("text"), core.TextValue("new")))
		if err != nil {
			return err.Error()
		}
		return recs[0].String()
	}
	if got, want := patch("number", 3), "line{id:17,3 order:17 number:3 text:new}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := patch("number", 4), `FIELD_UPDATE_FORBIDDEN object_name="line" field_name="number"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRelationsViaSharedFields(t *testing.T) {
	s, ctx := shop(t), t.Context()
	parcel := s.Model().Resource("parcel")
	update := func(key int64, fields map[string]any) string {
		patch, err := parcel.NewRecord(fields)
		if err != nil {
			return err.Error()
		}
		recs, err := s.Update(ctx, parcel, patch.Set(parcel.Key(), core.IntValue(key)))
		if err != nil {
			return err.Error()
		}
		return recs[0].String()
	}
	for _, tt := range []struct {
		fields map[string]any
		want   string
	}{
		{map[string]any{"line_number": 10}, "parcel{id:1 order:17 line_number:10 line:17,10}"},
		{map[string]any{"line": "18,3"}, "parcel{id:1 order:18 line_number:3 line:18,3}"},
		{map[string]any{"line": nil}, "parcel{id:1 order:18 line_number:null line:null}"},
		{map[string]any{"line": "17,3", "order": 17}, "parcel{id:1 order:17 line_number:3 line:17,3}"},
		{map[string]any{"line": "17,3", "order": 18}, `BAD_REQUEST msg="line of parcel contradicts order and line_number"`},
		{map[string]any{"line_number": 4}, `OBJECT_DOES_NOT_EXIST object_name="line" object_id="17,4"`},
		{map[string]any{"order": nil}, "parcel{id:1 order:null line_number:3 line:null}"},
	} {
		if got := update(1, tt.fields); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.fields, got, tt.want)
		}
	}
	page, err := s.Select(ctx, parcel, core.Query{Where: core.Eq("line", "17,10")})
	if got := fmt.Sprint(page.Records); err != nil || got != "[parcel{id:2 order:17 line_number:10 line:17,10}]" {
		t.Errorf("got %s, %v", got, err)
	}
	line := s.Model().Resource("line")
	key, _ := line.KeyOf(17, 10)
	if err := s.Delete(ctx, line, key); !errors.Is(err, core.StillReferenced) {
		t.Errorf("got %v", err)
	}
}

// A relation of which a record names only some fields is absent: writing null to one field is not the same as detaching.
func TestRecordOfSomePartsLeavesTheOthers(t *testing.T) {
	s, ctx := shop(t), t.Context()
	parcel := s.Model().Resource("parcel")
	values := func(id int64) []core.Value { return []core.Value{core.IntValue(id), core.Null, {}, {}} }
	rec := parcel.RecordOf(values(1))
	if got := rec.Get("line"); !got.IsAbsent() {
		t.Errorf("the relation is %v", got)
	}
	updated, err := s.Update(ctx, parcel, rec)
	if want := "[parcel{id:1 order:null line_number:3 line:null}]"; err != nil || fmt.Sprint(updated) != want {
		t.Errorf("got %v %v, want %s", updated, err, want)
	}
	if got := text(parcel.RecordOf([]core.Value{core.IntValue(1), core.IntValue(17), core.IntValue(3), {}}).Merge(rec), nil); got != "parcel{id:1 order:null line_number:3 line:null}" {
		t.Errorf("merged: %s", got)
	}
}

func TestDefaultRulesOfRelationsInKeys(t *testing.T) {
	m := shop(t).Model()
	for _, tt := range []struct {
		resource, field string
		want            core.OnDelete
	}{
		{"line", "order", core.Restrict}, {"line_tag", "line", core.Cascade}, {"line_tag", "tag", core.Cascade},
		{"parcel", "line", core.Detach}, {"favourite", "line", core.Cascade},
	} {
		if got := m.Resource(tt.resource).Field(tt.field).OnDelete(); got != tt.want {
			t.Errorf("%s.%s: got %s", tt.resource, tt.field, got)
		}
	}
	first, second, ok := m.Resource("line_tag").Join()
	if _, _, other := m.Resource("line").Join(); !ok || other || first.Name() != "line" || second.Name() != "tag" {
		t.Errorf("%v %v %v %v", first, second, ok, other)
	}
	shared := core.MustModel("tenants",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{{Name: "org", Type: core.Int, Key: true}, {Name: "number", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "member", Fields: []core.FieldSpec{
			{Name: "org", Type: core.Int, Key: true}, {Name: "user_number", Type: core.Int, Key: true}, {Name: "friend_number", Type: core.Int, Key: true},
			{Name: "boss_number", Type: core.Int},
			{Name: "team", Type: core.Int, Required: true}, {Name: "lead_number", Type: core.Int}, {Name: "aide_number", Type: core.Int, Required: true}, {Name: "aide_team", Type: core.Int, Required: true},
			{Name: "lead", ToOne: "user", Via: []string{"team", "lead_number"}},
			{Name: "aide", ToOne: "user", Via: []string{"aide_team", "aide_number"}},
			{Name: "user", ToOne: "user", Via: []string{"org", "user_number"}},
			{Name: "friend", ToOne: "user", Via: []string{"org", "friend_number"}},
			{Name: "boss", ToOne: "user", Via: []string{"org", "boss_number"}},
		}},
	).Resource("member")
	if first, second, ok := shared.Join(); !ok || first.Name() != "user" || second.Name() != "friend" || first.OnDelete() != core.Cascade {
		t.Errorf("%v %v %v", first, second, ok)
	}
	if boss := shared.Field("boss"); boss.OnDelete() != core.Detach || fmt.Sprint(boss.OwnParts()) != "[member.boss_number]" {
		t.Errorf("%s %v", boss.OnDelete(), boss.OwnParts())
	}
	if lead := shared.Field("lead"); lead.OnDelete() != core.Detach || fmt.Sprint(lead.OwnParts(), lead.DetachedParts()) != "[member.team member.lead_number] [member.lead_number]" {
		t.Errorf("%s %v %v", lead.OnDelete(), lead.OwnParts(), lead.DetachedParts())
	}
	if aide := shared.Field("aide"); aide.OnDelete() != core.Restrict || aide.Detachable() || len(aide.DetachedParts()) > 0 {
		t.Errorf("%s %v", aide.OnDelete(), aide.DetachedParts())
	}
}

func TestTuplesSortByTheirElements(t *testing.T) {
	ints := []core.Value{core.IntValue(-1 << 63), core.IntValue(-1), core.IntValue(0), core.IntValue(9), core.IntValue(10), core.IntValue(1<<63 - 1)}
	texts := []core.Value{core.TextValue(""), core.TextValue("\x01"), core.TextValue("%"), core.TextValue(","), core.TextValue("a"), core.TextValue("a,"), core.TextValue("ab"), core.TextValue("é")}
	var tuples, want []core.Value
	for _, a := range texts {
		for _, b := range ints {
			want = append(want, core.TupleOf(a, b, core.BoolValue(b.Int() > 0), core.DateValue(time.Unix(b.Int()%1e9, 0))))
		}
	}
	tuples = slices.Clone(want)
	rand.Shuffle(len(tuples), func(i, j int) { tuples[i], tuples[j] = tuples[j], tuples[i] })
	if core.SortKeys(tuples); !slices.Equal(tuples, want) {
		t.Errorf("got %v", tuples)
	}
	for _, v := range want {
		again, err := core.ParseTuple(v.String(), core.Text, core.Int, core.Bool, core.Date)
		if err != nil || again != v {
			t.Errorf("%s: got %s, %v", v, again, err)
		}
	}
}

func TestOnlyTheCanonicalTextOfATupleIsAccepted(t *testing.T) {
	for _, text := range []string{"", "a", "a,1,2", "a,01", "a,+1", "a,", "%61,1", "a%2c,1", "a%,1", "a%2,1", "a, 1", "a,1 "} {
		if v, err := core.ParseTuple(text, core.Text, core.Int); err == nil {
			t.Errorf("%q: %s", text, v)
		}
	}
	f := shop(t).Model().Resource("line").Key()
	for _, raw := range []any{17, "17", "17,3,4", []any{17, 3}, core.TupleOf(core.IntValue(17), core.TextValue("3")), core.TupleOf(core.IntValue(17)), 17.3} {
		if v, err := f.Convert(raw); err == nil {
			t.Errorf("%v: %s", raw, v)
		}
	}
	tag := shop(t).Model().Resource("line_tag")
	if _, err := tag.Key().Convert("1,2," + strings.Repeat("x", 500)); !errors.Is(err, core.BadFieldValue) {
		t.Errorf("a key of more than 500 bytes: %v", err)
	}
}

func TestModelReportsMistakesInKeysOfSeveralFields(t *testing.T) {
	part := func(spec core.FieldSpec) core.FieldSpec { spec.Key = true; return spec }
	number := part(core.FieldSpec{Name: "number", Type: core.Int})
	_, err := core.NewModel("bad",
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{part(core.FieldSpec{Name: "order", Type: core.Int}), number}},
		core.ResourceSpec{Name: "parts", Fields: []core.FieldSpec{
			number, part(core.FieldSpec{Name: "json", Type: core.JSON}), part(core.FieldSpec{Name: "hidden", Type: core.Int, Hidden: true}),
			part(core.FieldSpec{Name: "fixed", Type: core.Int, Writable: core.Never}), part(core.FieldSpec{Name: "many", ToMany: "line"}),
			part(core.FieldSpec{Name: "self", ToOne: "parts"}), part(core.FieldSpec{Name: "numbered", Type: core.Int, NumberedBy: "number"}),
			part(core.FieldSpec{Name: "chain", ToOne: "chain"}),
		}},
		core.ResourceSpec{Name: "chain", Fields: []core.FieldSpec{number, part(core.FieldSpec{Name: "back", ToOne: "parts"})}},
		core.ResourceSpec{Name: "single", Fields: []core.FieldSpec{part(core.FieldSpec{Name: "line", ToOne: "line"})}},
		core.ResourceSpec{Name: "tuple", Fields: []core.FieldSpec{{Name: "own", Type: core.Tuple, Key: true}}},
		core.ResourceSpec{Name: "fields", Fields: []core.FieldSpec{
			id(), {Name: "order", Type: core.Int}, {Name: "text", Type: core.Text}, {Name: "declared", Type: core.Tuple},
			{Name: "lines", ToMany: "line"},
			{Name: "scalar", Type: core.Int, Via: []string{"order", "order"}},
			{Name: "short", ToOne: "line", Via: []string{"order"}},
			{Name: "typed", ToOne: "line", Via: []string{"order", "text"}},
			{Name: "lost", ToOne: "line", Via: []string{"order", "nowhere"}},
			{Name: "derived", ToOne: "line", Via: []string{"order", "short"}},
			{Name: "default", ToOne: "line", Via: []string{"order", "order"}, Default: "1,2"},
		}},
	)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		`"json": one of several key fields must be int, text, uuid, bool, time, date or localtime, not json`,
		`"hidden": a key cannot be hidden`, `"numbered": only a stored int can have NumberedBy, without Key`, `"fixed": a key cannot have Writable`,
		`"many": one of several key fields must be a scalar or a stored to-one relation without Via`,
		`"self": the key of "parts" contains the key of its own resource`, `"chain": the key of "chain" contains the key of its own resource`,
		`"declared": type tuple cannot be declared`, `"lines": a stored list cannot point at "line", which has several key fields`,
		`"scalar": only a stored to-one relation can have Via`, `"short": Via has fields of the types int, and the key of "line" has int,int`,
		`"typed": Via has fields of the types int,text, and the key of "line" has int,int`, `"lost": Via names "nowhere", which is no field`,
		`"line": a single key cannot be a relation; make it a scalar and add a relation with Via: []string{"line"}`,
		`"own": type tuple cannot be declared`,
		`"derived": Via names "short"; it can only name stored scalars and to-one relations without Via`,
		`"default": a relation with Via cannot have Default or Was`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestPolicyMaySetAPartOfTheKey(t *testing.T) {
	m := core.MustModel("notes", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		{Name: "owner", Type: core.Text, Key: true}, {Name: "number", Type: core.Int, Key: true},
	}})
	note := m.Resource("note")
	owner := around("owner", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Insert {
			op.Records = []core.Record{op.Records[0].Set(note.Field("owner"), core.TextValue("alice"))}
		}
		return next(ctx, op)
	})
	s, err := core.New(t.Context(), m, memory.New(), owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, fields := range []map[string]any{{"number": 1}, {"owner": "bob", "number": 2}} {
		rec, err := note.NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		recs, err := s.Insert(t.Context(), note, rec)
		if want := fmt.Sprintf("[note{id:alice,%v owner:alice number:%v}]", fields["number"], fields["number"]); err != nil || fmt.Sprint(recs) != want {
			t.Errorf("got %v, %v, want %s", recs, err, want)
		}
	}
}
