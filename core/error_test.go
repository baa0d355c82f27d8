package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

func TestErrorsAreFoundByCodeThroughWrapping(t *testing.T) {
	err := fmt.Errorf("reading: %w", &core.Error{Code: core.NotFound, Resource: "cookie", Key: core.IntValue(7)})
	if !errors.Is(err, core.NotFound) || errors.Is(err, core.Forbidden) {
		t.Error("errors.Is does not tell codes apart")
	}
	if e, ok := errors.AsType[*core.Error](err); !ok || e.Key != core.IntValue(7) {
		t.Error("errors.As does not find the error")
	}
}

func TestAsErrorKeepsTheWholeCause(t *testing.T) {
	err := core.AsError(errors.Join(errors.New("first"), &core.Error{Code: core.NotFound, Resource: "cookie"}, core.ErrCommitUnknown))
	if err.Code != core.NotFound || err.Resource != "cookie" || !errors.Is(err, core.ErrCommitUnknown) {
		t.Errorf("got %v", err)
	}
	if public := err.Public(); strings.Contains(public, "first") {
		t.Errorf("the cause is public: %s", public)
	}
}

func TestCauseIsNotPublic(t *testing.T) {
	secret := errors.New("password=hunter2")
	err := &core.Error{Code: core.ServerError, Cause: secret, Message: "m", Resource: "r", Field: "f"}
	if !errors.Is(err, secret) || !strings.Contains(err.Error(), "hunter2") {
		t.Error("the cause is lost")
	}
	if strings.Contains(err.Public(), "hunter2") || strings.Contains(fmt.Sprint(err.Details()), "hunter2") {
		t.Error("the cause is public")
	}
}

