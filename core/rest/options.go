package rest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/larder-go/larder/core"
)

// Options configure a [Handler]. The zero value is a handler without authentication, with the defaults below. [New]
// rejects negative numbers.
type Options struct {
	// Authenticate returns the principal of a request. A nil principal, like a nil Authenticate, makes the request
	// anonymous. The request's context ends after [Options.Timeout]. Authenticate must be safe for concurrent use.
	//
	// An error is logged and answered with 401. An error that is or wraps a [*core.Error] or a [core.Code], or the end
	// of the context, is answered with its own status instead. So an Authenticate that reads users from a store must
	// replace [core.NotFound], which would become a 404. An error with the code [core.Unauthorized] may have a Message,
	// such as "the token has expired", which clients see in the header WWW-Authenticate.
	Authenticate func(r *http.Request) (*core.Principal, error)
	// Challenge is the header WWW-Authenticate of a 401 (RFC 9110, section 11.6.1); default "Bearer". With the scheme
	// Bearer, the answer to a bearer token that Authenticate rejects also has error="invalid_token" and an
	// error_description (RFC 6750, section 3.1).
	Challenge string
	// Prefix is the path under which the handler is mounted, escaped as in a URL, such as "/api"; default none. The
	// handler strips it from requests and adds it to every URL that it writes, so do not use [http.StripPrefix].
	Prefix string
	// MaxBody is the greatest size of a request's body in bytes; default 8 MiB. Reading a body allocates at most twice
	// its length. The parsed values take at most 8 times MaxBody, or 64 KiB if that is more: a body with values that
	// would take more, such as very many small ones, is rejected with [core.TooLarge] before it is parsed.
	MaxBody int64
	// MaxInFlight is the number of bytes that all requests of the handler may hold together; default 256 MiB. Bodies
	// count while they are read, with their parsed values; answers count from 64 KiB on, as records and as JSON, until
	// they are written. A request waits for the bytes of its body until its Timeout and then fails with
	// [core.Unavailable]. An answer that grows does not wait, because its transaction may be open, and fails with
	// [core.Unavailable] at once. One request at a time may exceed the bound, so a request that needs more than
	// MaxInFlight succeeds when it is alone.
	MaxInFlight int64
	// PageSize is the number of records that a list shows for a request without a limit; default 100, or MaxPageSize
	// if that is smaller. A page has fewer records where the engine's bounds of an answer are reached.
	PageSize int
	// MaxPageSize is the greatest limit that a request can ask for; default 1000. A greater limit is 400.
	MaxPageSize int
	// Aggregates serves GET NAME/$aggregate: counts, sums, averages, least and greatest values of the records of a resource, by
	// group. It is off by default, because an aggregation reads all records that match its conditions. The policies of the
	// store hold for aggregations, too: see [engine.Engine.Aggregate].
	Aggregates bool
	// Actions are operations of the program's own, see [Action].
	Actions []Action
	// RequireIfMatch makes PATCH, PUT, DELETE and actions of a record without the header If-Match fail with
	// [core.PreconditionRequired], so that no client overwrites a change that it did not see (RFC 6585, section 3). A PUT
	// may have "If-None-Match: *" instead, which only creates. Requests for other URLs do not need it.
	RequireIfMatch bool
	// RememberFor is the time for which an answer to a request with the header Idempotency-Key is remembered; default 24
	// hours. A request with the key is repeated after that time like a new one.
	RememberFor time.Duration
	// Gzip compresses answers of 1 KiB and more for clients that accept gzip. A compressed record has an entity tag of its
	// own; preconditions accept the tags of both forms. An answer goes out uncompressed while MaxInFlight has no room for
	// the compression. Gzip is off by default, because the length of a compressed answer says something about its
	// content: a page of an attacker that can make the browser of a user send requests with the user's credentials, and
	// that can place its own text beside a secret in an answer, guesses the secret by the length (BREACH). A browser adds
	// cookies and Basic credentials to such requests, but no bearer tokens. Behind a proxy that compresses, leave Gzip off.
	Gzip bool
	// MaxNesting is the greatest depth of nested arrays and objects in a body, filter or sort; default 64.
	MaxNesting int
	// Timeout bounds the work on a request, from the end of its headers on; default 30 s. A request that takes longer
	// fails with [core.Unavailable], or with [core.OutcomeUnknown] during its commit. Timeout does not interrupt the
	// reading of a body or the writing of an answer; the timeouts of the server do, see [Serve].
	Timeout time.Duration
	// Logger receives the causes of 401 and 5xx answers, and panics; default [slog.Default] at the time of [New].
	Logger *slog.Logger
	// Title is the title of the OpenAPI document; default the name of the model.
	Title string
	// Version is the version of the API in the OpenAPI document; default "1".
	Version string
	// Document has members for the OpenAPI document that the model does not have, such as contact, license, servers and
	// further security schemes, by their OpenAPI names:
	//
	//	map[string]any{"info": map[string]any{"contact": map[string]any{"email": "bakery@example.com"}}}
	//
	// They are merged into the document as a merge patch (RFC 7396): objects member by member, other values replace those of
	// the document, and nil removes a member. The members are those of OpenAPI 3.1. [New] fails if a value has no JSON form.
	Document map[string]any
}

