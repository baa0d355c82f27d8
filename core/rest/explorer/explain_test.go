package explorer_test

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/access"
)

// explainPolicy explains the policy of the tests.
func explainPolicy(t *testing.T) func(*http.Request, core.Kind, *core.Resource, ...string) (explorer.Decision, error) {
	t.Helper()
	policy, err := members().Compile(workshop())
	if err != nil {
		t.Fatal(err)
	}
	operations := map[core.Kind]access.Operation{core.Select: access.Read, core.Insert: access.Insert, core.Update: access.Update, core.Delete: access.Delete}
	return func(r *http.Request, kind core.Kind, resource *core.Resource, fields ...string) (explorer.Decision, error) {
		caller, err := authenticate(r)
		e := policy.Explain(caller, operations[kind], resource.Name(), fields...)
		return explorer.Decision{Allowed: e.Allowed(), Reason: e.String()}, err
	}
}

func TestExplainShowsDecisionsAboutTheCaller(t *testing.T) {
	s := open(t, rows(), explorer.Options{SignIn: true, Explain: explainPolicy(t)}, engine.Options{})
	b := s.browser(t)
	b.expect(b.get("/label/$explain"), 401)
	b.signIn("alice-token")
	b.expect(b.get("/label"), 200, `href="/label/$explain"`)
	b.expect(b.get("/label/$explain"), 200, "What you may do with label", "read of label is allowed", "no rule is about delete of label", "!owner")
	b.expect(b.get("/issue/$explain"), 200, `<th scope="row">cost</th>`)
	b.expect(b.get("/currency/$explain"), 200, "The resource is read-only.")
	b.expect(b.get("/label/1"), 200, "/label/1/$edit", "!/label/1/$delete")
	if names := b.get("/issue/1/$edit").inputs(); slices.Contains(names, "cost") || !slices.Contains(names, "title") {
		t.Errorf("inputs %v", names)
	}
	b.signIn("view-token")
	b.expect(b.get("/issue"), 200, "!/$new")
	b.expect(b.get("/issue/1"), 200, "!$edit", "!$delete")
	b.expect(b.get("/issue/1/$edit"), 200, "There is no field that you may set here.", "!<button class=\"primary\"")
}

// The decisions do not depend on records.
func TestExplainIsAboutNoRecord(t *testing.T) {
	var first string
	for _, data := range []seed.Data{nil, rows(), otherWorld()} {
		b := open(t, data, explorer.Options{SignIn: true, Explain: explainPolicy(t)}, engine.Options{}).browser(t).signIn("alice-token")
		page := b.expect(b.get("/issue/$explain"), 200)
		if first == "" {
			first = page.text
		}
		if page.text != first {
			t.Errorf("%s\ndiffers from\n%s", page.text, first)
		}
	}
}

func TestExplainNeedsTheOption(t *testing.T) {
	b := open(t, rows(), explorer.Options{}, engine.Options{}).browser(t)
	b.expect(b.get("/issue/$explain"), 404)
	b.expect(b.get("/issue"), 200, "!$explain")
}

func TestFailureOfExplainIsAFailureOfThePage(t *testing.T) {
	fails := func(*http.Request, core.Kind, *core.Resource, ...string) (explorer.Decision, error) {
		return explorer.Decision{}, errors.New("secret reason")
	}
	var log strings.Builder
	b := open(t, rows(), explorer.Options{Explain: fails, Logger: slog.New(slog.NewTextHandler(&log, nil))}, engine.Options{}).browser(t)
	for _, target := range []string{"/issue/$explain", "/issue", "/issue/1", "/issue/$new", "/issue/1/$edit"} {
		b.expect(b.get(target), 500, "The page could not be made.", "!secret reason")
	}
	if n := strings.Count(log.String(), "secret reason"); n != 5 {
		t.Errorf("%d lines in the log:\n%s", n, &log)
	}
}
