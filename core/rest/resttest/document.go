package resttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/jsonschema"
)

// documents checks the answers of a server against its OpenAPI documents. It is safe for concurrent use.
type documents struct {
	server http.Handler
	prefix string

	mu     sync.Mutex
	loaded map[string]*document // by depth
}

// document is an OpenAPI document.
type document struct {
	content map[string]any
	schemas map[string]json.RawMessage // components
}

// violation returns the difference between an answer and its description; empty if there is none. An answer without a
// description agrees: the answer to a request that the documents leave out, or to an anonymous request that may not see a document.
func (d *documents) violation(req *http.Request, r reply) string {
	if d == nil {
		return ""
	}
	args := req.URL.Query()
	path, ok := strings.CutPrefix(req.URL.EscapedPath(), d.prefix)
	problem := r.header.Get("Content-Type") == "application/problem+json"
	list := req.Method == http.MethodPost && r.status == http.StatusCreated && bytes.HasPrefix(r.body, []byte("["))
	if !ok || problem || list || req.Header.Get("Prefer") != "" {
		return ""
	}
	doc := d.load(args.Get("depth"), req.Header.Get("Authorization"))
	if doc == nil {
		return ""
	}
	answer, described := doc.answer(path, req.Method, r.status)
	switch {
	case !described:
		return ""
	case answer == nil:
		return "the OpenAPI document has no answer with this status"
	}
	headers, _ := answer["headers"].(map[string]any)
	for name := range headers {
		if doc.follow(headers[name])["required"] == true && r.header.Get(name) == "" {
			return "the header " + name + " is missing, which the OpenAPI document has"
		}
	}
	fields := args.Get("fields")
	content, _ := answer["content"].(map[string]any)
	body, _ := content["application/json"].(map[string]any)
	if body == nil || r.status < 400 && (fields != "" && !strings.Contains(","+fields+",", ",id,") || strings.Contains(fields, ".")) {
		return "" // the document describes answers with other fields
	}
	return doc.mismatch(body["schema"], r.body)
}

// load returns the document of a depth; nil if the server does not show it.
func (d *documents) load(depth, authorization string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, err := strconv.Atoi(depth); err != nil || n < 0 {
		depth = "1"
	}
	if doc := d.loaded[depth]; doc != nil {
		return doc
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, d.prefix+"/openapi.json?depth="+depth, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	d.server.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return nil
	}
	if d.loaded == nil {
		d.loaded = make(map[string]*document)
	}
	d.loaded[depth] = parseDocument(w.Body.String())
	return d.loaded[depth]
}

// parsed holds the documents of all servers by their text, because many servers have the same.
var parsed sync.Map

func parseDocument(text string) *document {
	if doc, ok := parsed.Load(text); ok {
		return doc.(*document) //nolint:forcetypeassert // parsed has no other values
	}
	doc := new(document)
	var components struct {
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := errors.Join(json.Unmarshal([]byte(text), &doc.content), json.Unmarshal([]byte(text), &components)); err != nil {
		panic("the OpenAPI document is no JSON object: " + text)
	}
	doc.schemas = components.Components.Schemas
	parsed.Store(text, doc)
	return doc
}

// answer returns the description of an answer, nil if there is none, and whether the document describes the operation.
func (doc *document) answer(path, method string, status int) (answer map[string]any, described bool) {
	paths, _ := doc.content["paths"].(map[string]any)
	for template, item := range paths {
		methods, _ := item.(map[string]any)
		name := strings.ToLower(method)
		op, ok := methods[name].(map[string]any)
		if !ok || name == method || !fits(template, path) {
			continue
		}
		responses, _ := op["responses"].(map[string]any)
		return doc.follow(responses[strconv.Itoa(status)]), true
	}
	return nil, false
}

// fits reports whether a path is one of the template.
func fits(template, path string) bool {
	parts, names := strings.Split(path, "/"), strings.Split(template, "/")
	if len(parts) != len(names) {
		return false
	}
	for i := range parts {
		if parts[i] != names[i] && (names[i] != "{id}" || parts[i] == "" || parts[i][0] == '$') {
			return false
		}
	}
	return true
}

// follow returns an object of the document, or the component that it refers to.
func (doc *document) follow(v any) map[string]any {
	object, _ := v.(map[string]any)
	target, ok := object["$ref"].(string)
	if !ok {
		return object
	}
	object = doc.content
	for name := range strings.SplitSeq(strings.TrimPrefix(target, "#/"), "/") {
		object, _ = object[name].(map[string]any)
	}
	return object
}

// mismatch returns the difference between a body and a schema of the document; empty if there is none.
func (doc *document) mismatch(described any, body []byte) string {
	text, err := json.Marshal(described)
	if err != nil {
		return err.Error()
	}
	schema, err := doc.compile(string(text))
	if err != nil {
		return "the schema of the answer is invalid: " + err.Error()
	}
	content, err := core.ParseJSON(body, 1000)
	if err != nil {
		return "the body is not JSON: " + err.Error()
	}
	for _, v := range schema.Violations(content) {
		return fmt.Sprintf("the body is not as the OpenAPI document describes it: %v breaks the rule %s, accepted: %s", v.Path, v.Rule, v.Accepted)
	}
	return ""
}

// reference matches a reference to a schema in JSON text.
var reference = regexp.MustCompile(`"#/components/schemas/([^"]+)"`)

// compiled holds the schemas of all documents by their text, because many documents have the same.
var compiled sync.Map

// compile returns a schema of the document. The components that it refers to become definitions.
func (doc *document) compile(text string) (*jsonschema.Schema, error) {
	definitions := make(map[string]json.RawMessage)
	for next := []string{text}; len(next) > 0; next = next[1:] {
		for _, match := range reference.FindAllStringSubmatch(next[0], -1) {
			if name := match[1]; definitions[name] == nil {
				definitions[name] = doc.schemas[name]
				next = append(next, string(doc.schemas[name]))
			}
		}
	}
	defined, err := json.Marshal(definitions)
	if err != nil {
		return nil, err
	}
	whole := reference.ReplaceAllString(fmt.Sprintf(`{"$defs": %s, "allOf": [%s]}`, defined, text), `"#/$$defs/$1"`)
	if schema, ok := compiled.Load(whole); ok {
		return schema.(*jsonschema.Schema), nil //nolint:forcetypeassert // compiled has no other values
	}
	schema, err := jsonschema.Compile(whole)
	if err == nil {
		compiled.Store(whole, schema)
	}
	return schema, err
}
