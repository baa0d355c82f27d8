package resttest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// byNumber authenticates "user N" as the principal N. A request without a token is anonymous.
func byNumber(r *http.Request) (*core.Principal, error) {
	token := r.Header.Get("Authorization")
	if token == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(token, "user "), 10, 64)
	if err != nil {
		return nil, err
	}
	return &core.Principal{ID: core.IntValue(n)}, nil
}

// user returns the Authorization of the principal n, see byNumber.
func user(n int) string { return "user " + strconv.Itoa(n) }

// owning returns a decorator that makes the inserting principal the owner of a record, and hides the records of others.
func owning() core.Decorator {
	return core.Decorator{
		Name: "owning", Kind: core.KindPolicy, KnowsRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				switch {
				case op.Principal == nil:
					return core.Result{}, core.Unauthorized
				case op.Kind == core.Tx || op.Kind == core.NextID:
					return next(ctx, op)
				case op.Kind == core.Insert:
					op.Records = withOwner(op.Records, op.Principal.ID)
				}
				op.Guard(core.Eq("owner", op.Principal.ID))
				return next(ctx, op)
			}, nil
		},
	}
}

// withOwner returns copies of the records with the owner.
func withOwner(records []core.Record, owner core.Value) []core.Record {
	given := make([]core.Record, len(records))
	for i, rec := range records {
		given[i] = rec.With(rec.Resource().Field("owner").Column(), owner)
	}
	return given
}

func ownedNotes() setup {
	return setup{model: notes(), decorators: []core.Decorator{owning()}, rest: rest.Options{Authenticate: byNumber, Aggregates: true}}
}

func testPrincipals(t *testing.T, newBackend NewBackend) {
	t.Run("a failed authentication is 401 for every request", func(t *testing.T) {
		c := ownedNotes().start(t, newBackend).as("user x")
		for _, request := range []string{"GET /note", "GET /nope", "BREW /note", "GET /openapi.json", "OPTIONS /note", "GET /note?depth=x"} {
			c.check(t, exchange{request, "", 401, `UNAUTHORIZED {}`})
		}
	})
	t.Run("a code from Authenticate is used", func(t *testing.T) {
		for _, row := range []struct {
			err  error
			want exchange
		}{
			{core.Forbidden, exchange{"GET /note", "", 403, `FORBIDDEN {}`}},
			{errors.Join(errSecret, &core.Error{Code: core.Unavailable}), exchange{"GET /note", "", 503, `UNAVAILABLE {}`}},
			{&core.Error{Code: core.ServerError, Cause: errSecret}, exchange{"GET /note", "", 500, `SERVER_ERROR {}`}},
			{context.DeadlineExceeded, exchange{"GET /note", "", 503, `UNAVAILABLE {}`}},
		} {
			reject := func(*http.Request) (*core.Principal, error) { return nil, row.err }
			setup{model: notes(), decorators: []core.Decorator{owning()}, rest: rest.Options{Authenticate: reject}}.start(t, newBackend).check(t, row.want)
		}
	})
	t.Run("the challenge is an option", func(t *testing.T) {
		s := ownedNotes()
		s.rest.Challenge = `Basic realm="notes"`
		if got := s.start(t, newBackend).check(t, exchange{"GET /note", "", 401, ""}).header.Get("Www-Authenticate"); got != s.rest.Challenge {
			t.Errorf("WWW-Authenticate %q", got)
		}
	})
	t.Run("a rejected bearer token has error=invalid_token", func(t *testing.T) {
		testInvalidToken(t, newBackend)
	})
	t.Run("concurrent requests keep their principals", func(t *testing.T) {
		testConcurrentPrincipals(t, ownedNotes().start(t, newBackend))
	})
}

// testInvalidToken checks RFC 6750, section 3: error="invalid_token" for a rejected token, no error without a token.
func testInvalidToken(t *testing.T, newBackend NewBackend) {
	const invalid = `error="invalid_token", error_description="the token is malformed, expired, revoked or not accepted here"`
	for _, row := range []struct{ challenge, token, want string }{
		{"", "", `Bearer`},
		{"", "Bearer x", `Bearer ` + invalid},
		{"", "bearer x", `Bearer ` + invalid},
		{"", "Basic eA==", `Bearer`},
		{`bearer realm="notes"`, "", `bearer realm="notes"`},
		{`bearer realm="notes"`, "Bearer x", `bearer realm="notes", ` + invalid},
		{`Bearer error="expired"`, "Bearer x", `Bearer error="expired"`},
		{`Basic realm="notes"`, "Bearer x", `Basic realm="notes"`},
	} {
		s := ownedNotes()
		s.rest.Challenge = row.challenge
		got := s.start(t, newBackend).as(row.token).check(t, exchange{"GET /note", "", 401, `UNAUTHORIZED {}`}).header.Get("Www-Authenticate")
		if got != row.want {
			t.Errorf("challenge %q, token %q: WWW-Authenticate %q, want %q", row.challenge, row.token, got, row.want)
		}
	}
	for message, want := range map[string]string{
		"the token has expired": "the token has expired",
		`a "quoted" reason`:     "the token is malformed, expired, revoked or not accepted here",
		"a\r\nSet-Cookie: b":    "the token is malformed, expired, revoked or not accepted here",
	} {
		s := setup{model: notes(), rest: rest.Options{Authenticate: func(*http.Request) (*core.Principal, error) {
			return nil, &core.Error{Code: core.Unauthorized, Message: message}
		}}}
		got := s.start(t, newBackend).as("Bearer x").check(t, exchange{"GET /note", "", 401, `UNAUTHORIZED {}`}).header.Get("Www-Authenticate")
		if want := `Bearer error="invalid_token", error_description="` + want + `"`; got != want {
			t.Errorf("message %q: WWW-Authenticate %q, want %q", message, got, want)
		}
	}
}

func testConcurrentPrincipals(t *testing.T, all *client) {
	const each = 10
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			c, text := all.as(user(n+1)), strconv.Itoa(n+1)
			for range each {
				if r := c.send(t, "POST", "/note", reader(`{"text": "`+text+`"}`)); r.status != 201 {
					t.Errorf("user %s: %d %s", text, r.status, r.body)
				}
			}
			mine := `[` + strings.Repeat(`{"id": "*", "text": "`+text+`"}, `, each-1) + `{"id": "*", "text": "` + text + `"}]`
			if r := c.send(t, "GET", "/note", nil); !r.is(t, mine) {
				t.Errorf("user %s reads %s", text, r.body)
			}
		})
	}
	wg.Wait()
}
