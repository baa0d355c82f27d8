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

func TestDecoratorKindsAndTypesHaveNames(t *testing.T) {
	var names []string
	for _, k := range []core.DecoratorKind{core.KindObserve, core.KindPolicy, core.KindEffect, core.KindAnswer, 0} {
		names = append(names, k.String())
	}
	for _, typ := range slices.Concat(allTypes, []core.Type{0, 255}) {
		names = append(names, typ.String())
	}
	want := "observe policy effect answer none int float text bool time uuid bytes json list type(0) type(255)"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s", got)
	}
}
