package core

import (
	"context"
	"errors"
)

// codeOf classifies a cause that carries no code of its own.
func codeOf(err error) Code {
	for _, transient := range []error{
		ErrConflict, ErrCommitUnknown, ErrClosed, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, transient) {
			return Unavailable
		}
	}
	if code, ok := errors.AsType[Code](err); ok {
		return code
	}
	return ServerError
}

// wrap makes sure that what leaves a store is an [*Error], and that nothing of
// what came is lost: where an [*Error] is wrapped deeper, its public part comes to
// the outside and all of err becomes the cause.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // only the outermost error counts here
		return e
	}
	if inner, ok := errors.AsType[*Error](err); ok {
		outer := *inner
		outer.Cause = err
		return &outer
	}
	return AsError(err)
}
