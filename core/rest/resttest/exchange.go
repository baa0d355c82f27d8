package resttest

import (
	"encoding/json"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// exchange is a request and its expected answer.
type exchange struct {
	// request is a method and a target, such as "GET /jar/1?depth=2". The values of arguments are not escaped.
	request string
	// body is the body of the request; empty for none.
	body string
	// status is the expected status.
	status int
	// want is the expected JSON, in which the string "*" matches any value; empty matches any body. For an error it is
	// the code, with the details if they matter: `BAD_REQUEST`, `BAD_PARAM_VALUE {"param_name": ...}`.
	want string
}

// rule is a promise, and exchanges that check it, one after another on a fresh store.
type rule struct {
	name      string
	exchanges []exchange
}

// check runs each rule as a subtest, on a server of its own.
func (s setup) check(t *testing.T, newBackend NewBackend, rules []rule) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			c := s.start(t, newBackend)
			for _, x := range rule.exchanges {
				c.check(t, x)
			}
		})
	}
}

// check sends one request and compares the answer.
func (c *client) check(t *testing.T, x exchange, headers ...string) reply {
	t.Helper()
	var body io.Reader
	if x.body != "" {
		body = strings.NewReader(x.body)
	}
	method, target, _ := strings.Cut(x.request, " ")
	r := c.send(t, method, escape(target), body, headers...)
	if r.status != x.status || !r.is(t, x.want) {
		t.Fatalf("%s %s\n got %d %s\nwant %d %s", x.request, x.body, r.status, r.body, x.status, x.want)
	}
	return r
}

// escape escapes the values of the arguments of a target.
func escape(target string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	args := strings.Split(query, "&")
	for i, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok {
			args[i] = name + "=" + url.QueryEscape(value)
		}
	}
	return path + "?" + strings.Join(args, "&")
}

// is reports whether the body matches want, see [exchange].
func (r reply) is(tb testing.TB, want string) bool {
	tb.Helper()
	if want == "" {
		return true
	}
	if c := want[0]; c < 'A' || c > 'Z' {
		return matches(parse(tb, want), parse(tb, string(r.body)))
	}
	code, details, given := strings.Cut(want, " ")
	inner := map[string]any{"code": code, "message": "*", "details": any("*")}
	if given {
		inner["details"] = parse(tb, details)
	}
	return matches(map[string]any{"error": inner}, parse(tb, string(r.body)))
}

func parse(tb testing.TB, text string) any {
	tb.Helper()
	v, err := core.ParseJSON([]byte(text), 1000)
	if err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return v
}

// matches compares two JSON values. The string "*" in want matches any value.
func matches(want, got any) bool {
	switch want := want.(type) {
	case string:
		return want == "*" || want == got
	case map[string]any:
		got, ok := got.(map[string]any)
		for name, v := range want {
			member, there := got[name]
			ok = ok && there && matches(v, member)
		}
		return ok && len(got) == len(want)
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			return false
		}
		for i := range want {
			ok = ok && matches(want[i], got[i])
		}
		return ok
	}
	return reflect.DeepEqual(want, got)
}

// field returns the JSON of a field of the object in the body; empty if there is none.
func (r reply) field(name string) string {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(r.body, &object)
	return string(object[name])
}

// splitRequest splits a request into its method and target.
func splitRequest(request string) (method, target string, ok bool) { return strings.Cut(request, " ") }

// reader returns a reader of a body; nil for an empty one.
func reader(body string) io.Reader {
	if body == "" {
		return nil
	}
	return strings.NewReader(body)
}

func replace(s string, oldnew ...string) string { return strings.NewReplacer(oldnew...).Replace(s) }

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}
