package policytest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/larder-go/larder/core"
)

// batchPath is the path of a batch in package rest.
const batchPath = "/$batch"

// batchItem is one request of a batch.
type batchItem struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// batch sends several requests in one batch and compares the answers of both worlds.
func (s *requester) batch() {
	items := make([]batchItem, 1+s.d.UpTo(3, "requests"))
	for i := range items {
		of := requester{driver: s.driver, d: s.d, w: s.w, r: s.d.AnyResource(s.w.Model)}
		items[i] = of.batchItem()
	}
	body := s.marshal(items)
	s.d.Logf("batch %s", body)
	s.exchange(writeRequest{method: http.MethodPost, path: batchPath, body: body}, func(context.Context, http.Handler, *httptest.ResponseRecorder) {})
}

// batchItem draws a request about a readable, hidden or absent record, or about many.
func (s *requester) batchItem() batchItem {
	list := "/" + url.PathEscape(s.r.APIName())
	key := s.d.Value(s.r.Key())
	one := list + "/" + url.PathEscape(key.String())
	filtered := list + "?filter=" + url.QueryEscape(string(s.marshal(s.filter(s.r, 1))))
	switch s.d.UpTo(6, "method") {
	case 0:
		return batchItem{Method: http.MethodGet, Path: filtered + "&count=true"}
	case 1:
		return batchItem{Method: http.MethodPatch, Path: one, Body: s.marshal(s.body(s.r, 1))}
	case 2:
		return batchItem{Method: http.MethodPatch, Path: filtered + "&max=9", Body: s.marshal(s.body(s.r, 1))}
	case 3:
		one = list + "/" + url.PathEscape(s.w.stored(s.d, s.r.Key()).String())
		return batchItem{Method: http.MethodPut, Path: one, Body: s.marshal(s.body(s.r, 1))}
	case 4:
		if s.r.Key().Type() == core.Int { // random keys cannot be compared
			return batchItem{Method: http.MethodPost, Path: list, Body: s.marshal(s.body(s.r, 1))}
		}
	case 5:
		if !s.w.pool.referenced[s.r.Index()][key] {
			return batchItem{Method: http.MethodDelete, Path: one}
		}
	}
	return batchItem{Method: http.MethodGet, Path: one}
}

func (s *requester) marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		s.d.Fatalf("%v", err)
	}
	return text
}
