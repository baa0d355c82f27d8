package rest

import (
	"cmp"
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

// Options set up a [Handler]; the zero value works.
type Options struct {
	// Authenticate says who a request runs for; nil, like a nil principal, means
	// nobody. An error is answered with 401 and logged, unless it is or wraps a
	// [*core.Error] or [core.Code], or the time ran out: then its own code is
	// used, so whoever looks for users in a store has to say what a
	// [core.NotFound] means. The request's context ends with the
	// [Options.Timeout].
	Authenticate func(r *http.Request) (*core.Principal, error)
	// Challenge is the WWW-Authenticate of a 401 (RFC 9110, section 11.6.1);
	// default "Bearer". If its scheme is Bearer, the answer to a bearer token that
	// Authenticate refuses has error="invalid_token" as well (RFC 6750, section 3.1).
	Challenge string
	// Prefix is the path under which the handler is mounted, escaped as in a URL,
	// such as "/api". The handler strips it itself, and puts it in front of every
	// URL that it writes.
	Prefix string
	// MaxBody is how many bytes a request's body can have; default 8 MiB. Reading a
	// body allocates at most twice its length, and parsing it at most 8 times MaxBody
	// (at least 64 KiB): small values take up to 60 times the bytes of their text, and
	// a body whose values would take more is refused with [core.TooLarge] before it is
	// parsed.
	MaxBody int64
	// MaxInFlight bounds the bytes that all requests of the handler hold at a time:
	// bodies while they are read, what their values take, and answers from 64 KiB on, as
	// records and as text, until they are written; default 256 MiB. A request waits for
	// the bytes of its body until its Timeout, and then fails with [core.Unavailable]; an
	// answer that grows does not wait, because it may have a transaction open, and fails
	// at once. One request at a time may exceed the bound, so a request that needs more
	// than MaxInFlight is served when it is alone.
	MaxInFlight int64
	// PageSize is how many records a list shows for a request without a limit;
	// default 100, or MaxPageSize if that is smaller. A page has fewer where the
	// engine's bounds of an answer are reached.
	PageSize int
	// MaxPageSize is the greatest limit that a request can ask for; default 1000.
	MaxPageSize int
	// MaxNesting is how deep arrays and objects can be nested in a body or filter;
	// default 64.
	MaxNesting int
	// Timeout bounds what a request may take from when its headers were read,
	// but for reading and writing its bodies, which is up to the server ([Serve]
	// has bounds); default 30 s.
	Timeout time.Duration
	// Logger gets the causes of 401 and 5xx answers, and panics; default
	// [slog.Default].
	Logger *slog.Logger
	// Title of the OpenAPI document; default: the name of the model.
	Title string
	// Version of the API in the OpenAPI document; default "1".
	Version string
}

const (
	defaultChallenge  = bearer
	defaultMaxBody    = 8 << 20
	defaultInFlight   = 256 << 20
	defaultMaxNesting = 64
	defaultPageSize   = 100
	defaultMaxPage    = 1000
	defaultTimeout    = 30 * time.Second
	defaultVersion    = "1"
)

// withDefaults returns the options with the defaults of the model filled in.
func (o Options) withDefaults(m *core.Model) Options {
	o.Challenge = cmp.Or(o.Challenge, defaultChallenge)
	o.MaxBody = cmp.Or(o.MaxBody, defaultMaxBody)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, defaultInFlight)
	o.MaxPageSize = cmp.Or(o.MaxPageSize, defaultMaxPage)
	o.PageSize = cmp.Or(o.PageSize, min(defaultPageSize, o.MaxPageSize))
	o.MaxNesting = cmp.Or(o.MaxNesting, defaultMaxNesting)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.Title = cmp.Or(o.Title, m.Name())
	o.Version = cmp.Or(o.Version, defaultVersion)
	return o
}

// check reports every setting that cannot be meant.
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
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("option Timeout: %s is negative; use 0 for the default", o.Timeout))
	}
	if strings.ContainsFunc(o.Challenge, unicode.IsControl) {
		errs = append(errs, fmt.Errorf("option Challenge: %q has control characters; use one line of printable characters", o.Challenge))
	}
	if !goodPrefix(o.Prefix) {
		errs = append(errs, fmt.Errorf("option Prefix: %q must be an escaped path that begins with a slash and does not end with one, such as \"/api\"", o.Prefix))
	}
	return errors.Join(errs...)
}

func goodPrefix(prefix string) bool {
	if prefix == "" {
		return true
	}
	u, err := url.Parse(prefix)
	return err == nil && u.EscapedPath() == prefix && u.Host == "" &&
		strings.HasPrefix(prefix, "/") && !strings.HasSuffix(prefix, "/")
}
