package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// keyHeader is the header with the client's key of a write that may be sent repeatedly, by its canonical name.
const keyHeader = "Idempotency-Key"

// replayedHeader is "true" in the answer to a request that was performed before and is only answered now.
const replayedHeader = "Idempotent-Replayed"

// maxKey is the greatest length of a key in bytes.
const maxKey = 255

// outcome is the remembered result of a write. It has no content of records, unless an action puts it into its output: an answer
// reads them again, under the policies of its own time.
type outcome struct {
	Request string   `json:"request"`         // fingerprint of the request
	Status  int      `json:"status"`          // of the answer
	IDs     []string `json:"ids,omitempty"`   // of the records that a POST created
	Count   int      `json:"count,omitempty"` // of the records that a change of many records changed
	// Output is that of an action, which cannot be read again.
	Output json.RawMessage `json:"output,omitempty"`
}

// writes reports whether the method of the request is one that writes.
func (x *exchange) writes() bool {
	switch x.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}

// serveOnce serves a write with an idempotency key: it performs the write and remembers the outcome in one transaction, or
// answers by the outcome that it finds there.
func (x *exchange) serveOnce(keys []string, serve func(*exchange) error) error {
	if err := x.checkKey(keys); err != nil {
		return err
	}
	request := batchRequest{}
	if x.r.Method != http.MethodDelete {
		var err error
		if request.body, err = x.readBody(); err != nil {
			return err
		}
		request.hasBody = true
	}
	fingerprint := x.fingerprint()
	var answer *recorder
	var replayed bool
	held := int64(0)
	err := x.api.Tx(x.ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
		x.reserved.release(held) // of an attempt before
		held, answer = 0, &recorder{header: x.w.Header().Clone()}
		inner := exchange{
			h: x.h, api: tx, w: answer, r: x.r.WithContext(ctx), target: x.target, ctx: ctx, anonymousAllowed: true, inBatch: &request,
			reserved: reservation{budget: x.reserved.budget},
		}
		defer inner.reserved.releaseAll()
		text, found, err := tx.Recall(ctx, keys[0])
		if replayed = found; err != nil {
			return err
		}
		if found {
			err = inner.replay(text, fingerprint)
		} else if err = serve(&inner); err == nil {
			err = inner.remember(ctx, keys[0], fingerprint, answer.status)
		}
		if err == nil {
			held = int64(answer.body.Len())
			err = x.reserved.tryAcquire(held)
		}
		return err
	})
	if replayed && !errors.Is(err, core.KeyReused) {
		x.w.Header().Set(replayedHeader, "true")
	}
	if err != nil {
		return err
	}
	x.copyAnswer(answer)
	if !replayed {
		x.h.forgetSome(x.ctx)
	}
	return nil
}

// checkKey checks that the request may have a key, and that the key is well formed.
func (x *exchange) checkKey(keys []string) error {
	if err := x.anonymousError(); err != nil {
		return err
	}
	p := core.PrincipalOf(x.ctx)
	switch {
	case x.resource == nil:
		return badKey("a batch cannot have it; send a request of its own for each write that may be repeated")
	case !x.api.Model().RemembersAnswers():
		return badKey("this server remembers no answers; leave the header out, and do not repeat the request blindly")
	case p == nil || !p.ID.IsSet():
		return badKey("it needs credentials, because a key belongs to one principal")
	case len(keys) != 1 || !goodKey(keys[0]):
		return badKey(fmt.Sprintf("the value must be one key of 1 to %d printable ASCII characters, such as a random UUID", maxKey))
	}
	return nil
}

func badKey(problem string) error {
	return &core.Error{Code: core.BadRequest, Message: "the header " + keyHeader + ": " + problem}
}

// goodKey reports whether the value of the header is a key.
func goodKey(key string) bool {
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return key != "" && len(key) <= maxKey
}

// fingerprint returns a hash of the parts of the request that must be the same in a repetition: the method, the URL, the
// preconditions, and the body with its type.
func (x *exchange) fingerprint() string {
	h := sha256.New()
	part := func(text string) { h.Write(fmt.Appendf(nil, "%d %s\n", len(text), text)) }
	part(x.r.Method)
	part(x.r.URL.RequestURI())
	for _, name := range []string{"If-Match", "If-None-Match"} {
		lines := x.r.Header[name]
		h.Write(fmt.Appendf(nil, "%d\n", len(lines)))
		for _, line := range lines {
			part(line)
		}
	}
	part(mediaType(x.r.Header["Content-Type"]))
	h.Write(x.bodyHash[:])
	return hex.EncodeToString(h.Sum(nil))
}

// remember stores the outcome of a write that has succeeded.
func (x *exchange) remember(ctx context.Context, key, fingerprint string, status int) error {
	x.outcome.Request, x.outcome.Status = fingerprint, status
	text, err := json.Marshal(x.outcome)
	if err != nil {
		return err
	}
	return x.api.Remember(ctx, key, string(text), time.Now().Add(x.h.opts.RememberFor))
}

// replay answers by a remembered outcome. It reads the records again: a record that is gone, or that the principal may not
// read any more, is the error of a GET.
func (x *exchange) replay(text, fingerprint string) error {
	var was outcome
	if err := json.Unmarshal([]byte(text), &was); err != nil {
		return err
	}
	if was.Request != fingerprint {
		return &core.Error{Code: core.KeyReused, Param: keyHeader}
	}
	switch {
	case x.action != nil:
		return x.replayAction(was)
	case x.id == "" && x.r.Method != http.MethodPost:
		return x.answerCount(was.Count, nil)
	case x.r.Method == http.MethodDelete:
		x.answer(http.StatusOK, []byte("null"))
		return nil
	}
	ids := was.IDs
	if x.r.Method != http.MethodPost {
		ids = []string{x.id}
	}
	views, err := x.readAgain(ids)
	if err != nil {
		return err
	}
	minimal := x.prefersMinimal()
	_, many := x.inBatch.body.([]any)
	switch {
	case many && minimal:
		x.answerMinimal(http.StatusCreated)
	case many:
		x.answerList(http.StatusCreated, views)
	case was.Status == http.StatusCreated:
		x.answerCreated(views[0], minimal)
	case minimal:
		x.answerMinimal(http.StatusNoContent)
	default:
		x.answerOne(http.StatusOK, views[0])
	}
	return nil
}

// readAgain reads records at the depth and with the fields of the request.
func (x *exchange) readAgain(ids []string) ([]engine.View, error) {
	depth, fields, err := x.shown()
	if err != nil {
		return nil, err
	}
	views := make([]engine.View, len(ids))
	for i, id := range ids {
		if views[i], err = x.api.Get(x.ctx, x.resource.name, id, depth, fields...); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// copyAnswer writes a recorded answer. Its headers began as those of the exchange.
func (x *exchange) copyAnswer(answer *recorder) {
	maps.Copy(x.w.Header(), answer.header)
	x.send(answer.status, answer.body.Bytes())
}

// Expired answers are deleted now and then, after a write and in a transaction of its own: more of them at once than have
// been added since, so that their number shrinks.
const (
	forgetEvery = 100
	forgetLimit = 200
)

// forgetSome deletes expired answers after every hundredth that was remembered. A conflict leaves them to the next time.
func (h *Handler) forgetSome(ctx context.Context) {
	if h.remembered.Add(1)%forgetEvery != 0 {
		return
	}
	if _, err := h.api.Forget(ctx, forgetLimit); err != nil && !errors.Is(err, core.ErrConflict) {
		h.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "expired answers could not be deleted", slog.Any("error", err))
	}
}
