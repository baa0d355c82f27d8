package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// Action is an operation of the program's own, with a URL beside those of a resource:
//
//	rest.Action{
//		Resource: "issue", Name: "transfer",
//		Input: []core.FieldSpec{{Name: "project", ToOne: "project", Required: true}},
//		Run: func(ctx context.Context, call *rest.Call) error {
//			_, err := call.Tx.Update(ctx, "issue", call.ID, engine.Write{}, call.Input.Map())
//			return err
//		},
//	}
//
// serves POST /issue/{id}/transfer. The call is one transaction, and everything that it reads and writes through [Call.Tx]
// has the policies, errors and limits of other requests. See the section Actions of the package comment.
type Action struct {
	// Resource is the API name of the resource.
	Resource string
	// Name is the name in the URL and in errors about the input. It is formed like the API name of a field. Two actions of one
	// resource have different names, and an action of a record cannot have the name of a to-many relation.
	Name string
	// Whole makes it an action of the resource as a whole, POST /issue/$NAME. Default: an action of one record, POST
	// /issue/{id}/NAME.
	Whole bool
	// Description says to people what the action does, in the OpenAPI document.
	Description string
	// Input declares the members of the body, an object; nil for a body without members. The fields are scalars and to-one
	// relations, with defaults, descriptions and rules for values as in a model: from Required to Schema, without Transitions.
	// A to-one relation takes the id of a record that the principal can read.
	Input []core.FieldSpec
	// Output declares the members of the answer, an object, in the same way; null members are left out. With nil, an action
	// of a record answers like a GET of the record at the depth and with the fields of the request, or 204 if the principal
	// cannot read the record any more. An action of a whole resource answers 204.
	Output []core.FieldSpec
	// Run performs the action. It must use the context that it gets, and not keep call. It runs in several goroutines at
	// once, and again when the transaction is repeated after a conflict: effects other than those of call.Tx belong into
	// [engine.Engine.AfterCommit].
	//
	// An error undoes everything. A [*core.Error] or [core.Code] is answered with its status and details, as if the handler
	// itself had returned it. For a rule of the program's own, the codes [core.BadRequest] (400) and [core.Forbidden] (403)
	// show their Message to the client, and [core.ValidationFailed] (400) its Violations; most other codes show no Message.
	// Any other error, and a panic, is logged and answered with 500.
	Run func(ctx context.Context, call *Call) error
}

// Call is one call of an [Action].
type Call struct {
	// Tx is the engine in the transaction of the call, see [engine.Engine.Tx].
	Tx *engine.Engine
	// ID is the key of the record of the URL, which the principal can read. It is absent for an action of a whole resource.
	ID core.Value
	// Input has the valid values of the body. Input.Get("project") returns a value by the name of its field; the value of a
	// to-one relation is the id. Members that the body leaves out are absent, unless they have a default.
	Input core.Record
	// Output is set by Run to the members of the answer, by the names of [Action.Output]. A value that does not fit its
	// field is a failure of the server. So are members of an action without Output.
	Output map[string]any
}

// action is an action that is ready to serve.
type action struct {
	Action

	input, output *shape
}

// operation returns the name of the action in the last segment of its URL, not escaped.
func (a *action) operation() string {
	if a.Whole {
		return "$" + a.Name
	}
	return a.Name
}

// path returns the escaped path of the action below the prefix, with {id} for the id of a record.
func (a *action) path() string {
	resource, name := "/"+url.PathEscape(a.Resource), url.PathEscape(a.Name)
	if a.Whole {
		return resource + "/$" + name
	}
	return resource + "/{id}/" + name
}

// newActions checks the actions. The error names every mistake.
func newActions(api *engine.Engine, specs []Action) ([]*action, error) {
	var errs []error
	all := make([]*action, 0, len(specs))
	taken := make(map[string]bool)
	for _, spec := range specs {
		a := &action{Action: spec}
		if err := a.prepare(api.Model(), taken); err != nil {
			errs = append(errs, fmt.Errorf("option Actions: action %q of resource %q: %w", spec.Name, spec.Resource, err))
		}
		all = append(all, a)
	}
	return all, errors.Join(errs...)
}

