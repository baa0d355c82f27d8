package explorer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// visit is a request for a page, and its answer.
type visit struct {
	*Explorer
	place

	w     http.ResponseWriter
	r     *http.Request
	token string // bearer token of the person; empty without one
	// admitted is true once the API has said that the caller may use it.
	admitted bool
}

// problem is an error that the API answers with.
type problem struct {
	Status  int
	Code    string
	Message string
	Details details
	// challenge is the header WWW-Authenticate of a 401.
	challenge string
}

// details are the details of an error that the pages use.
type details struct {
	Object     string      `json:"object_name"`
	Field      string      `json:"field_name"`
	Fields     []string    `json:"field_names"`
	Violations []violation `json:"violations"`
}

// violation is a rule that a value breaks.
type violation struct {
	Path     []any  `json:"path"`
	Rule     string `json:"rule"`
	Accepted string `json:"accepted"`
}

// Error returns the message for people.
func (p *problem) Error() string { return p.Message }

// problemOf returns the error of the API, or an empty problem for no error and for other errors.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	return new(problem)
}

// ownHeaders are the headers of a browser's request that concern the request itself and not its sender.
var ownHeaders = []string{
	"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Expect", "If-Match", "If-Modified-Since",
	"If-None-Match", "If-Range", "If-Unmodified-Since", "Idempotency-Key", "Prefer", "Range", "Te", "Transfer-Encoding",
}

// request returns a request to the API on behalf of the browser. path is escaped.
func (v *visit) request(method, path string, query url.Values, body []byte) *http.Request {
	r := v.r.Clone(v.r.Context())
	for _, name := range ownHeaders {
		r.Header.Del(name)
	}
	r.Header.Set("Accept", "application/json")
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	r.Method, r.Body, r.ContentLength, r.TransferEncoding = method, io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.URL = &url.URL{Path: path, RawPath: path, RawQuery: query.Encode()}
	if unescaped, err := url.PathUnescape(path); err == nil {
		r.URL.Path = unescaped
	}
	r.RequestURI = r.URL.RequestURI()
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	return r
}

// send sends a request to the API, with further headers as names and values, and returns the answer.
//
// Errors: a [*problem] for the status 400 and above, and for an answer that is too large.
func (v *visit) send(method, path string, query url.Values, body []byte, headers ...string) (*recorder, error) {
	r := v.request(method, path, query, body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := &recorder{header: make(http.Header), status: http.StatusOK}
	v.api.ServeHTTP(answer, r)
	if answer.status >= http.StatusBadRequest {
		return nil, answer.problem()
	}
	if answer.overflown {
		return nil, &problem{Status: http.StatusRequestEntityTooLarge, Code: tooLarge, Message: "This is too large for a page. Read it with a program, or ask for fewer fields."}
	}
	return answer, nil
}

// tooLarge is the code of problems of size.
const tooLarge = "TOO_LARGE"

func (v *visit) get(path string, query url.Values) (*recorder, error) {
	return v.send(http.MethodGet, path, query, nil)
}

// maxAnswer is the greatest number of bytes of an answer of the API that a page shows.
const maxAnswer = 2 << 20

// recorder keeps an answer of the API in memory.
type recorder struct {
	header    http.Header
	status    int
	wrote     bool
	body      bytes.Buffer
	overflown bool // the body is larger than maxAnswer, and not kept
}

var _ http.ResponseWriter = (*recorder)(nil)

// Header returns the header of the answer.
func (a *recorder) Header() http.Header { return a.header }

// WriteHeader keeps the first status.
func (a *recorder) WriteHeader(status int) {
	if !a.wrote && status >= http.StatusOK {
		a.status, a.wrote = status, true
	}
}

// Write keeps the bytes up to the bound.
func (a *recorder) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(b) > maxAnswer {
		a.overflown = true
		a.body.Reset()
	}
	if !a.overflown {
		a.body.Write(b)
	}
	return len(b), nil
}

// problem returns the error of an answer. An answer that has not the form of the API's errors, such as one of a middleware,
// has only a status.
func (a *recorder) problem() *problem {
	var answer struct{ Error *problem }
	if err := json.Unmarshal(a.body.Bytes(), &answer); err != nil || answer.Error == nil || answer.Error.Message == "" {
		answer.Error = &problem{Message: http.StatusText(a.status) + "."}
	}
	answer.Error.Status, answer.Error.challenge = a.status, a.header.Get("WWW-Authenticate")
	return answer.Error
}
