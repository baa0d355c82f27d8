package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestUnknownKindsWrite(t *testing.T) {
	var reads []string
	for _, k := range append(core.Kinds(), 0, 200) {
		if !k.Writes() {
			reads = append(reads, k.String())
		}
	}
	if got := strings.Join(reads, " "); got != "load select count" {
		t.Errorf("do not write: %s", got)
	}
	names := make([]string, 0, 10)
	for _, k := range append(core.Kinds(), 0, 200) {
		names = append(names, k.String())
	}
	if got := strings.Join(names, " "); got != "load select count insert update delete next_id tx kind(0) kind(200)" {
		t.Errorf("got %s", got)
	}
}

func TestTransactionWritesUnlessItIsReadOnly(t *testing.T) {
	for _, c := range []struct {
		op   core.Op
		want bool
	}{
		{core.Op{Kind: core.Tx, Tx: &core.TxInfo{}}, true},
		{core.Op{Kind: core.Tx, Tx: &core.TxInfo{ReadOnly: true}}, false},
		{core.Op{Kind: core.Load, Tx: &core.TxInfo{}}, false},
		{core.Op{Kind: core.Insert, Tx: &core.TxInfo{ReadOnly: true}}, true}, // tries to
		{core.Op{Kind: core.Tx}, true},
	} {
		if c.op.Writes() != c.want {
			t.Errorf("%s: want %v", c.op.Kind, c.want)
		}
	}
}

func TestGuardNarrowsBothImages(t *testing.T) {
	r := cookies(t).Resource("cookie")
	var op core.Op
	op.Guard(r.Key().Compare(core.FilterEq, core.IntValue(1)))
	op.Guard(r.Key().Compare(core.FilterEq, core.IntValue(2)))
	for _, f := range []core.Filter{op.Using, op.Check} {
		if got := f.String(); got != "(id = [1] and id = [2])" {
			t.Errorf("got %s", got)
		}
	}
}

func TestGuardEqualIsTheGuardOfAComparison(t *testing.T) {
	r := cookies(t).Resource("cookie")
	one := core.IntValue(1)
	for _, first := range []core.Value{one, core.IntValue(2)} { // with room in the op, and without
		for _, c := range []struct {
			field string
			value core.Value
			want  string
		}{
			{"id", one, "id = [1]"},
			{"type", core.TextValue("a"), `type = ["a"]`},
			{"jar", one, "jar = [1]"},
			{"id", core.TextValue("1"), "none"},
			{"id", core.BoolValue(true), "none"},
			{"type", one, "none"},
			{"type", core.Null, "none"},
			{"type", core.Value{}, "none"},
		} {
			var op core.Op
			want := c.want
			if first != one {
				op.GuardEqual(r.Key(), first)
				if want = "(id = [2] and " + c.want + ")"; c.want == "none" {
					want = c.want
				}
			}
			op.GuardEqual(r.Field(c.field), c.value)
			if op.Using.String() != want || op.Check.String() != want || !op.Using.Bound() {
				t.Errorf("%s = %s: got %s and %s, want %s", c.field, c.value, op.Using, op.Check, want)
			}
		}
	}
	many := cookies(t).Resource("jar").Field("cookies")
	var op core.Op
	if op.GuardEqual(many, one); op.Using.Kind() != core.FilterNone {
		t.Errorf("of a field that is not stored: %s", op.Using)
	}
}

func TestGuardEqualNarrowsACopyOfTheOpAlone(t *testing.T) {
	r := cookies(t).Resource("cookie")
	var op core.Op
	op.GuardEqual(r.Key(), core.IntValue(1))
	further := op
	further.GuardEqual(r.Key(), core.IntValue(2))
	if op.Using.String() != "id = [1]" || further.Using.String() != "(id = [1] and id = [2])" {
		t.Errorf("got %s and %s", op.Using, further.Using)
	}
}

func TestGuardEqualTakesNoMemory(t *testing.T) {
	f := cookies(t).Resource("cookie").Key()
	op := new(core.Op)
	if n := testing.AllocsPerRun(100, func() {
		*op = core.Op{}
		op.GuardEqual(f, core.IntValue(1))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLayersAndTypesHaveNames(t *testing.T) {
	var names []string
	for _, l := range []core.Layer{core.Observe, core.Policy, core.Answer, 0} {
		names = append(names, l.String())
	}
	for _, typ := range slices.Concat(allTypes, []core.Type{0, 255}) {
		names = append(names, typ.String())
	}
	want := "observe policy answer none int float text bool time uuid bytes json list type(0) type(255)"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s", got)
	}
}