// prepare checks the action and makes its shapes.
func (a *action) prepare(m *core.Model, taken map[string]bool) (err error) {
	r := m.ResourceByAPIName(a.Resource)
	switch path := a.path(); {
	case r == nil:
		return errors.New("the model has no such resource; Resource is the API name of one")
	case a.Run == nil:
		return errors.New("needs a Run function")
	case taken[path]:
		return errors.New("exists already; give each action a name of its own")
	case a.operation() == aggregateName:
		return errors.New("has the name of an operation of the handler; choose another name")
	default:
		taken[path] = true
	}
	if f := r.FieldByAPIName(a.Name); f != nil && engine.ToMany(f) && !a.Whole {
		return errors.New("has the name of a to-many relation, whose list has the same URL; choose another name")
	}
	if _, err := newShape(m, a.Name, nil); err != nil { // nothing but the name can be wrong
		return errors.New(`needs a Name of letters, digits, "_" and inner "-"; Whole adds the "$" of the URL`)
	}
	if a.input, err = newShape(m, a.Name, a.Input); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if a.Output == nil {
		return nil
	}
	if a.output, err = newShape(m, a.Name, a.Output); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// actionEndpoint is the endpoint of all actions.
var actionEndpoint = endpoint{"POST, OPTIONS", "", map[string]func(*exchange) error{
	http.MethodPost:    (*exchange).act,
	http.MethodOptions: (*exchange).allowedMethods,
}}

// act performs an action.
func (x *exchange) act() error {
	a := x.action
	w, err := x.actionOptions()
	if err != nil {
		return err
	}
	body, err := x.readObject()
	if err != nil {
		return err
	}
	input, err := a.input.read(x.ctx, body, x.api.Options().MaxValue)
	if err != nil {
		return err
	}
	var view *engine.View // nil if the answer shows no record
	var output []byte     // nil if the answer has no output
	err = x.api.Tx(x.ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
		id, err := x.matchRecord(ctx, tx, w)
		if err != nil {
			return err
		}
		call := &Call{Tx: tx, ID: id, Input: input}
		if err := a.input.checkTargets(ctx, tx, input); err != nil {
			return err
		}
		if err := a.Run(ctx, call); err != nil {
			return err
		}
		view, output = nil, nil // of an attempt before
		switch {
		case a.output != nil:
			output, err = a.output.write(call.Output)
			if limit := tx.Options().MaxBytes; err == nil && len(output) > limit {
				err = &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("the answer has more than %d bytes; ask for less", limit)}
			}
			if err == nil && x.reserved.budget != nil { // a batch reserves its answers itself
				err = x.reserved.tryAcquire(answerFactor * int64(len(output)))
			}
			return err
		case call.Output != nil:
			return errNoOutput
		case a.Whole || w.Minimal:
			return nil
		}
		after, err := tx.Get(ctx, x.resource.name, x.id, w.Depth, w.Fields...)
		if err == nil {
			view = &after
		}
		return withoutDenial(err)
	})
	if err != nil {
		return err
	}
	x.outcome.Output = output
	x.answerAction(w, view, output)
	return nil
}

var errNoOutput = errors.New("an action without Output has set Call.Output; declare the Output of the action")

// actionOptions reads the arguments and the preconditions of an action. One of a whole resource has none.
func (x *exchange) actionOptions() (w engine.Write, err error) {
	if x.action.Whole {
		_, err = x.params()
		return w, err
	}
	w, err = x.writeOptions()
	w.Minimal = x.action.output == nil && x.prefersMinimal()
	return w, err
}

// matchRecord compares the preconditions with the record of the URL, and returns its key; absent for a whole resource.
func (x *exchange) matchRecord(ctx context.Context, tx *engine.Engine, w engine.Write) (core.Value, error) {
	if x.action.Whole {
		return core.Value{}, nil
	}
	view, err := tx.Get(ctx, x.resource.name, x.id, w.Depth, w.Fields...)
	switch {
	case err == nil && w.Match != nil:
		err = w.Match(&view)
	case errors.Is(err, core.NotFound) && w.Match != nil:
		if failed := w.Match(nil); failed != nil {
			err = failed
		}
	}
	return view.Key(), err
}

// withoutDenial returns nil for the error of a read that says that the principal cannot read the record.
func withoutDenial(err error) error {
	if errors.Is(err, core.NotFound) || errors.Is(err, core.Forbidden) || errors.Is(err, core.Unauthorized) {
		return nil
	}
	return err
}

// answerAction answers with the output or the record; without either, without a body.
func (x *exchange) answerAction(w engine.Write, view *engine.View, output []byte) {
	switch {
	case output != nil:
		x.answer(http.StatusOK, output)
	case view != nil:
		x.answerOne(http.StatusOK, *view)
	case w.Minimal:
		x.answerMinimal(http.StatusNoContent)
	default:
		x.answer(http.StatusNoContent, nil)
	}
}

// replayAction answers the repetition of an action: by the output, which was remembered, or by the record, as it is now.
func (x *exchange) replayAction(was outcome) error {
	w, err := x.actionOptions()
	if err != nil {
		return err
	}
	if x.action.Whole || was.Output != nil || w.Minimal {
		x.answerAction(w, nil, was.Output)
		return nil
	}
	view, err := x.api.Get(x.ctx, x.resource.name, x.id, w.Depth, w.Fields...)
	switch {
	case err == nil:
		x.answerAction(w, &view, nil)
	case was.Status == http.StatusNoContent && withoutDenial(err) == nil:
		x.answerAction(w, nil, nil)
	default:
		return err
	}
	return nil
}
