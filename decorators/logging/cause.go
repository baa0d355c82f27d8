package logging

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

// maxCause is how many bytes of a cause are logged.
const maxCause = 4 << 10

// sqlError is an error of a database, by the method that drivers give theirs.
type sqlError interface {
	error
	SQLState() string
}

// redactedError is an error whose text may repeat values, and that says what to log in
// its place.
type redactedError interface {
	error
	Redacted() string
}

// causeOf returns what an error says that is not public, without what may repeat
// values.
func causeOf(err error) string {
	switch e := err.(type) { //nolint:errorlint // its own public part says nothing that the line does not
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

// redact replaces, in the text of an error, the parts that errors in its tree have
// given it and that may repeat values. An error that wraps another either repeats
// its text or does not show it.
func redact(text string, err error) string {
	switch e := err.(type) { //nolint:errorlint // the tree is walked
	case *core.Error:
		text = replace(text, e.Public(), public(e))
	case redactedError:
		text = replace(text, e.Error(), e.Redacted())
	case sqlError:
		if !speaksOfServer(e.SQLState()) {
			text = replace(text, e.Error(), "SQLSTATE "+e.SQLState())
		}
	}
	switch e := err.(type) { //nolint:errorlint // the tree is walked
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

// maxName is how many bytes of a name are logged: it may be one that somebody made
// up.
const maxName = 128

// public is what [core.Error.Public] says of the model.
func public(e *core.Error) string {
	said := []string{string(e.Code)}
	for _, name := range []string{e.Resource, e.Field} {
		if name != "" {
			said = append(said, shorten(name, maxName))
		}
	}
	return strings.Join(said, " ")
}

// ofServer are the classes of SQLSTATEs (PostgreSQL manual, appendix A) whose messages
// speak of the connection, the transaction, the statement or the server: the names
// in them are those of users, tables and the like. Triggers raise class P0 or one
// of their own, data exceptions are 22, violations 23 and 44.
var ofServer = []string{"08", "0A", "25", "26", "28", "2D", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "XX"}

func speaksOfServer(state string) bool {
	return len(state) == 5 && slices.Contains(ofServer, state[:2])
}

// shorten cuts text to at most n bytes, between characters.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}
