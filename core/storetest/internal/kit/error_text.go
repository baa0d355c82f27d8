package kit

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// publicly returns what a client may see of an error, and its cause if there is
// no more than that.
func PublicText(err error) string {
	if err == nil {
		return "no error"
	}
	e := core.AsError(err)
	if e.Code == core.ServerError || e.Code == core.Unavailable || e.Code == core.OutcomeUnknown {
		return e.Error()
	}
	return e.Public()
}

// told returns everything about an error that a client may learn, each part of it
// even if the code does not show it.
func FullText(err error) string {
	if err == nil {
		return "no error"
	}
	e := *core.AsError(err)
	e.Cause = nil
	return fmt.Sprintf("%s (%s.%s key %v type %v value %v param %q %q %q)",
		e.Public(), e.Resource, e.Field, e.Key, e.Type, e.Value, e.Param, e.Accepted, e.Message)
}
