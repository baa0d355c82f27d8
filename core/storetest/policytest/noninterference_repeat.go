package policytest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// keyHeader is the header of a write that a client can repeat.
const keyHeader = "Idempotency-Key"

// writeRequest is a write with a key, as a client sends it to package rest.
type writeRequest struct {
	resource          *core.Resource
	key, method, path string
	body              []byte
	record            string // path of the record; empty if it is unknown
	failed            bool
}

// newHandler returns the REST handler of the spec. It serves the principal of the context.
func (spec PolicySpec) newHandler(api *engine.Engine) http.Handler {
	h, err := rest.New(api, rest.Options{Authenticate: func(r *http.Request) (*core.Principal, error) {
		return core.PrincipalOf(r.Context()), nil
	}})
	if err != nil {
		panic(err) // the options are valid
	}
	if spec.Middleware != nil {
		return spec.Middleware(h)
	}
	return h
}

// send serves the request and returns the answer.
func (x writeRequest) send(ctx context.Context, h http.Handler) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, x.method, x.path, bytes.NewReader(x.body))
	if x.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if x.key != "" {
		r.Header.Set(keyHeader, x.key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// repeat sends a write with a key, often one that was sent before, and compares the answers of both worlds. The answer to a
// repetition must be what the principal reads now, and a failure must not be remembered. In the other world, another
// principal uses the same key before.
func (s *requester) repeat() {
	if p := s.w.principal; !s.w.Model.RemembersAnswers() || p == nil || !p.ID.IsSet() { // a key needs a principal with an id
		s.update()
		return
	}
	x, ok := s.keyed()
	switch {
	case !ok:
		return
	case x.record != "" && s.d.Bool("changes the record before"):
		s.change(*x)
	}
	s.otherUsesKey(x.key)
	s.d.Logf("key %s: %s %s %s", x.key, x.method, x.path, x.body)
	s.exchange(*x, func(ctx context.Context, h http.Handler, answer *httptest.ResponseRecorder) {
		switch replayed := answer.Header().Get("Idempotent-Replayed") != ""; {
		case replayed && x.method != http.MethodDelete:
			s.checkReplay(ctx, h, *x, answer)
		case answer.Code >= http.StatusBadRequest && answer.Code != http.StatusUnprocessableEntity:
			if x.failed = true; x.method != http.MethodPost {
				x.record = x.path
			}
			without := *x
			without.key = ""
			if again := without.send(ctx, h); again.Code < http.StatusBadRequest {
				failDifferent(s.d, "with the key the answer is %d, and without it %d %s", answer.Code, again.Code, again.Body)
			}
		case x.method == http.MethodPost:
			x.failed = false
			x.record = answer.Header().Get("Location")
		default:
			x.failed = false
			x.record = x.path
		}
	})
}

// exchange sends the request in both worlds, calls check for each answer, and compares the answers.
func (s *requester) exchange(x writeRequest, check func(context.Context, http.Handler, *httptest.ResponseRecorder)) {
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		h := s.driver.handlers[api]
		answer := x.send(ctx, h)
		text := fmt.Appendf(nil, "%d %v %s", answer.Code, answer.Header(), answer.Body)
		check(ctx, h, answer)
		return reply{body: text}
	})
}

// change changes or deletes the record of a write with a key, or creates the record if the write has failed.
func (s *requester) change(x writeRequest) {
	of := requester{driver: s.driver, d: s.d, w: s.w, r: x.resource}
	method, body := http.MethodPatch, s.marshal(of.body(x.resource, 1))
	switch {
	case x.failed:
		method = http.MethodPut
	case x.method == http.MethodPost && s.d.Bool("deletes"): // no hidden row references a new record
		method, body = http.MethodDelete, nil
	}
	s.d.Logf("%s %s %s", method, x.record, body)
	s.exchange(writeRequest{method: method, path: x.record, body: body}, func(context.Context, http.Handler, *httptest.ResponseRecorder) {})
}

// checkReplay compares a repeated answer about one record with what the principal reads now.
func (s *requester) checkReplay(ctx context.Context, h http.Handler, x writeRequest, answer *httptest.ResponseRecorder) {
	record := cmp.Or(x.record, answer.Header().Get("Location"))
	if record == "" {
		return // an equal request was sent before, and its record is gone
	}
	now := writeRequest{method: http.MethodGet, path: record}.send(ctx, h)
	if now.Body.String() != answer.Body.String() {
		failDifferent(s.d, "the repeated answer is %s, and the record is %s", answer.Body, now.Body)
	}
}

// keyed draws a write with a key: one that was sent before, or a new one.
func (s *requester) keyed() (_ *writeRequest, ok bool) {
	if sent := s.driver.sent; len(sent) > 0 && s.d.UpTo(2, "repeats") > 0 {
		return sent[s.d.UpTo(len(sent)-1, "repeated")], true
	}
	x := &writeRequest{resource: s.r, key: fmt.Sprint("key ", s.d.UpTo(3, "key")), path: "/" + url.PathEscape(s.r.APIName())}
	key := s.w.stored(s.d, s.r.Key())
	one := x.path + "/" + url.PathEscape(key.String())
	switch s.d.UpTo(3, "method") {
	case 0:
		if s.r.Key().Type() == core.Int { // random keys cannot be compared
			x.method = http.MethodPost
			break
		}
		x.method, x.path = http.MethodPut, one
	case 1:
		x.method, x.path = http.MethodPut, one
	case 2:
		x.method, x.path = http.MethodPatch, one
	case 3:
		x.method, x.path = http.MethodDelete, one
		if s.w.pool.referenced[s.r.Index()][key] {
			return nil, false
		}
	}
	if x.method != http.MethodDelete {
		x.body = s.marshal(s.body(s.r, 1))
	}
	s.driver.sent = append(s.driver.sent, x)
	return x, true
}

// otherUsesKey makes another principal use the key in world b for a request that changes nothing.
func (s *requester) otherUsesKey(key string) {
	if len(s.w.others) == 0 || !s.d.Bool("another principal uses the key") {
		return
	}
	other := s.w.others[s.d.UpTo(len(s.w.others)-1, "other")]
	if other.principal == nil || !other.principal.ID.IsSet() || other.principal.ID == s.w.principal.ID {
		return
	}
	ctx, _ := s.w.b.newProbe(s.w.b.ctx, other.principal)
	x := writeRequest{key: key, method: http.MethodDelete, path: "/" + url.PathEscape(s.r.APIName()) + "?max=1&filter=" + url.QueryEscape(`{"$not": {}}`)}
	answer := x.send(ctx, s.driver.handlers[s.driver.inB])
	s.d.Logf("in the other world, %v uses the key %s: %d %s", other, key, answer.Code, answer.Body)
	s.w.dropObservations()
}