const (
	defaultChallenge  = bearer
	defaultMaxBody    = 8 << 20
	defaultInFlight   = 256 << 20
	defaultMaxNesting = 64
	defaultPageSize   = 100
	defaultMaxPage    = 1000
	defaultRemember   = 24 * time.Hour
	defaultTimeout    = 30 * time.Second
	defaultVersion    = "1"
)

// withDefaults returns the options with every default filled in.
func (o Options) withDefaults(m *core.Model) Options {
	o.Challenge = cmp.Or(o.Challenge, defaultChallenge)
	o.MaxBody = cmp.Or(o.MaxBody, defaultMaxBody)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, defaultInFlight)
	o.MaxPageSize = cmp.Or(o.MaxPageSize, defaultMaxPage)
	o.PageSize = cmp.Or(o.PageSize, min(defaultPageSize, o.MaxPageSize))
	o.MaxNesting = cmp.Or(o.MaxNesting, defaultMaxNesting)
	o.RememberFor = cmp.Or(o.RememberFor, defaultRemember)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Title = cmp.Or(o.Title, m.Name())
	o.Version = cmp.Or(o.Version, defaultVersion)
	return o
}

// check returns an error that names every invalid option.
func (o Options) check() error {
	var errs []error
	if o.MaxBody < 0 {
		errs = append(errs, fmt.Errorf("option MaxBody: %d is negative; use 0 for the default", o.MaxBody))
	}
	if o.MaxInFlight < 0 {
		errs = append(errs, fmt.Errorf("option MaxInFlight: %d is negative; use 0 for the default", o.MaxInFlight))
	}
	if o.MaxNesting < 0 {
		errs = append(errs, fmt.Errorf("option MaxNesting: %d is negative; use 0 for the default", o.MaxNesting))
	}
	if o.MaxPageSize < 0 {
		errs = append(errs, fmt.Errorf("option MaxPageSize: %d is negative; use 0 for the default", o.MaxPageSize))
	}
	switch most := cmp.Or(o.MaxPageSize, defaultMaxPage); {
	case o.PageSize < 0:
		errs = append(errs, fmt.Errorf("option PageSize: %d is negative; use 0 for the default", o.PageSize))
	case o.PageSize > most:
		errs = append(errs, fmt.Errorf("option PageSize: %d is greater than MaxPageSize, %d; lower PageSize or raise MaxPageSize", o.PageSize, most))
	}
	if o.RememberFor < 0 {
		errs = append(errs, fmt.Errorf("option RememberFor: %s is negative; use 0 for the default", o.RememberFor))
	}
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("option Timeout: %s is negative; use 0 for the default", o.Timeout))
	}
	if strings.ContainsFunc(o.Challenge, unicode.IsControl) {
		errs = append(errs, fmt.Errorf("option Challenge: %q has control characters; use one line of printable characters", o.Challenge))
	}
	if _, err := json.Marshal(o.Document); err != nil {
		errs = append(errs, fmt.Errorf("option Document: %w; use values that have a JSON form", err))
	}
	if !goodPrefix(o.Prefix) {
		errs = append(errs, fmt.Errorf("option Prefix: %q must be an escaped path that begins with a slash and does not end with one, such as \"/api\"", o.Prefix))
	}
	return errors.Join(errs...)
}

// goodPrefix reports whether prefix is empty or an escaped, absolute path without a slash at its end.
func goodPrefix(prefix string) bool {
	if prefix == "" {
		return true
	}
	u, err := url.Parse(prefix)
	return err == nil && u.EscapedPath() == prefix && u.Host == "" &&
		strings.HasPrefix(prefix, "/") && !strings.HasSuffix(prefix, "/")
}
