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
	if got := strings.Join(names, " "); got != "ok not_found denied invalid conflict cancelled rolled_back unavailable! failed!" {
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

func TestOutcomeOfATransactionThatItsFunctionEnds(t *testing.T) {
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
			var told []string
			outer := &onlooker{name: "outer", told: &told}
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
