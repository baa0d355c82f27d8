package main

import (
	"fmt"
	"io"

	"github.com/larder-go/larder/core"
)

// examples are bodies that are worth a first try, by model.
var examples = map[string]struct{ resource, body string }{
	"cookies": {"jar", `{"cookies": [{"type": "muffin"}, {"type": "shortbread"}]}`},
	"family":  {"male", `{"name": "Adam", "wife": {"name": "Eve", "children": [{"name": "Abel"}]}}`},
}

// announce tells what is served where, and what to try.
func announce(out io.Writer, addr string, store *core.Store) {
	base := "http://" + addr
	fmt.Fprint(out, store.Describe())
	for _, r := range store.Model().Resources() {
		fmt.Fprintf(out, "serving %s/%s\n", base, r.External())
	}
	fmt.Fprintf(out, "OpenAPI %s/openapi.json\n", base)
	try := examples[store.Model().Name()]
	fmt.Fprintf(out, "try     curl -H 'Content-Type: application/json' -d '%s' '%s/%s?depth=2'\n", try.body, base, try.resource)
}
