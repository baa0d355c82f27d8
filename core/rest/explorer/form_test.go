package explorer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
)

// record returns the JSON of a record, as the API shows it.
func (s site) record(t *testing.T, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Body.String()
}

func TestFormCreatesARecord(t *testing.T) {
	s := open(t, rows(), explorer.Options{}, engine.Options{})
	b := s.browser(t)
	page := b.expect(b.get("/issue/$new?project=2"), 200, `<option value="2" selected>Store (2)</option>`, "!secret", "!code-name")
	form := page.sent(url.Values{
		"title": {"Bent lever"}, "state": {"open"}, "labels": {"1\r\n2\r\n"}, "points": {" 7 "}, "effort": {"1.25"}, "due": {"2027-01-02"},
		"text": {"one\r\ntwo"}, "details": {`{"a": [1, "<b>"]}`},
	})
	a := b.post("/issue/$new?project=2", form)
	if a.Header.Get("Location") != "/issue/6" {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	want := `{"id":6,"title":"Bent lever","state":"open","priority":"normal","project":2,"labels":[1,2],"points":7,"effort":"1.25","due":"2027-01-02","text":"one\ntwo","details":{"a":[1,"<b>"]},"code-name":"none"}`
	if got := s.record(t, "/issue/6"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if a := b.post("/person/$new", url.Values{"login": {"a/b c"}, "name": {"Anna"}}); a.Header.Get("Location") != "/person/a%2Fb%20c" {
		t.Errorf("an assigned key: %d %v %s", a.StatusCode, a.Header, a.text)
	}
	b.expect(b.get("/person/a%2Fb%20c"), 200, "<h1>Anna</h1>")
}

func TestFormShowsErrorsBesideFieldsAndKeepsValues(t *testing.T) {
	b := open(t, rows(), explorer.Options{}, engine.Options{}).browser(t)
	for name, c := range map[string]struct {
		path  string
		form  url.Values
		shown []string
	}{
		"violations": {"/issue/$new", url.Values{"title": {strings.Repeat("x", 121)}, "points": {"101"}}, []string{
			`id="field-title-errors"><p>This is not accepted. Accepted: at most 120 characters.</p>`, `id="field-points-errors"><p>This is not accepted. Accepted: at most 100.</p>`,
			`value="` + strings.Repeat("x", 121) + `"`, `value="101"`, `<a href="#field-points">points: This is not accepted`, `aria-describedby="field-points-hint field-points-errors"`,
		}},
		"required":       {"/issue/$new", url.Values{"points": {"1"}}, []string{`id="field-title-errors"><p>Enter a value.</p>`, `value="1"`}},
		"type":           {"/issue/$new", url.Values{"title": {"t"}, "points": {"<b>many"}}, []string{`id="field-points-errors"><p>The value of the field`, `value="&lt;b&gt;many"`}},
		"not JSON":       {"/issue/$new", url.Values{"title": {"t"}, "details": {"{"}}, []string{`id="field-details-errors"><p>This is not valid JSON.</p>`}},
		"state":          {"/issue/$new", url.Values{"title": {"t"}, "state": {"closed"}}, []string{`id="field-state-errors"><p>This is not accepted. Accepted: &#34;open&#34;.</p>`}},
		"related record": {"/issue/$new", url.Values{"title": {"t"}, "project": {"99"}}, []string{`id="field-project-errors"><p>There is no project with the id 99`, `<option value="99" selected>`}},
		"unique":         {"/project/$new", url.Values{"name": {"Mill"}}, []string{`id="field-name-errors"><p>Another record of project has the same value`, `value="Mill"`}},
		"an edit":        {"/issue/1/$edit", url.Values{"points": {"-1"}}, []string{`id="field-points-errors"><p>This is not accepted. Accepted: at least 0.</p>`, `value="-1"`}},
	} {
		t.Run(name, func(t *testing.T) {
			b.TB = t
			form := c.form
			if strings.HasSuffix(c.path, "/$edit") {
				form = b.get(c.path).sent(c.form)
			}
			a := b.post(c.path, form)
			if a.StatusCode < 400 || a.StatusCode >= 500 {
				t.Errorf("status %d", a.StatusCode)
			}
			b.expect(a, a.StatusCode, append(c.shown, "<title>Not saved: ", "Nothing was saved")...)
		})
	}
}

func TestEditChangesNothingThatThePersonLeaves(t *testing.T) {
	data := rows()
	data["issue"][6] = map[string]any{"owner": "alice", "title": "\nlines\r\nof two kinds", "text": "\n\nbegins with lines\r\n ", "details": []any{1.5, "é<"}, "effort": "100000000000000000000.10"}
	s := open(t, data, explorer.Options{}, engine.Options{})
	b := s.browser(t)
	for i := range 6 {
		path := fmt.Sprintf("/issue/%d", i+1)
		before := s.record(t, path)
		page := b.expect(b.get(path+"/$edit"), 200)
		if a := b.post(path+"/$edit", page.sent(nil)); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.text)
		}
		if after := s.record(t, path); after != before {
			t.Errorf("before %s\nafter  %s", before, after)
		}
	}
	page := b.get("/issue/6/$edit")
	b.post("/issue/6/$edit", url.Values{"$tag": page.sent(nil)["$tag"], "points": {"3"}, "details": {""}}) // without the other inputs
	want := `{"id":6,"title":"\nlines\r\nof two kinds","labels":[],"points":3,"effort":"100000000000000000000.1","text":"\n\nbegins with lines\r\n "}`
	if got := s.record(t, "/issue/6"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConflictShowsBothValues(t *testing.T) {
	s := open(t, rows(), explorer.Options{}, engine.Options{})
	b := s.browser(t)
	page := b.get("/project/1/$edit")
	late := page.sent(url.Values{"name": {"Mine"}})
	if a := b.post("/project/1/$edit", page.sent(url.Values{"name": {"Theirs & others"}})); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	a := b.expect(b.post("/project/1/$edit", late), 412, `value="Mine"`, `Stored now: <span class="long">Theirs &amp; others</span>`, "The record has changed")
	if n := strings.Count(a.text, "Stored now"); n != 1 {
		t.Errorf("%d stored values", n)
	}
	late.Set("$tag", a.sent(nil).Get("$tag"))
	if a := b.post("/project/1/$edit", late); a.StatusCode != http.StatusSeeOther || !strings.Contains(s.record(t, "/project/1"), `"Mine"`) {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	b.expect(b.post("/project/1/$edit", url.Values{"name": {"Without a tag"}}), 412, "The record has changed")

	question := b.expect(b.get("/project/2/$delete"), 200, "Store")
	b.post("/project/2/$edit", b.get("/project/2/$edit").sent(url.Values{"name": {"Changed"}}))
	question = b.expect(b.post("/project/2/$delete", question.sent(nil)), 412, "The record has changed", "Changed")
	if a := b.post("/project/2/$delete", question.sent(nil)); a.Header.Get("Location") != "/project" {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	b.expect(b.post("/project/2/$edit", late), 404, "Nothing was saved", `value="Mine"`)
	b.expect(b.post("/project/2/$delete", question.sent(nil)), 404)
}

// A write between the read of the form's tag and the PATCH is a conflict, too.
func TestConflictDuringTheRequest(t *testing.T) {
	s := open(t, rows(), explorer.Options{}, engine.Options{})
	page := s.browser(t).get("/project/1/$edit")
	raced := false
	racing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && !raced {
			raced = true
			change := httptest.NewRequestWithContext(r.Context(), http.MethodPatch, "/project/1", strings.NewReader(`{"name": "First"}`))
			change.Header.Set("Content-Type", "application/json")
			s.api.ServeHTTP(httptest.NewRecorder(), change)
		}
		s.api.ServeHTTP(w, r)
	})
	var err error
	if s.pages, err = explorer.New(racing, s.engine, explorer.Options{}); err != nil {
		t.Fatal(err)
	}
	b := s.browser(t)
	b.expect(b.post("/project/1/$edit", page.sent(url.Values{"name": {"Second"}})), 412, `value="Second"`, "First")
}

func TestListFormMakesAFilterOfTheAPI(t *testing.T) {
	b := open(t, rows(), explorer.Options{}, engine.Options{}).browser(t)
	for name, c := range map[string]struct {
		form   url.Values
		filter string
		shown  []string
	}{
		"a text":        {url.Values{"$field": {"state", ""}, "$op": {"eq", "eq"}, "$value": {"open", "x"}}, `{"state":{"eq":"open"}}`, []string{"Gears", "Cards", "!Columns"}},
		"a number":      {url.Values{"$field": {"points"}, "$op": {"gt"}, "$value": {"5"}}, `{"points":{"gt":5}}`, []string{"Columns", "!Gears"}},
		"a path":        {url.Values{"$field": {"project.name"}, "$op": {"prefix"}, "$value": {"St"}}, `{"project.name":{"prefix":"St"}}`, []string{"Columns", "!Gears"}},
		"several":       {url.Values{"$field": {"points", "points"}, "$op": {"ge", "le"}, "$value": {"5", "7"}}, `{"$and":[{"points":{"ge":5}},{"points":{"le":7}}]}`, []string{"Gears", "!Columns"}},
		"one of":        {url.Values{"$field": {"id"}, "$op": {"in"}, "$value": {"1, 5"}}, `{"id":{"in":[1,5]}}`, []string{"Gears", "Cards", "!Columns"}},
		"empty":         {url.Values{"$field": {"assignee"}, "$op": {"null"}, "$value": {""}}, `{"assignee":{"eq":null}}`, []string{"&lt;script", "!Gears"}},
		"not empty":     {url.Values{"$field": {"points"}, "$op": {"set"}, "$value": {""}}, `{"points":{"ne":null}}`, []string{"Gears", "Columns", "!Cards"}},
		"beside a text": {url.Values{"$field": {"id"}, "$op": {"lt"}, "$value": {"3"}, "search": {"gears"}}, `{"id":{"lt":3}}`, []string{"Gears", "!Columns", `value="gears"`}},
		"beside JSON":   {url.Values{"$field": {"id"}, "$op": {"lt"}, "$value": {"3"}, "filter": {`{"$not": {"id": 1}}`}}, `{"$and":[{"$not":{"id":1}},{"id":{"lt":3}}]}`, []string{"Columns", "!Gears", "Filter in JSON"}},
		"a wrong value": {url.Values{"$field": {"points"}, "$op": {"gt"}, "$value": {"many"}}, `{"points":{"gt":"many"}}`, []string{"The list cannot be shown", `value="many"`}},
		"none":          {url.Values{"$field": {""}, "$op": {"eq"}, "$value": {""}, "sort": {"-id"}}, "", []string{"Gears", "Columns"}},
	} {
		t.Run(name, func(t *testing.T) {
			b.TB = t
			to := b.expect(b.get("/issue?"+c.form.Encode()), 303).Header.Get("Location")
			u, err := url.Parse(to)
			if err != nil || u.Path != "/issue" || u.Query().Get("filter") != c.filter {
				t.Fatalf("leads to %s", to)
			}
			page := b.get(to)
			b.expect(page, page.StatusCode, c.shown...)
			form := page.sent(nil)
			form["$field"], form["$op"], form["$value"] = c.form["$field"], c.form["$op"], c.form["$value"]
			for _, field := range c.form["$field"] {
				if field != "" && !strings.Contains(c.filter, "$not") && !strings.Contains(page.text, "<option selected>"+field+"</option>") {
					t.Errorf("the form does not show the condition on %s\n%s", field, page.text)
				}
			}
		})
	}
}

func TestListLeadsToItsOtherPages(t *testing.T) {
	data := rows()
	for i := 100; i < 160; i++ {
		data["issue"][i] = map[string]any{"owner": "alice", "title": fmt.Sprintf("Number %d", i), "project": 2, "points": i % 7}
	}
	b := open(t, data, explorer.Options{}, engine.Options{}).browser(t)
	follow := func(page answer, text string) answer {
		t.Helper()
		for _, to := range page.links() {
			if at := strings.Index(page.text, `href="`+strings.ReplaceAll(to, "&", "&amp;")+`">`+text+"</a>"); at >= 0 {
				return b.expect(b.get(to), 200)
			}
		}
		t.Fatalf("no link %s\n%s", text, page.text)
		return answer{}
	}
	b.expect(b.get("/project/2/issues?sort=-id&title=Number+159&title=Number+130&title=Number+120"), 200, "Number 159", "Number 130", "Number 120", "!Number 121")
	page := b.expect(b.get("/project/2/issues?sort=-id"), 200, "Number 159", "Number 135", "!Number 134", `aria-sort="descending"`, "issues of project 2", "/issue/$new?project=2")
	page = b.expect(follow(page, "Next"), 200, "Number 134", "Number 110", "!Number 109", "Previous")
	page = b.expect(follow(page, "Next"), 200, "Number 109", "Number 100", "Columns stick", ">First</a>", "!>Next</a>")
	page = b.expect(follow(page, "Previous"), 200, "Number 134")
	page = b.expect(follow(page, "First"), 200, "Number 159", "!Previous")
	b.expect(follow(page, "Count all"), 200, "61 in all")
	b.expect(b.get("/issue?limit=2"), 200, "Gears", "Columns", "!Cards")
	b.expect(b.get("/issue?fields=points"), 200, "points", "!Gears")
	b.expect(b.get("/issue?state=closed"), 200, "!Gears", "&lt;script", "Show all")
	b.expect(b.get("/project?name=none"), 200, "name is none", "No record matches these conditions.")
	b.expect(b.get("/issue/$new"), 200, `<option value="normal" selected>`)
	b.expect(b.get("/issue/1"), 200, "!oiled", ">log</a>")
	b.expect(follow(b.get("/issue/1"), "log"), 200, "oiled twice", "Gears", "!>log</a>")
	b.expect(b.get("/issue/1?fields=points,points,nothing"), 200, "points", "!Replace them.")
}

func TestAnswersThatAreTooLargeAreShortened(t *testing.T) {
	data := rows()
	for i := 10; i < 40; i++ {
		data["issue"][i] = map[string]any{"title": fmt.Sprint("Long ", i), "text": strings.Repeat("long ", 40_000)}
	}
	data["issue"][50] = map[string]any{"title": "deep", "details": []any{[]any{[]any{make([]any, 100_000)}}}}
	data["project"][9] = map[string]any{"name": "huge", "description": strings.Repeat("x", 3<<20)}
	b := open(t, data, explorer.Options{}, engine.Options{}).browser(t)
	a := b.expect(b.get("/issue?sort=-id"), 200, "deep", "Long 39", "Long 36", "!Long 35", "Next")
	if len(a.text) > 100_000 {
		t.Errorf("%d bytes", len(a.text))
	}
	if a := b.expect(b.get("/issue/50"), 200, "<pre"); len(a.text) > 600_000 {
		t.Errorf("%d bytes for 500 kB of JSON", len(a.text))
	}
	b.expect(b.get("/project/9"), 413, "too large for a page")
	b.expect(b.get("/project/9/$edit"), 413, "too large for a page")
	b.expect(b.post("/project/$new", url.Values{"name": {strings.Repeat("y", 3<<20)}}), 400, "larger than 2 MiB")
}

func TestLongRelationsAreNotEdited(t *testing.T) {
	data := rows()
	for i := 100; i < 110; i++ {
		data["issue"][i] = map[string]any{"title": "one of many", "project": 1}
	}
	s := open(t, data, explorer.Options{}, engine.Options{MaxMembers: 5})
	b := s.browser(t)
	page := b.expect(b.get("/project/1/$edit"), 200, "issues has too many records to be edited here")
	if slices.Contains(page.inputs(), "issues") {
		t.Error("the form has an input for issues")
	}
	if a := b.post("/project/1/$edit", page.sent(url.Values{"name": {"Renamed"}})); a.StatusCode != http.StatusSeeOther {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
	page = b.expect(b.get("/project/2/$edit"), 200)
	b.post("/project/2/$edit", page.sent(url.Values{"issues": {"2\n3"}}))
	if got := s.record(t, "/issue/3"); !strings.Contains(got, `"project":2`) {
		t.Error(got)
	}
}

func TestDeleteIsRefusedWithTheReason(t *testing.T) {
	s := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{})
	b := s.browser(t).signIn("alice-token")
	question := b.expect(b.get("/label/1/$delete"), 200, "urgent")
	b.expect(b.post("/label/1/$delete", question.sent(nil)), 403, "Nothing was deleted", "You may not do this")
	b.expect(b.get("/label/1"), 200, "urgent")
	if _, err := s.store.Get(core.System(t.Context()), s.store.Model().Resource("label"), core.IntValue(1)); err != nil {
		t.Error(err)
	}
}
