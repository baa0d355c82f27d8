package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

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

func TestNothingOfAWrappedErrorIsLost(t *testing.T) {
	err := core.AsError(errors.Join(errors.New("first"), &core.Error{Code: core.NotFound, Resource: "cookie"}, core.ErrCommitUnknown))
	if err.Code != core.NotFound || err.Resource != "cookie" || !errors.Is(err, core.ErrCommitUnknown) {
		t.Errorf("got %v", err)
	}
	if public := err.Public(); strings.Contains(public, "first") {
		t.Errorf("the cause is public: %s", public)
	}
}

func TestCauseIsForTheLogAndNotForTheClient(t *testing.T) {
	secret := errors.New("password=hunter2")
	err := &core.Error{Code: core.ServerError, Cause: secret, Message: "m", Resource: "r", Field: "f"}
	if !errors.Is(err, secret) || !strings.Contains(err.Error(), "hunter2") {
		t.Error("the cause is lost")
	}
	if strings.Contains(err.Public(), "hunter2") || strings.Contains(fmt.Sprint(err.Details()), "hunter2") {
		t.Error("the cause is public")
	}
}

func TestAWriteOfUnknownOutcomeIsNeverCalledRepeatable(t *testing.T) {
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

func TestDetailsAreThoseOfTheCode(t *testing.T) {
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
		{core.Error{Code: core.FieldUpdateForbidden, Resource: "r"}, `[{object_name r}]`},
		{core.Error{Code: core.Unauthorized, Message: "m", Resource: "r"}, `[]`},
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
