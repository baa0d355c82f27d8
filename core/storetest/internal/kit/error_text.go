package kit

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// PublicText returns the text of an error for a client. For an internal error, which has no details for clients, it
// returns the cause too.
func PublicText(err error) string {
	if err == nil {
		return "no error"
	}
	e := core.AsError(err)
	if e.Code == core.ServerError || e.Code == core.Unavailable || e.Code == core.OutcomeUnknown || e.Code == core.QueryTooExpensive {
		return e.Error()
	}
	return e.Public()
}

// FullText returns every part of an error that a client could receive, also parts that its code does not show. Errors
// with the same text are indistinguishable to a client.
func FullText(err error) string {
	if err == nil {
		return "no error"
	}
	e := *core.AsError(err)
	e.Cause = nil
	return fmt.Sprintf("%s (%s.%s key %v type %v value %v param %q %q %q)",
		e.Public(), e.Resource, e.Field, e.Key, e.Type, e.Value, e.Param, e.Accepted, e.Message)
}
