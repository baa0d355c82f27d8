package main

import (
	"context"
	_ "embed"

	"github.com/larder-go/larder/core"
)

// policyJSON permits what its rules list, and nothing else. Operators keep users, organisations and memberships, and see nothing of
// the work. In an organisation, readers read, members work on issues, and admins decide about the rest.
//
//go:embed policy.json
var policyJSON []byte

// A user can belong to several organisations, and the policy compares no two records with each other. These hooks do: the assignee
// of an issue is a member of its organisation, and its labels belong to the same organisation.
var assigneeIsMember = sameTenant("issue", "assignee", func(issue core.Record) core.Filter {
	return core.Related("memberships", core.Related("organisation", core.Related("projects", core.Eq("id", issue.Get("project")))))
})
var labelIsOwn = sameTenant("issue_label", "label", func(link core.Record) core.Filter {
	return core.Related("organisation", core.Related("projects", core.Related("issues", core.Eq("id", link.Get("issue")))))
})

// sameTenant returns a hook that rejects a record whose field names a record that does not match.
func sameTenant(resource, field string, match func(core.Record) core.Filter) core.Decorator {
	return core.OnWrite(resource, func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		for i, c := range changes {
			if c.After.IsZero() || !c.After.Get(field).IsSet() || !c.Before.IsZero() && c.Before.Get(field) == c.After.Get(field) {
				continue
			}
			target := c.After.Resource().Field(field).Target()
			n, err := tx.Count(core.System(ctx), target, core.And(core.Eq(target.Key().Name(), c.After.Get(field)), match(c.After)))
			if err == nil && n == 0 {
				err = &core.Error{Code: core.ValidationFailed, Violations: []core.Violation{
					{Resource: resource, Path: []any{field}, Rule: "tenant", Accepted: "a " + target.Name() + " of the same organisation", Record: i},
				}}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
