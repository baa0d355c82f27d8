package main

import (
	"fmt"
	"strings"

	"github.com/larder-go/larder/core"
)

// examples are the resource and the body of a first request, by model.
var examples = map[string]struct{ resource, body string }{
	"cookies": {"jar", `{"cookies": [{"type": "muffin"}, {"type": "shortbread"}]}`},
	"family":  {"male", `{"name": "Adam", "wife": {"name": "Eve", "children": [{"name": "Abel"}]}}`},
}

// announce prints the stack, the URLs and a first command.
func announce(base string, store *core.Store) error {
	var b strings.Builder
	b.WriteString(store.Describe().String())
	for _, r := range store.Model().Resources() {
		b.WriteString("serving " + base + "/" + r.APIName() + "\n")
	}
	b.WriteString("pages   " + base + "/ for a browser\n")
	b.WriteString("OpenAPI " + base + "/openapi.json, for people " + base + "/docs/\n")
	b.WriteString("metrics " + base + "/metrics\n")
	token := ""
	if *auth {
		b.WriteString("tokens  alice, bob and admin: for demonstration only, they are public\n")
		token = "-H 'Authorization: Bearer alice' "
	}
	try := examples[store.Model().Name()]
	b.WriteString("try     curl " + token + "-H 'Content-Type: application/json' -d '" + try.body + "' '" + base + "/" + try.resource + "?depth=2'\n")
	_, err := fmt.Print(b.String())
	return err
}
