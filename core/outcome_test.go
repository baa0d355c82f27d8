package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

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
	if got := strings.Join(names, " "); got != "ok not_found denied invalid conflict cancelled unavailable! failed!" {
		t.Errorf("got %s", got)
	}
	if got := core.Outcome(200); got.String() != "failed" || !got.Failure() {
		t.Errorf("got %v", got)
	}
}

func TestOutcomeOfAnErrorIsWhatItMeansForThoseWhoRunTheStore(t *testing.T) {
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
