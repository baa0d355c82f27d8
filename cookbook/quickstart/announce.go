package main

import (
	"io"
	"strings"

	"github.com/larder-go/larder/core"
)

// examples are bodies that are worth a first try, by model.
var examples = map[string]struct{ resource, body string }{
	"cookies": {"jar", `{"cookies": [{"type": "muffin"}, {"type": "shortbread"}]}`},
	"family":  {"male", `{"name": "Adam", "wife": {"name": "Eve", "children": [{"name": "Abel"}]}}`},
}

// announce tells what is served where, and what to try.
func announce(out io.Writer, base string, store *core.Store, auth bool) error {
	var b strings.Builder
	b.WriteString(store.Describe().String())
	for _, r := range store.Model().Resources() {
		b.WriteString("serving " + base + "/" + r.APIName() + "\n")
	}
	b.WriteString("OpenAPI " + base + "/openapi.json\n")
	b.WriteString("metrics " + base + "/metrics\n")
	token := ""
	if auth {
		b.WriteString("tokens  alice, bob and admin: for demonstration only, everybody knows them\n")
		token = "-H 'Authorization: Bearer alice' "
	}
	try := examples[store.Model().Name()]
	b.WriteString("try     curl " + token + "-H 'Content-Type: application/json' -d '" + try.body + "' '" + base + "/" + try.resource + "?depth=2'\n")
	_, err := io.WriteString(out, b.String())
	return err
}
