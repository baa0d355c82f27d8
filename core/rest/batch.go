package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// maxBatch is the greatest number of requests in a batch.
const maxBatch = 1000

// batchRequest is one request of a batch.
type batchRequest struct {
	method  string
	path    *url.URL
	header  http.Header
	body    any
	hasBody bool
}

// batch serves the requests of the body in one transaction, all of them or none, one after another. Each sees the writes of
// those before it.
func (x *exchange) batch() error {
	if _, err := x.params(); err != nil {
		return err
	}
	body, err := x.readBody()
	if err != nil {
		return err
	}
	requests, err := parseBatch(body)
	if err != nil {
		return err
	}
	reads := !slices.ContainsFunc(requests, func(b batchRequest) bool { return b.method != http.MethodGet })
	var answer []byte
	held := int64(0)
	err = x.api.Tx(x.ctx, core.TxOptions{ReadOnly: reads}, func(ctx context.Context, tx *engine.Engine) error {
		x.reserved.release(held) // of an attempt before
		answer, held = []byte{'['}, 0
		for i := range requests {
			recorded, err := x.serveInBatch(ctx, tx, &requests[i])
			if err == nil {
				before := len(answer)
				if i > 0 {
					answer = append(answer, ',')
				}
				answer = recorded.append(answer)
				err = x.holdAnswer(len(answer)-before, len(answer))
				held += int64(len(answer) - before)
			}
			if err != nil {
				return &batchError{err, i + 1}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.answer(http.StatusOK, append(answer, ']'))
	return nil
}

// holdAnswer reserves memory for the bytes by which the answer has grown, and checks its size.
func (x *exchange) holdAnswer(grown, size int) error {
	if limit := x.api.Options().MaxBytes; size > limit {
		return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("the answers have more than %d bytes together; send fewer requests at once", limit)}
	}
	return x.reserved.tryAcquire(int64(grown))
}

// batchError is the error of one request of a batch.
type batchError struct {
	error

	request int // position, from 1
}

// Unwrap returns the error of the request.
func (e *batchError) Unwrap() error { return e.error }

// requestOf returns the position of the failed request of a batch, from 1; 0 for an error of another kind.
func requestOf(err error) int {
	if e, ok := errors.AsType[*batchError](err); ok {
		return e.request
	}
	return 0
}

// serveInBatch serves one request with the engine of the transaction.
func (x *exchange) serveInBatch(ctx context.Context, tx *engine.Engine, b *batchRequest) (*recorder, error) {
	r := (&http.Request{Method: b.method, URL: b.path, Header: b.header, Proto: x.r.Proto, Host: x.r.Host}).WithContext(ctx)
	answer := &recorder{header: make(http.Header)}
	inner := exchange{h: x.h, api: tx, w: answer, r: r, ctx: ctx, anonymousAllowed: true, inBatch: b}
	var err error
	if inner.target, err = x.h.routeResource(b.path.EscapedPath()); err != nil {
		return nil, err
	}
	serve, ok := inner.endpoint.methods[b.method]
	if !ok {
		return nil, &core.Error{Code: core.MethodNotAllowed, Param: b.method, Accepted: inner.allow()}
	}
	return answer, serve(&inner)
}

// readBody returns the parsed body of the request.
func (b *batchRequest) readBody() (any, error) {
	if !b.hasBody {
		return nil, &core.Error{Code: core.BadRequest, Message: "the request has no body; add the member body"}
	}
	return b.body, nil
}

// recorder keeps the answer to a request of a batch.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// shownHeaders are the headers that the answer of a batch repeats.
var shownHeaders = []string{"ETag", "Link", "Location", "Preference-Applied", "X-Total-Count"}

// append appends the answer as a JSON object.
func (r *recorder) append(dst []byte) []byte {
	dst = append(dst, `{"status":`...)
	dst = strconv.AppendInt(dst, int64(r.status), 10)
	separator := `,"headers":{`
	for _, name := range shownHeaders {
		if value := r.header.Get(name); value != "" {
			dst = append(dst, separator...)
			dst = core.TextValue(name).AppendJSON(dst)
			dst = append(dst, ':')
			dst = core.TextValue(value).AppendJSON(dst)
			separator = ","
		}
	}
	if separator == "," {
		dst = append(dst, '}')
	}
	if r.body.Len() > 0 {
		dst = append(dst, `,"body":`...)
		dst = append(dst, r.body.Bytes()...)
	}
	return append(dst, '}')
}

// parseBatch reads the requests of a batch.
//
// Errors: [core.BadRequest] and [core.TooLarge], with the position of the request.
func parseBatch(body any) ([]batchRequest, error) {
	list, ok := body.([]any)
	switch {
	case !ok:
		return nil, &core.Error{Code: core.BadRequest, Message: "the body must be a JSON list of requests"}
	case len(list) > maxBatch:
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("the batch has more than %d requests; send it in parts", maxBatch)}
	}
	requests := make([]batchRequest, len(list))
	for i, item := range list {
		if message := requests[i].parse(item); message != "" {
			return nil, &batchError{&core.Error{Code: core.BadRequest, Message: message}, i + 1}
		}
	}
	return requests, nil
}

// batchMethods are the methods that a request of a batch can have.
var batchMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// batchHeaders are the headers that a request of a batch can have, by their canonical names.
var batchHeaders = []string{"Content-Type", "If-Match", "If-None-Match", "Prefer"}

// parse reads the request. It returns the problem of a malformed one in words.
func (b *batchRequest) parse(item any) string {
	members, ok := item.(map[string]any)
	if !ok {
		return "a request of a batch must be a JSON object with method, path, headers and body"
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains([]string{"method", "path", "headers", "body"}, name) {
			return fmt.Sprintf("a request of a batch has no member %.100q; it has method, path, headers and body", name)
		}
	}
	if b.method, _ = members["method"].(string); !slices.Contains(batchMethods, b.method) {
		return "the method of a request must be one of " + strings.Join(batchMethods, ", ")
	}
	path, _ := members["path"].(string)
	var err error
	if b.path, err = url.ParseRequestURI(path); err != nil || !strings.HasPrefix(path, "/") || b.path.Host != "" {
		return "the path of a request must be an escaped path with its arguments, such as /jar/1?depth=0"
	}
	if strings.HasSuffix(b.path.EscapedPath(), "/"+batchName) {
		return "a batch cannot have another batch"
	}
	b.body, b.hasBody = members["body"]
	return b.parseHeaders(members["headers"])
}

func (b *batchRequest) parseHeaders(headers any) string {
	b.header = http.Header{"Content-Type": {plainJSON}}
	members, ok := headers.(map[string]any)
	if !ok && headers != nil {
		return "the headers of a request must be a JSON object of strings"
	}
	given := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		canonical := http.CanonicalHeaderKey(name)
		if given[canonical] {
			return "the headers of a request name " + canonical + " twice"
		}
		given[canonical] = true
		if !slices.Contains(batchHeaders, canonical) {
			return "the headers of a request can be " + strings.Join(batchHeaders, ", ")
		}
		value, ok := members[name].(string)
		if !ok {
			return "the headers of a request must be a JSON object of strings"
		}
		b.header.Set(canonical, value)
	}
	if media := mediaType(b.header["Content-Type"]); media != plainJSON && (media != mergePatch || b.method != http.MethodPatch) {
		return "the Content-Type of a request must be application/json, or application/merge-patch+json for PATCH"
	}
	return ""
}
