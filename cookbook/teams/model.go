package main

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/stamp"
)

var id = core.FieldSpec{Name: "id", Type: core.Int, Key: true}

// teams is the model. A project takes its issues along when it is deleted, and an issue its comments. An issue has any number
// of labels, and a label any number of issues: the records of issue_label join them.
var teams = core.MustModel("teams",
	core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
		{Name: "name", Type: core.Text, Key: true},
		{Name: "email", Type: core.Text},
		{Name: "memberships", ToMany: "membership", Inverse: "user"},
	}},
	core.ResourceSpec{Name: "organisation", Fields: []core.FieldSpec{
		id,
		{Name: "name", Type: core.Text},
		{Name: "memberships", ToMany: "membership", Inverse: "organisation"},
		{Name: "projects", ToMany: "project", Inverse: "organisation"},
	}},
	core.ResourceSpec{Name: "membership", Fields: []core.FieldSpec{
		id,
		{Name: "organisation", ToOne: "organisation"},
		{Name: "user", ToOne: "user", Default: self},
		{Name: "role", Type: core.Text, Default: "member"},
	}},
	core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
		id,
		{Name: "organisation", ToOne: "organisation"},
		{Name: "name", Type: core.Text},
		{Name: "public", Type: core.Bool, Default: false},
		{Name: "issues", ToMany: "issue", Inverse: "project"},
	}},
	core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		id,
		{Name: "project", ToOne: "project", OnDelete: core.Cascade},
		{Name: "number", Type: core.Int, NumberedBy: "project"},
		{Name: "title", Type: core.Text},
		{Name: "text", Type: core.Text},
		{Name: "open", Type: core.Bool, Default: true},
		{Name: "author", ToOne: "user", ReadOnly: true},
		{Name: "labels", ToMany: "label", Through: "issue_label"},
		{Name: "comments", ToMany: "comment", Inverse: "issue"},
	}},
	core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{
		id,
		{Name: "organisation", ToOne: "organisation"},
		{Name: "name", Type: core.Text},
		{Name: "issues", ToMany: "issue", Through: "issue_label"},
	}},
	core.ResourceSpec{Name: "issue_label", Fields: []core.FieldSpec{
		id,
		{Name: "issue", ToOne: "issue"},
		{Name: "label", ToOne: "label"},
		{Name: "added_by", ToOne: "user", ReadOnly: true},
	}, Unique: [][]string{{"issue", "label"}}},
	core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
		id,
		{Name: "issue", ToOne: "issue", OnDelete: core.Cascade},
		{Name: "author", ToOne: "user", ReadOnly: true},
		{Name: "text", Type: core.Text},
	}},
)

// self returns the id of the principal: a membership that names no user is that of the user who creates it.
func self(ctx context.Context) any {
	if p := core.PrincipalOf(ctx); p != nil && p.ID.IsSet() {
		return p.ID
	}
	return nil
}

// firstDay holds the records of a new store.
var firstDay = seed.Data{
	"user": {
		"ada":   {"email": "ada@example.com"},
		"bob":   {"email": "bob@example.com"},
		"carol": {"email": "carol@example.com"},
	},
	"organisation": {1: {"name": "Analytical Engines"}},
	"membership": {
		1: {"organisation": 1, "user": "ada", "role": "admin"},
		2: {"organisation": 1, "user": "bob", "role": "member"},
	},
	"project": {
		1: {"organisation": 1, "name": "mill", "public": false},
		2: {"organisation": 1, "name": "store", "public": true},
	},
	"issue": {
		1: {"project": 1, "number": 1, "title": "gears slip", "text": "worn teeth", "open": true, "author": "bob"},
		2: {"project": 2, "number": 1, "title": "columns stick", "text": "oil them", "open": true, "author": "ada"},
	},
	"label": {
		1: {"organisation": 1, "name": "urgent"},
		2: {"organisation": 1, "name": "question"},
	},
	"issue_label": {1: {"issue": 1, "label": 1, "added_by": "ada"}},
	"comment": {
		1: {"issue": 1, "author": "ada", "text": "which ones?"},
		2: {"issue": 2, "author": "bob", "text": "done"},
	},
}

// fill inserts the records of the first day into a store that is empty. The program acts for itself, as core.System, so
// that no rule applies, and the records keep their authors.
func fill(ctx context.Context, store *core.Store) error {
	records, err := seed.Records(teams, firstDay)
	if err != nil {
		return err
	}
	return store.Tx(stamp.Unstamped(core.System(ctx)), func(ctx context.Context, tx *core.Transaction) error {
		for i, r := range teams.Resources() {
			if n, err := tx.Count(ctx, r, core.All()); err != nil || n > 0 {
				return err
			}
			if _, err := tx.Insert(ctx, r, records[i]...); err != nil {
				return err
			}
		}
		return nil
	})
}
