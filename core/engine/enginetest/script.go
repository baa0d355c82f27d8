package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// script returns a case of requests with expected answers, one per line:
//
//	post jar {"cookies": [{}]}     => {"id": 1, "cookies": [1]}
//	get jar/1 depth=2              => {"id": 1, "cookies": [{"id": 1, "jar": 1}]}
//	list cookie filter={"jar": 2}  => []
//	list jar/1/cookies             => [{"id": 1, "jar": 1}]
//	put cookie/7 {}                => created {"id": 7}
//	patch cookie/7 {"jar": 9}      => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}
//	as 2 delete cookie/7           => UNAUTHORIZED
//
// A request without an answer must succeed. The default depth is 1. list takes filter, sort and limit; pages takes
// the same and answers with the list of all pages. readonly=true lets a body set read-only fields. "as" sets the principal: an id, or "system". The details of an
// error are optional.
func script(rule string, model func() *core.Model, text string) Case {
	return scriptWith(rule, model, engine.Options{}, text)
}

func scriptWith(
	rule string, model func() *core.Model, opts engine.Options, text string, decorators ...core.Decorator,
) Case {
	return Case{rule, func(t *testing.T, newBackend NewBackend) {
		api := open(t, newBackend, model(), opts, decorators...)
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				runLine(t, api, line)
			}
		}
	}}
}

// runLine sends the request of one line and compares the answer.
func runLine(t *testing.T, api *engine.Engine, line string) {
	t.Helper()
	request, want, compare := strings.Cut(line, "=>")
	r, err := parseRequest(request)
	if err != nil {
		t.Fatalf("%s\nbad script: %v", line, err)
	}
	got := r.send(t.Context(), api)
	if !compare {
		if strings.HasPrefix(got, "error ") {
			t.Fatalf("%s\n got %s", line, got)
		}
		return
	}
	if want = strings.TrimSpace(want); !matchesAnswer(got, want) {
		t.Errorf("%s\n got %s", line, got)
	}
}

// matchesAnswer compares an answer with the expected text of a script.
func matchesAnswer(got, want string) bool {
	if _, isJSON := canonical(want); !isJSON {
		first, rest, _ := strings.Cut(want, " ")
		if first == "created" || first == "replaced" {
			status, view, _ := strings.Cut(got, " ")
			return status == first && matchesAnswer(view, rest)
		}
		want = "error " + want
		if rest == "" {
			return got == want || strings.HasPrefix(got, want+" ")
		}
	}
	return canonicalAnswer(got) == canonicalAnswer(want)
}

// cursors matches members NAME@next, which scripts write as "*".
var cursors = regexp.MustCompile(`@next":"[^"]*"`)

// canonicalAnswer converts the JSON at the end of an answer to canonical form.
func canonicalAnswer(answer string) string {
	answer = cursors.ReplaceAllString(answer, `@next":"*"`)
	at := 0
	if strings.HasPrefix(answer, "error ") {
		at = strings.IndexByte(answer, '{')
	}
	if at < 0 {
		return answer
	}
	if text, ok := canonical(answer[at:]); ok {
		return answer[:at] + text
	}
	return answer
}

func canonical(text string) (string, bool) {
	if text == "null" {
		return text, true
	}
	v, err := core.JSON.Convert(json.RawMessage(text))
	return v.Text(), err == nil
}

// request is one line of a script.
type request struct {
	principal func(context.Context) context.Context // nil: anonymous
	verb      string
	resource  string
	id        string
	body      any
	write     engine.Write
	query     engine.Query
	// aggregation has the names of figures and groups; its conditions are those of query.
	aggregation engine.Aggregation
	// inTx: the request is sent in a transaction of [engine.Engine.Tx]. The answer must be the same.
	inTx bool
}

func parseRequest(text string) (*request, error) {
	r := &request{write: engine.Write{Depth: 1}, inTx: len(text)%2 == 1} // about half of all requests
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if word == "as" {
		word, rest, _ = strings.Cut(rest, " ")
		if r.principal = core.System; word != "system" {
			id, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return nil, err
			}
			r.principal = func(ctx context.Context) context.Context {
				return core.WithPrincipal(ctx, &core.Principal{ID: core.IntValue(id)})
			}
		}
		word, rest, _ = strings.Cut(rest, " ")
	}
	r.verb = word
	word, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
	r.resource, r.id, _ = strings.Cut(word, "/")
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		name, value := "", rest
		if rest[0] != '{' && rest[0] != '[' {
			name, value, _ = strings.Cut(rest, "=")
		}
		d := json.NewDecoder(strings.NewReader(value))
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		if err := r.set(name, raw); err != nil {
			return nil, err
		}
		rest = value[d.InputOffset():]
	}
	r.query.Depth = r.write.Depth
	return r, nil
}

