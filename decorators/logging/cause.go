package logging

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

const (
	maxCause = 4 << 10 // bytes of a cause in a line
	maxName  = 128     // bytes of a name in a cause; a client may have chosen the name
)

// sqlError is an error of a database. Drivers implement the method.
type sqlError interface {
	error
	SQLState() string
}

// redactedError is an error with a text that may repeat values. Redacted returns a text without values.
type redactedError interface {
	error
	Redacted() string
}

// causeOf returns the part of an error that is not public, without the parts that may repeat values.
func causeOf(err error) string {
	switch e := err.(type) { //nolint:errorlint // the line has the code and names of its public part
	case core.Code:
		return ""
	case *core.Error:
		if e.Cause == nil {
			return ""
		}
		err = e.Cause
	}
	return shorten(redact(err.Error(), err), maxCause)
}

// redact replaces the parts of a text that come from errors in the tree of err and may repeat values. It relies on wrapping
// errors to repeat the text of the wrapped error unchanged, or not at all.
func redact(text string, err error) string {
	switch e := err.(type) { //nolint:errorlint // redact walks the tree
	case *core.Error:
		text = replace(text, e.Public(), public(e))
	case redactedError:
		text = replace(text, e.Error(), e.Redacted())
	case sqlError:
		if !aboutServer(e.SQLState()) {
			text = replace(text, e.Error(), "SQLSTATE "+e.SQLState())
		}
	}
	switch e := err.(type) { //nolint:errorlint // redact walks the tree
	case interface{ Unwrap() error }:
		text = redact(text, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			text = redact(text, inner)
		}
	}
	return text
}

func replace(text, part, by string) string {
	if part == "" {
		return text
	}
	return strings.ReplaceAll(text, part, by)
}

// public returns the code of an error and the names of resource and field.
func public(e *core.Error) string {
	parts := []string{string(e.Code)}
	for _, name := range []string{e.Resource, e.Field} {
		if name != "" {
			parts = append(parts, shorten(name, maxName))
		}
	}
	return strings.Join(parts, " ")
}

// serverClasses are the classes of SQLSTATEs (PostgreSQL manual, appendix A) with messages about the connection, the
// transaction, the statement or the server. Their messages contain names of users, tables and the like, but no values.
// Data exceptions (22), violations (23, 44) and errors that triggers raise (P0 or an own class) are not among them.
var serverClasses = []string{"08", "0A", "25", "26", "28", "2D", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "XX"}

func aboutServer(state string) bool {
	return len(state) == 5 && slices.Contains(serverClasses, state[:2])
}

// shorten truncates text to at most n bytes, between characters.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}
