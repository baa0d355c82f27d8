package core

import (
	"context"
	"errors"
)

// codeOf classifies a cause that carries no code of its own.
func codeOf(err error) Code {
	if errors.Is(err, ErrCommitUnknown) {
		return OutcomeUnknown
	}
	for _, transient := range []error{ErrConflict, ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, transient) {
			return Unavailable
		}
	}
	if code, ok := errors.AsType[Code](err); ok {
		return code
	}
	return ServerError
}

// wrap makes sure that what leaves a store is an [*Error].
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return AsError(err)
}
