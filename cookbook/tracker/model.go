package main

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/audit"
)

var (
	id      = core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	author  = core.FieldSpec{Name: "author", ToOne: "user", ReadOnly: true}
	created = core.FieldSpec{Name: "created", Type: core.Time, ReadOnly: true, Indexed: true}
	updated = core.FieldSpec{Name: "updated", Type: core.Time, ReadOnly: true}
	deleted = core.FieldSpec{Name: "deleted", Type: core.Time, Hidden: true}
	living  = core.Eq("deleted", nil)
)

// model has everything that the service keeps. An organisation is a tenant: its projects, with their issues and comments, and
// its labels are visible to its members only. The rules for values hold for clients and for the program.
var model = core.MustModel("tracker", resources...)

var resources = []core.ResourceSpec{
	{Name: "user", Description: "A person, by the name in the tokens.", Fields: []core.FieldSpec{
		{Name: "name", Type: core.Text, Key: true, Pattern: `^[a-z][a-z0-9\-]{1,30}$`},
		{Name: "email", Type: core.Text, MaxLength: 254},
		{Name: "memberships", ToMany: "membership", Inverse: "user"},
	}},
	{Name: "organisation", Description: "A tenant.", Fields: []core.FieldSpec{
		id,
		{Name: "name", Type: core.Text, Required: true, MinLength: 1, MaxLength: 100, Unique: true},
		{Name: "memberships", ToMany: "membership", Inverse: "organisation"},
		{Name: "projects", ToMany: "project", Inverse: "organisation"},
		{Name: "labels", ToMany: "label", Inverse: "organisation"},
	}},
	{Name: "membership", Description: "The role of a user in an organisation.", Fields: []core.FieldSpec{
		id,
		{Name: "organisation", ToOne: "organisation", Required: true, OnDelete: core.Cascade},
		{Name: "user", ToOne: "user", Required: true},
		{Name: "role", Type: core.Text, Required: true, OneOf: []any{"admin", "member", "reader"}, Default: "member"},
	}, Unique: [][]string{{"organisation", "user"}}},
	{Name: "project", Fields: []core.FieldSpec{
		id,
		{Name: "organisation", ToOne: "organisation", Required: true},
		{Name: "name", Type: core.Text, Required: true, MinLength: 1, MaxLength: 100},
		{Name: "issues", ToMany: "issue", Inverse: "project"},
	}, Unique: [][]string{{"organisation", "name"}}},
	{Name: "issue", Fields: []core.FieldSpec{
		id,
		{Name: "project", ToOne: "project", Required: true, OnDelete: core.Cascade},
		{Name: "number", Type: core.Int, NumberedBy: "project", Description: "The number in the project, from 1."},
		{Name: "title", Type: core.Text, Required: true, MinLength: 1, MaxLength: 200, Searchable: true},
		{Name: "text", Type: core.Text, MaxLength: 20_000, Searchable: true},
		{Name: "state", Type: core.Text, Required: true, Default: "open", Transitions: map[string][]string{
			"": {"open"}, "open": {"started", "closed"}, "started": {"open", "closed"}, "closed": {"open"},
		}},
		{Name: "resolution", Type: core.Text, OneOf: []any{"done", "duplicate", "rejected"}},
		{Name: "priority", Type: core.Text, Required: true, OneOf: []any{"low", "normal", "high"}, Default: "normal", Unordered: true},
		{Name: "due", Type: core.Date},
		author,
		{Name: "assignee", ToOne: "user"},
		created, updated, deleted,
		{Name: "labels", ToMany: "label", Through: "issue_label"},
		{Name: "comments", ToMany: "comment", Inverse: "issue"},
	}, Indexes: []core.Index{
		{Fields: []string{"project", "number"}, Where: living, Unique: true},
		{Fields: []string{"project", "state", "due"}},
	}, Validate: closedWithResolution},
	{Name: "label", Fields: []core.FieldSpec{
		id,
		{Name: "organisation", ToOne: "organisation", Required: true, OnDelete: core.Cascade},
		{Name: "name", Type: core.Text, Required: true, Pattern: "^[a-z]+$", MaxLength: 30},
		{Name: "issues", ToMany: "issue", Through: "issue_label"},
	}, Unique: [][]string{{"organisation", "name"}}},
	{Name: "issue_label", Description: "A label of an issue.", Fields: []core.FieldSpec{
		id, {Name: "issue", ToOne: "issue", Required: true}, {Name: "label", ToOne: "label", Required: true}, deleted,
	}, Indexes: []core.Index{{Fields: []string{"issue", "label"}, Where: living, Unique: true}}},
	{Name: "comment", Fields: []core.FieldSpec{
		id,
		{Name: "issue", ToOne: "issue", Required: true, OnDelete: core.Cascade},
		author,
		{Name: "text", Type: core.Text, Required: true, MinLength: 1, MaxLength: 20_000, Searchable: true},
		created, deleted,
	}},
	audit.Resource("entry", "issue", "comment", "issue_label"), // who changed what
	{Name: core.AnswersName},                                   // remembers the answers to writes with an Idempotency-Key
}

// closedWithResolution is a rule over two fields: closed issues have a resolution, and others have none.
func closedWithResolution(_ context.Context, _, after core.Record) ([]core.Violation, error) {
	if closed := after.Get("state").Text() == "closed"; closed != after.Get("resolution").IsSet() {
		return []core.Violation{{Path: []any{"resolution"}, Rule: "resolution", Accepted: "a value for closed issues, and null for others"}}, nil
	}
	return nil, nil
}