func (r *request) set(name string, raw json.RawMessage) (err error) {
	switch name {
	case "":
		r.body, err = core.ParseJSON(raw, 1000)
		return err
	case "depth":
		return json.Unmarshal(raw, &r.write.Depth)
	case "readonly":
		return json.Unmarshal(raw, &r.write.SetReadOnly)
	case "limit":
		return json.Unmarshal(raw, &r.query.Limit)
	case "group":
		return json.Unmarshal(raw, &r.aggregation.Group)
	case "sum":
		return json.Unmarshal(raw, &r.aggregation.Sum)
	case "min":
		return json.Unmarshal(raw, &r.aggregation.Min)
	case "max":
		return json.Unmarshal(raw, &r.aggregation.Max)
	case "avg":
		return json.Unmarshal(raw, &r.aggregation.Avg)
	case "search":
		return json.Unmarshal(raw, &r.query.Search)
	case "sort":
		return json.Unmarshal(raw, &r.query.Sort)
	case "filter":
		filter, err := core.ParseJSON(raw, 0)
		r.query.Filter, _ = filter.(map[string]any)
		return err
	}
	return fmt.Errorf("unknown argument %q", name)
}

// send returns the answer as text: a view, a list of views, null, or "error" with code and details.
func (r *request) send(ctx context.Context, api *engine.Engine) string {
	if r.principal != nil {
		ctx = r.principal(ctx)
	}
	send := r.dispatch
	if r.inTx {
		send = r.dispatchInTx
	}
	answer, err := send(ctx, api)
	if err != nil {
		return errorText(err)
	}
	return answer
}

func (r *request) dispatchInTx(ctx context.Context, api *engine.Engine) (answer string, err error) {
	err = api.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) (err error) {
		answer, err = r.dispatch(ctx, tx)
		return err
	})
	return answer, err
}

func (r *request) dispatch(ctx context.Context, api *engine.Engine) (string, error) {
	body, _ := r.body.(map[string]any)
	switch r.verb {
	case "get":
		view, err := api.Get(ctx, r.resource, r.id, r.write.Depth)
		return text(view), err
	case "list":
		list, err := r.list(ctx, api, r.query)
		return texts(list.Views), err
	case "pages":
		return r.pages(ctx, api)
	case "aggregate":
		return r.aggregate(ctx, api)
	case "post":
		return r.post(ctx, api)
	case "patch":
		view, err := api.Update(ctx, r.resource, r.id, r.write, body)
		return text(view), err
	case "put":
		view, created, err := api.Replace(ctx, r.resource, r.id, r.write, body)
		if created {
			return "created " + text(view), err
		}
		return "replaced " + text(view), err
	case "delete":
		return "null", api.Delete(ctx, r.resource, r.id, r.write)
	}
	return "", fmt.Errorf("unknown verb %q", r.verb)
}

// list sends a request for the records of a resource, or of a relation if the request names a record.
func (r *request) list(ctx context.Context, api *engine.Engine, q engine.Query) (engine.List, error) {
	if id, relation, ok := strings.Cut(r.id, "/"); ok {
		return api.Related(ctx, r.resource, id, relation, q)
	}
	return api.List(ctx, r.resource, q)
}

// aggregate asks for the figures of the request, and for the number of records.
func (r *request) aggregate(ctx context.Context, api *engine.Engine) (string, error) {
	a := r.aggregation
	a.Filter, a.Search, a.Count = r.query.Filter, r.query.Search, true
	groups, err := api.Aggregate(ctx, r.resource, a)
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = string(g.AppendJSON(nil))
	}
	return "[" + strings.Join(parts, ",") + "]", err
}

// pages lists all pages.
func (r *request) pages(ctx context.Context, api *engine.Engine) (string, error) {
	var pages []string
	for q := r.query; ; {
		list, err := r.list(ctx, api, q)
		if err != nil {
			return "", err
		}
		if len(list.Views) == 0 && list.Next != "" || len(pages) > 1000 {
			return "", errors.New("the pages do not end")
		}
		pages = append(pages, texts(list.Views))
		if q.After = list.Next; q.After == "" {
			return "[" + strings.Join(pages, ",") + "]", nil
		}
	}
}

func (r *request) post(ctx context.Context, api *engine.Engine) (string, error) {
	if body, ok := r.body.(map[string]any); ok {
		views, err := api.Create(ctx, r.resource, r.write, body)
		if err != nil {
			return "", err
		}
		return text(views[0]), nil
	}
	var bodies []map[string]any
	list, _ := r.body.([]any)
	for _, item := range list {
		body, _ := item.(map[string]any)
		bodies = append(bodies, body)
	}
	views, err := api.Create(ctx, r.resource, r.write, bodies...)
	return texts(views), err
}

func text(v engine.View) string { return string(v.AppendJSON(nil)) }

func texts(views []engine.View) string {
	all := make([]string, len(views))
	for i, v := range views {
		all[i] = text(v)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// errorText formats an error as scripts do.
func errorText(err error) string {
	e, ok := errors.AsType[*core.Error](err)
	if !ok {
		return "error " + err.Error()
	}
	details := make(map[string]any)
	for _, d := range e.Details() {
		details[d.Name] = d.Value
	}
	v, err := core.JSON.Convert(details)
	if err != nil {
		return "error " + string(e.Code) + " " + err.Error()
	}
	return "error " + string(e.Code) + " " + v.Text()
}

// send returns the answer to one line, for cases that are functions.
func send(t *testing.T, api *engine.Engine, line string) string {
	t.Helper()
	r, err := parseRequest(line)
	if err != nil {
		t.Fatalf("%s\nbad script: %v", line, err)
	}
	return r.send(t.Context(), api)
}
