package main

import (
	"context"

	"github.com/larder-go/larder/core"
)

// model has the records of one tenant. Every tenant has the tables of the model in a schema of its own, so that its ids and its
// numbers begin with 1.
var model = core.MustModel("tracker",
	core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text, Required: true, MinLength: 1, MaxLength: 100, Unique: true},
		{Name: "issues", ToMany: "issue", Inverse: "project"},
	}},
	core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "project", ToOne: "project", Required: true, OnDelete: core.Cascade},
		{Name: "number", Type: core.Int, NumberedBy: "project"},
		{Name: "title", Type: core.Text, Required: true, MinLength: 1, MaxLength: 200},
	}, Unique: [][]string{{"project", "number"}}},
	core.ResourceSpec{Name: core.AnswersName}, // remembers the answers to writes with an Idempotency-Key
)

// modelVersion is the version of the model. Increase it with each change: the program then migrates the schemas of all tenants with
// a lower version. During a rolling deployment, programs with the lower version leave the schemas as they are.
const modelVersion = 1

// tenant is a record of the register, which lists the tenants.
type tenant struct {
	ID      int64
	Name    string
	State   string
	Shard   string  // server of the tenant's schema
	Copy    int64   // part of the name of the schema; each copy of a move has a higher one
	Target  *string // server of the other copy: the new one while moving, the former one once moved
	Other   int64   // number of that copy
	Version int64   // of the model
	Problem string  // the error of the last attempt to reach the state active, or ""
}

// registerModel returns the model of the register for the servers with these names. Operators set only name, shard, state and
// target: policy.json permits the states that begin something, and the program sets the others.
func registerModel(shards []any) (*core.Model, error) {
	return core.NewModel("tenants", core.ResourceSpec{Name: core.AnswersName}, core.ResourceSpec{Name: "tenant", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text, Required: true, Pattern: `^[a-z][a-z0-9\-]{1,30}$`, Unique: true, Writable: core.Never},
		{Name: "state", Type: core.Text, Required: true, Indexed: true, Default: "creating", Transitions: map[string][]string{
			"": {"creating"}, "creating": {"active", "deleting"}, "active": {"moving", "deleting"},
			"moving": {"moved", "returning", "deleting"}, "moved": {"active"}, "returning": {"active"}, "deleting": {"deleted"}, "deleted": nil,
		}},
		{Name: "shard", Type: core.Text, Required: true, OneOf: shards, Default: shards[0], Writable: core.Never},
		{Name: "copy", Type: core.Int, Required: true, Default: 1, ReadOnly: true},
		{Name: "target", Type: core.Text, OneOf: shards},
		{Name: "other", Type: core.Int, Required: true, Default: 0, ReadOnly: true},
		{Name: "version", Type: core.Int, Required: true, Default: 0, ReadOnly: true},
		{Name: "problem", Type: core.Text, Required: true, Default: "", ReadOnly: true},
	}, Validate: moveHasTarget})
}

func moveHasTarget(_ context.Context, _, after core.Record) ([]core.Violation, error) {
	target := after.Get("target")
	if after.Get("state").Text() == "moving" && (!target.IsSet() || target == after.Get("shard")) {
		return []core.Violation{{Path: []any{"target"}, Rule: "target", Accepted: "another server for a tenant that moves"}}, nil
	}
	return nil, nil
}
