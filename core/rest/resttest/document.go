package resttest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
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

	mu       sync.Mutex
	compiler *jsonschema.Compiler
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
	answer, pointer := doc.answer(path, req.Method, r.status)
	switch {
	case pointer == "": // no such operation
		return ""
	case answer == nil:
		return "the OpenAPI document has no answer with this status"
	}
	headers, _ := answer["headers"].(map[string]any)
	for name := range headers {
		if header, _ := doc.follow(headers[name]); header["required"] == true && r.header.Get(name) == "" {
			return "the header " + name + " is missing, which the OpenAPI document has"
		}
	}
	fields := args.Get("fields")
	if r.status < 400 && (fields != "" && !strings.Contains(","+fields+",", ",id,") || strings.Contains(fields, ".")) || answer["content"] == nil {
		return "" // the document describes other answers
	}
	return doc.mismatch(pointer+"/content/application~1json/schema", r.body)
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
	content, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	object, ok := content.(map[string]any)
	doc := &document{content: object, compiler: jsonschema.NewCompiler()}
	if err != nil || !ok || doc.compiler.AddResource(documentURL, content) != nil {
		panic("the OpenAPI document is no JSON object: " + text)
	}
	parsed.Store(text, doc)
	return doc
}

const documentURL = "test:openapi.json"

// answer returns the description of an answer, nil if there is none, and its place in the document; empty if the document
// does not describe the operation.
func (doc *document) answer(path, method string, status int) (map[string]any, string) {
	paths, _ := doc.content["paths"].(map[string]any)
	for template, item := range paths {
		methods, _ := item.(map[string]any)
		name := strings.ToLower(method)
		op, ok := methods[name].(map[string]any)
		if !ok || name == method || !fits(template, path) {
			continue
		}
		code := strconv.Itoa(status)
		responses, _ := op["responses"].(map[string]any)
		answer, target := doc.follow(responses[code])
		if target == "" {
			escaped := strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "{", "%7B", "}", "%7D").Replace(template)
			target = fmt.Sprintf("#/paths/%s/%s/responses/%s", escaped, name, code)
		}
		return answer, target
	}
	return nil, ""
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

// follow returns an object of the document, or the component that it refers to with the reference.
func (doc *document) follow(v any) (object map[string]any, reference string) {
	object, _ = v.(map[string]any)
	reference, _ = object["$ref"].(string)
	if reference == "" {
		return object, ""
	}
	object = doc.content
	for name := range strings.SplitSeq(strings.TrimPrefix(reference, "#/"), "/") {
		object, _ = object[name].(map[string]any)
	}
	return object, reference
}

// mismatch returns the difference between a body and a schema of the document; empty if there is none.
func (doc *document) mismatch(pointer string, body []byte) string {
	doc.mu.Lock()
	schema, err := doc.compiler.Compile(documentURL + pointer)
	doc.mu.Unlock()
	if err != nil {
		return "the schema of the answer is invalid: " + err.Error()
	}
	content, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return "the body is not JSON: " + err.Error()
	}
	if err := schema.Validate(content); err != nil {
		return "the body is not as the OpenAPI document describes it: " + err.Error()
	}
	return ""
}
