package policytest_test

import (
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

func TestGuardOnResourcesWithoutRowsAndWithClocks(t *testing.T) {
	owner := core.FieldSpec{Name: "owner", Type: core.Int}
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	g := stack(owning())
	g.Model = core.MustModel("clocks",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id, owner, {Name: "made", Type: core.Time, Default: func() any { return time.Now() }},
		}},
		core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{{Name: "slug", Type: core.Text, Key: true}, owner}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{id, owner, {Name: "about", ToOne: "cookie"}}},
	)
	g.Rows = seed.Data{"cookie": {1: {"owner": 1}, 2: {"owner": 2}, 3: {"owner": 1}}}
	g.Principals = []*core.Principal{{ID: core.IntValue(1)}, {ID: core.IntValue(2)}}
	g.CanRead = func(p *core.Principal, row core.Record) bool { return p.ID.IsSet() && row.Get("owner") == p.ID }
	policytest.Guard(t, kittest.OpenNaive, g)
}
