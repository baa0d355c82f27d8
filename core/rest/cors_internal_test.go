package rest

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/core/engine"
)

func TestMethodsAreThoseOfAllEndpoints(t *testing.T) {
	served := map[string]bool{}
	for _, e := range []endpoint{collectionEndpoint, recordEndpoint, relatedEndpoint, batchEndpoint, documentEndpoint, aggregateEndpoint, actionEndpoint, restoreEndpoint} {
		for method := range e.methods {
			served[method] = true
			if !slices.Contains(Methods(), method) {
				t.Errorf("%s is missing", method)
			}
		}
	}
	if len(served) != len(Methods()) {
		t.Errorf("%d of %s are served", len(served), Methods())
	}
}

func TestRequestHeadersHaveThoseOfTheDocument(t *testing.T) {
	found := 0
	for _, p := range parameters(engine.Options{}, Options{}, engine.DefaultDepth) {
		if p := p.(object); p["in"] == "header" { //nolint:forcetypeassert // a parameter is an object
			found++
			if name := p["name"]; !slices.Contains(RequestHeaders(), name.(string)) { //nolint:forcetypeassert // and its name a string
				t.Errorf("%s is missing", name)
			}
		}
	}
	if found == 0 {
		t.Error("the document has no header")
	}
}

func TestHeadersOfBatchesAreListed(t *testing.T) {
	for _, name := range shownHeaders {
		if !slices.Contains(AnswerHeaders(), name) {
			t.Errorf("%s is missing in AnswerHeaders", name)
		}
	}
	for _, name := range batchHeaders {
		if !slices.Contains(RequestHeaders(), name) {
			t.Errorf("%s is missing in RequestHeaders", name)
		}
	}
}
