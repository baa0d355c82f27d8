package main

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var actions = []rest.Action{{
	Resource: "issue", Name: "transfer", Run: transfer,
	Description: "Moves an issue that is not closed to another project of its organisation, where it gets the next number.",
	Input: []core.FieldSpec{
		{Name: "project", ToOne: "project", Required: true},
		{Name: "reason", Type: core.Text, Required: true, MinLength: 3, MaxLength: 200},
	},
}}

// transfer is one transaction. It first writes a comment as the caller, so that callers who must not comment cannot transfer. Then
// it moves the issue as the program, because no caller may set the project or the number of an issue.
func transfer(ctx context.Context, call *rest.Call) error {
	target := call.Input.Get("project")
	found, err := call.Tx.List(ctx, "issue", engine.Query{Depth: 1, Fields: []string{"project.name", "number"}, Filter: map[string]any{
		"id": call.ID, "state": map[string]any{"ne": "closed"}, "project": map[string]any{"ne": target},
		"project.organisation.projects": map[string]any{"$any": map[string]any{"id": target}},
	}})
	if err == nil && len(found.Views) == 0 {
		err = &core.Error{Code: core.BadRequest, Message: "only an issue that is not closed moves, and to another project of its organisation"}
	}
	if err != nil {
		return err
	}
	issue := found.Views[0].Any().(map[string]any)
	text := fmt.Sprintf("Was %s #%s: %s", issue["project"].(map[string]any)["name"], issue["number"], call.Input.Get("reason").Text())
	if _, err := call.Tx.Create(ctx, "comment", engine.Write{}, map[string]any{"issue": call.ID, "text": text}); err != nil {
		return err
	}
	moved := map[string]any{"project": target, "number": nil} // null takes the next number
	_, err = call.Tx.Update(core.System(ctx), "issue", call.ID, engine.Write{SetReadOnly: true}, moved)
	return err
}