func TestUnknownOutcomeIsNeverUnavailable(t *testing.T) {
	for _, err := range []error{
		core.ErrCommitUnknown,
		fmt.Errorf("waiting: %w", core.ErrCommitUnknown),
		errors.Join(core.ErrConflict, context.Canceled, core.ErrCommitUnknown),
		errors.Join(core.ErrCommitUnknown, core.Unavailable),
		&core.Error{Code: core.Unavailable, Cause: core.ErrCommitUnknown},
		fmt.Errorf("audit: %w", &core.Error{Code: core.Unavailable, Cause: core.ErrCommitUnknown}),
		errors.Join(core.ErrCommitUnknown, &core.Error{Code: core.Unavailable}),
	} {
		got := core.AsError(err)
		if got.Code != core.OutcomeUnknown || !errors.Is(got, core.ErrCommitUnknown) || errors.Is(core.AsError(got), core.ErrConflict) != errors.Is(err, core.ErrConflict) {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestContextErrorsStayRecognisable(t *testing.T) {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded, core.ErrConflict} {
		err := core.AsError(fmt.Errorf("waiting: %w", cause))
		if !errors.Is(err, cause) || err.Code != core.Unavailable {
			t.Errorf("%v became %v", cause, err)
		}
	}
	if err := core.AsError(errors.New("disk")); err.Code != core.ServerError {
		t.Errorf("unknown cause became %v", err.Code)
	}
	if core.AsError(nil) != nil {
		t.Error("nil became an error")
	}
	if err := core.AsError(core.Forbidden); err.Code != core.Forbidden || err.Error() != "FORBIDDEN" {
		t.Errorf("a plain code became %v", err.Code)
	}
}

func TestDetailsByCode(t *testing.T) {
	long := strings.Repeat("é", 10_000)
	for _, c := range []struct {
		err  core.Error
		want string
	}{
		{core.Error{Code: core.NotFound, Resource: "cookie", Key: core.IntValue(7)}, `[{object_name cookie} {object_id 7}]`},
		{core.Error{Code: core.UnknownField, Resource: "cookie", Field: "x"}, `[{object_name cookie} {field_name x}]`},
		{core.Error{Code: core.BadParam, Param: "depth", Accepted: "0 to 5"}, `[{param_name depth} {accepted_values 0 to 5}]`},
		{core.Error{Code: core.BadFieldValue, Resource: "c", Field: "f", Type: core.Int, Value: "x"}, `[{object_name c} {field_name f} {type int} {value x}]`},
		{core.Error{Code: core.BadFieldValue, Value: core.TextValue("x")}, `[{object_name } {field_name } {type type(0)} {value x}]`},
		{core.Error{Code: core.BadFieldValue, Value: func() {}}, `[{object_name } {field_name } {type type(0)} {value }]`},
		{core.Error{Code: core.BadRequest, Message: "m"}, `[{msg m}]`},
		{core.Error{Code: core.BadRequest, Message: "m", Element: 1}, `[{msg m} {index 0}]`},
		{core.Error{Code: core.MethodNotAllowed, Param: "PUT", Accepted: "GET"}, `[{method PUT} {allowed_methods GET}]`},
		{core.Error{Code: core.PreconditionFailed, Param: `"a"`}, `[{etag "a"}]`},
		{core.Error{Code: core.UnsupportedMediaType, Param: "Content-Type", Accepted: "b"}, `[{param_name Content-Type} {accepted_values b}]`},
		{core.Error{Code: core.MethodNotAllowed}, `[]`},
		{core.Error{Code: core.AlreadyExists}, `[]`},
		{core.Error{Code: core.FieldUpdateForbidden, Resource: "r", Field: "f"}, `[{object_name r} {field_name f}]`},
		{core.Error{Code: core.StillReferenced, Resource: "r", Field: "f"}, `[{object_name r} {field_name f}]`},
		{core.Error{Code: core.FieldUpdateForbidden, Resource: "r"}, `[{object_name r}]`},
		{core.Error{Code: core.Unauthorized, Message: "m", Resource: "r"}, `[]`},
		{core.Error{Code: core.TooManyRequests}, `[]`},
		{core.Error{Code: core.TooManyRequests, Quota: &core.Quota{Name: "w"}}, `[{limit w} {retry_after 1}]`},
		{core.Error{Code: core.TooManyRequests, Quota: &core.Quota{Name: "w", RetryAfter: 1001 * time.Millisecond}}, `[{limit w} {retry_after 2}]`},
	} {
		if got := fmt.Sprint(c.err.Details()); got != c.want {
			t.Errorf("%s: got %s", c.err.Code, got)
		}
	}
	e := core.Error{Code: core.BadFieldValue, Value: long}
	if got := fmt.Sprint(e.Details()); len(got) > 600 || !strings.Contains(got, "...") {
		t.Errorf("a long value is repeated whole: %d bytes", len(got))
	}
	e.Value = []any{long}
	if got := fmt.Sprint(e.Details()); len(got) > 600 {
		t.Errorf("a long list is repeated whole: %d bytes", len(got))
	}
}

func TestOutcomesAreAClosedSetOfNames(t *testing.T) {
	var names []string
	for i, o := range core.Outcomes() {
		if int(o) != i {
			t.Errorf("%v is %d, at place %d", o, o, i)
		}
		name := o.String()
		if o.Failure() {
			name += "!"
		}
		names = append(names, name)
	}
	if got := strings.Join(names, " "); got != "ok not_found denied invalid conflict cancelled rolled_back unavailable! failed!" {
		t.Errorf("got %s", got)
	}
	if got := core.Outcome(200); got.String() != "failed" || !got.Failure() {
		t.Errorf("got %v", got)
	}
}

func TestOutcomeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want core.Outcome
	}{
		{nil, core.OutcomeOK},
		{&core.Error{Code: core.NotFound}, core.OutcomeNotFound},
		{core.Unauthorized, core.OutcomeDenied},
		{fmt.Errorf("audit: %w", &core.Error{Code: core.Forbidden}), core.OutcomeDenied},
		{core.ReadOnly, core.OutcomeDenied},
		{&core.Error{Code: core.AlreadyExists}, core.OutcomeInvalid},
		{&core.Error{Code: core.BadFieldValue, Cause: context.Canceled}, core.OutcomeInvalid},
		{&core.Error{Code: core.ValidationFailed}, core.OutcomeInvalid},
		{core.NoSuchURL, core.OutcomeInvalid},
		{core.PreconditionRequired, core.OutcomeInvalid},
		{core.KeyReused, core.OutcomeInvalid},
		{core.ErrConflict, core.OutcomeConflict},
		{&core.Error{Code: core.Unavailable, Cause: core.ErrConflict}, core.OutcomeConflict},
		{errors.Join(context.Canceled, core.ErrConflict), core.OutcomeCancelled},
		{context.Canceled, core.OutcomeCancelled},
		{context.DeadlineExceeded, core.OutcomeUnavailable},
		{errors.Join(core.ErrCommitUnknown, context.Canceled, core.ErrConflict), core.OutcomeUnavailable},
		{&core.Error{Code: core.OutcomeUnknown, Cause: context.Canceled}, core.OutcomeUnavailable},
		{&core.Error{Code: core.Unavailable, Cause: errors.Join(core.ErrCommitUnknown, context.Canceled)}, core.OutcomeUnavailable},
		{core.ErrClosed, core.OutcomeUnavailable},
		{errors.New("disk"), core.OutcomeFailed},
		{&core.Error{Code: core.ServerError, Cause: context.Canceled}, core.OutcomeFailed},
		{core.Code("made up"), core.OutcomeFailed},
	} {
		if got := core.OutcomeOf(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

func TestOutcomeOfDeliberateRollback(t *testing.T) {
	disk, m := errors.New("disk full"), cookies(t)
	for _, c := range []struct {
		name string
		fn   func(ctx context.Context, tx *core.Transaction) error
		want core.Outcome
	}{
		{"an error of the program's own", func(context.Context, *core.Transaction) error { return errors.New("changed my mind") }, core.OutcomeRolledBack},
		{"one that cannot be compared", func(context.Context, *core.Transaction) error { return mistakes{"a", "b"} }, core.OutcomeRolledBack},
		{"one with a code", func(context.Context, *core.Transaction) error { return core.Forbidden }, core.OutcomeDenied},
		{"one of its context", func(context.Context, *core.Transaction) error { return context.Canceled }, core.OutcomeCancelled},
		{"a conflict", func(context.Context, *core.Transaction) error { return core.ErrConflict }, core.OutcomeConflict},
		{"a failed operation", func(ctx context.Context, tx *core.Transaction) error {
			return second(tx.Count(ctx, m.Resource("cookie"), core.All()))
		}, core.OutcomeFailed},
		{"a failed operation in other words", func(ctx context.Context, tx *core.Transaction) error {
			_, _ = tx.Count(ctx, m.Resource("cookie"), core.All())
			return errors.New("could not count")
		}, core.OutcomeFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls []string
			outer := &recorder{name: "outer", calls: &calls}
			wraps := around("wraps", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				res, err := next(ctx, op)
				if err != nil {
					err = fmt.Errorf("%v: %w", op.Kind, err)
				}
				return res, err
			})
			s, err := core.New(t.Context(), m, broken{with: disk}, outer.decorator(), wraps)
			if err != nil {
				t.Fatal(err)
			}
			_ = s.TxWith(t.Context(), core.TxOptions{Attempts: 1}, c.fn)
			if got := core.OutcomeOf(outer.seen[len(outer.seen)-1].Err); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestConflictErrorsNameVisibleFields(t *testing.T) {
	model := func(toOne, toMany bool) *core.Model { // arguments: hidden sides
		return core.MustModel("cookies",
			core.ResourceSpec{Name: "cookie", APIName: "biscuit", Fields: []core.FieldSpec{id(), {Name: "jar", APIName: "tin", ToOne: "jar", Hidden: toOne}}},
			core.ResourceSpec{Name: "jar", APIName: "tin", Fields: []core.FieldSpec{id(), {Name: "cookies", APIName: "biscuits", ToMany: "cookie", Inverse: "jar", Hidden: toMany}}},
		)
	}
	alone := core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", APIName: "biscuit", Fields: []core.FieldSpec{id(), {Name: "jar", ToOne: "jar", Hidden: true}}},
		core.ResourceSpec{Name: "jar", APIName: "tin", Fields: []core.FieldSpec{id()}},
	)
	for name, c := range map[string]struct {
		model       *core.Model
		taken, kept string // field in the error for a write of a cookie, and for a write of a jar
		referenced  string // field in the error for a delete of a jar
	}{
		"visible":     {model(false, true), `object_name="biscuit" field_name="tin"`, `object_name="biscuit" field_name="tin"`, `object_name="biscuit" field_name="tin"`},
		"list side":   {model(false, false), `object_name="biscuit" field_name="tin"`, `object_name="biscuit" field_name="tin"`, `object_name="tin" field_name="biscuits"`},
		"hidden":      {model(true, false), `object_name="tin" field_name="biscuits"`, `object_name="tin" field_name="biscuits"`, `object_name="tin" field_name="biscuits"`},
		"both hidden": {model(true, true), `object_name="biscuit"`, `object_name="tin"`, `object_name="tin"`},
		"no pair":     {alone, `object_name="biscuit"`, `object_name="tin"`, `object_name="tin"`},
	} {
		f := c.model.Resource("cookie").Field("jar")
		for got, want := range map[*core.Error]string{
			f.AlreadyExists():               "CONFLICT " + c.taken,
			f.StillReferenced():             "STILL_REFERENCED " + c.referenced,
			f.UpdateForbidden(f.Target()):   "FIELD_UPDATE_FORBIDDEN " + c.kept,
			f.UpdateForbidden(f.Resource()): "FIELD_UPDATE_FORBIDDEN " + c.taken,
		} {
			if got.Error() != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	}
}
