// Actions serves issues with endpoints of its own, which transfer an issue and close all issues of a project, and with a hook
// that keeps their history:
//
//	go run ./cookbook/actions
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
)

var model = core.MustModel("actions",
	core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text, Required: true},
		{Name: "issues", ToMany: "issue", Inverse: "project"},
	}},
	core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text, Required: true},
		{Name: "open", Type: core.Bool, Default: true},
		{Name: "project", ToOne: "project"},
		{Name: "events", ToMany: "event", Inverse: "issue"},
	}},
	core.ResourceSpec{Name: "event", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "issue", ToOne: "issue", OnDelete: core.Cascade},
		{Name: "text", Type: core.Text},
	}},
)

// policy lets every client create projects and issues and edit or close issues. No client may set the project of an issue, or write events.
var policy = access.Policy{
	{Roles: []string{access.Anonymous}, Resource: "project", Operations: access.Read | access.Insert},
	{Roles: []string{access.Anonymous}, Resource: "issue", Operations: access.Read | access.Insert},
	{Roles: []string{access.Anonymous}, Resource: "issue", Operations: access.Update, Fields: []string{"title", "open"}},
	{Roles: []string{access.Anonymous}, Resource: "event", Operations: access.Read},
}

var actions = []rest.Action{
	{
		Resource: "issue", Name: "transfer", Description: "Moves an open issue to another project.",
		Input: []core.FieldSpec{
			{Name: "project", ToOne: "project", Required: true},
			{Name: "reason", Type: core.Text, Required: true, MinLength: 3, MaxLength: 200},
		},
		Run: transfer,
	},
	{
		Resource: "issue", Name: "close", Whole: true, Description: "Closes all open issues of a project.",
		Input:  []core.FieldSpec{{Name: "project", ToOne: "project", Required: true}},
		Output: []core.FieldSpec{{Name: "closed", Type: core.Int}},
		Run:    closeAll,
	},
}

func transfer(ctx context.Context, call *rest.Call) error {
	issue, err := call.Tx.List(ctx, "issue", engine.Query{Filter: map[string]any{"id": call.ID, "open": true}})
	if err == nil && len(issue.Views) == 0 {
		err = &core.Error{Code: core.BadRequest, Message: "a closed issue stays where it is"}
	}
	if err != nil {
		return err
	}
	// The policy lets no client set the project of an issue. The program may, after its own checks.
	program, project := core.System(ctx), call.Input.Get("project")
	if _, err := call.Tx.Update(program, "issue", call.ID, engine.Write{}, map[string]any{"project": project}); err != nil {
		return err
	}
	event := map[string]any{"issue": call.ID, "text": "reason: " + call.Input.Get("reason").Text()}
	_, err = call.Tx.Create(program, "event", engine.Write{}, event)
	return err
}

func closeAll(ctx context.Context, call *rest.Call) error {
	open := engine.Bulk{Filter: map[string]any{"project": call.Input.Get("project"), "open": true}, Max: 1000}
	n, err := call.Tx.UpdateAll(ctx, "issue", open, map[string]any{"open": false})
	call.Output = map[string]any{"closed": n}
	return err
}

// history returns a hook that adds an event for each issue that moves or is closed, whatever moves or closes it. It announces
// the event once the transaction has committed.
func history(announce func(text string)) core.Decorator {
	return core.OnWrite("issue", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		var events []core.Record
		for _, c := range changes {
			var text string
			switch before, after := c.Before, c.After; {
			case before.IsZero() || after.IsZero():
				continue
			case before.Get("project") != after.Get("project"):
				text = fmt.Sprintf("moved from project %s to project %s", before.Get("project"), after.Get("project"))
			case before.Get("open").Bool() && !after.Get("open").Bool():
				text = "closed"
			default:
				continue
			}
			event, err := tx.Model().Resource("event").NewRecord(map[string]any{"issue": c.After.Key(), "text": text})
			if err != nil {
				return err
			}
			events = append(events, event)
			tx.AfterCommit(func(context.Context) { announce(fmt.Sprintf("issue %s: %s", c.After.Key(), text)) })
		}
		_, err := tx.Insert(core.System(ctx), tx.Model().Resource("event"), events...)
		return err
	})
}

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, api, err := open(ctx, backend, func(text string) { fmt.Println(text) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return serve(ctx, store, api)
}

// open returns the store with the policy and, inside it, the hook, and the handler with the actions.
func open(ctx context.Context, backend core.Backend, announce func(text string)) (*core.Store, *rest.Handler, error) {
	store, err := core.New(ctx, model, backend, access.New(policy, access.Options{}), history(announce))
	if err != nil {
		return nil, nil, err
	}
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Actions: actions})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, api, nil
}
