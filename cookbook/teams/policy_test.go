package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Each scenario is a list of requests with their answers, on a new store with the records of the first day: ada is the
// admin and bob a member of organisation 1, and carol is a stranger. Project 1 is private, project 2 is public.
var scenarios = []struct{ name, requests string }{
	{"a stranger sees nothing", `
		carol GET /organisation    => 200 []
		carol GET /organisation/1  => 404 OBJECT_DOES_NOT_EXIST
		carol GET /membership      => 200 []
		carol GET /project/1       => 404 OBJECT_DOES_NOT_EXIST
		carol GET /issue/1         => 404 OBJECT_DOES_NOT_EXIST
		carol GET /comment/1       => 404 OBJECT_DOES_NOT_EXIST
		carol GET /user            => 200 [{"name":"ada","memberships":[]},{"name":"bob","memberships":[]},{"name":"carol","email":"carol@example.com","memberships":[]}]`},
	{"a member sees the organisation", `
		bob GET /organisation      => 200 [{"id":1,"name":"Analytical Engines","memberships":[1,2],"projects":[1,2]}]
		bob GET /project?depth=0   => 200 [1,2]
		bob GET /issue/1           => 200 {"id":1,"project":1,"number":1,"title":"gears slip","text":"worn teeth","open":true,"author":"bob","labels":[1],"comments":[1]}
		bob GET /issue/2           => 200 {"id":2,"project":2,"number":1,"title":"columns stick","text":"oil them","open":true,"author":"ada","labels":[],"comments":[2]}
		bob GET /comment?depth=0   => 200 [1,2]
		bob GET /user/ada          => 200 {"name":"ada","email":"ada@example.com","memberships":[1]}`},
	{"all see the titles of a public project", `
		- GET /project             => 200 [{"id":2,"name":"store","public":true,"issues":[2]}]
		- GET /issue               => 200 [{"id":2,"project":2,"number":1,"title":"columns stick","comments":[2]}]
		carol GET /issue           => 200 [{"id":2,"project":2,"number":1,"title":"columns stick","labels":[],"comments":[2]}]
		- GET /issue/1             => 404 OBJECT_DOES_NOT_EXIST
		- GET /comment             => 200 [{"id":2,"issue":2,"text":"done"}]
		- GET /organisation        => 401 UNAUTHORIZED
		- POST /comment {"issue":2} => 401 UNAUTHORIZED`},
	{"comments follow their issue", `
		ada PATCH /project/1 {"public":true}   => 200
		- GET /comment?depth=0     => 200 [1,2]
		ada PATCH /project/1 {"public":false}  => 200
		ada PATCH /project/2 {"public":false}  => 200
		- GET /comment             => 200 []
		bob GET /comment?depth=0   => 200 [1,2]
		bob POST /comment {"issue":1,"text":"the left ones"}    => 201 {"id":3,"issue":1,"author":"bob","text":"the left ones"}
		bob POST /comment {"issue":1,"author":"ada"}            => 400 FIELD_IS_READONLY
		carol POST /comment {"issue":1,"text":"x"}              => 404 OBJECT_DOES_NOT_EXIST`},
	{"a user creates an organisation and its first membership", `
		carol POST /organisation {"name":"x","memberships":[{"role":"admin"}]}           => 201 {"id":2,"name":"x","memberships":[3],"projects":[]}
		carol GET /membership      => 200 [{"id":3,"organisation":2,"user":"carol","role":"admin"}]
		ada GET /organisation/2    => 404 OBJECT_DOES_NOT_EXIST
		ada POST /organisation {"name":"y","memberships":[{"role":"member"}]}            => 403 FORBIDDEN
		ada POST /organisation {"name":"y","memberships":[{"role":"admin","user":"bob"}]}  => 403 FORBIDDEN
		ada POST /organisation {"name":"y","memberships":[{"role":"admin"},{"user":"bob"}]}  => 403 FORBIDDEN
		ada GET /organisation?depth=0  => 200 [1]
		- POST /organisation {"name":"y","memberships":[{"role":"admin"}]}                => 401 UNAUTHORIZED`},
	{"an organisation is created with its projects", `
		carol POST /organisation {"memberships":[{"role":"admin"}],"projects":[{"name":"p","issues":[{"title":"a"},{"title":"b"}]}]}  => 201 {"id":2,"memberships":[3],"projects":[3]}
		carol GET /issue?filter={"project": 3}  => 200 [{"id":3,"project":3,"number":1,"title":"a","open":true,"author":"carol","labels":[],"comments":[]},{"id":4,"project":3,"number":2,"title":"b","open":true,"author":"carol","labels":[],"comments":[]}]
		bob POST /organisation {"projects":[{"name":"p"}]}       => 403 FORBIDDEN
		bob POST /project {"organisation":2,"name":"p"}          => 404 OBJECT_DOES_NOT_EXIST
		bob POST /project {"organisation":1,"name":"p"}          => 403 FORBIDDEN
		ada PATCH /project/1 {"organisation":null}               => 403 FORBIDDEN`},
	{"an admin adds a member, who becomes an admin", `
		ada POST /membership {"organisation":1,"user":"carol"}   => 201 {"id":3,"organisation":1,"user":"carol","role":"member"}
		carol GET /project?depth=0                               => 200 [1,2]
		ada PATCH /membership/3 {"role":"admin"}                 => 200
		carol DELETE /membership/1                               => 200 null
		carol DELETE /membership/3                               => 403 FORBIDDEN`},
	{"only admins add members, and never themselves", `
		carol POST /membership {"organisation":1,"role":"admin"}              => 404 OBJECT_DOES_NOT_EXIST
		bob POST /membership {"organisation":1,"role":"admin"}                => 403 FORBIDDEN
		bob POST /membership {"organisation":1,"user":"carol"}                => 403 FORBIDDEN
		bob PATCH /membership/2 {"role":"admin"}                              => 403 FORBIDDEN
		bob PATCH /user/bob {"memberships":[{"organisation":1,"role":"admin"}]}  => 403 FORBIDDEN
		ada POST /membership {"role":"admin"}                                 => 403 FORBIDDEN
		ada POST /membership {"organisation":1,"user":"carol","role":"king"}  => 403 FORBIDDEN
		ada POST /membership [{"organisation":1,"user":"carol"},{"organisation":1,"role":"admin"}]  => 403 FORBIDDEN`},
	{"a member who is no admin", `
		bob PATCH /project/1 {"name":"x"}       => 403 FORBIDDEN
		bob PATCH /organisation/1 {"name":"x"}  => 403 FORBIDDEN
		bob DELETE /membership/1                => 403 FORBIDDEN
		bob PATCH /issue/2 {"title":"x"}        => 403 FORBIDDEN
		bob DELETE /issue/2                     => 403 FORBIDDEN
		bob PATCH /issue/1 {"title":"x"}        => 200 {"id":1,"project":1,"number":1,"title":"x","text":"worn teeth","open":true,"author":"bob","labels":[1],"comments":[1]}
		bob PATCH /issue/1 {"project":2}        => 400 FIELD_IS_READONLY
		bob POST /issue {"project":1,"title":"y"}  => 201 {"id":3,"project":1,"number":2,"title":"y","open":true,"author":"bob","labels":[],"comments":[]}
		carol PATCH /project/1 {"name":"x"}     => 404 OBJECT_DOES_NOT_EXIST
		carol PATCH /issue/1 {"title":"x"}      => 404 OBJECT_DOES_NOT_EXIST
		carol PATCH /issue/99 {"title":"x"}     => 404 OBJECT_DOES_NOT_EXIST
		carol DELETE /issue/1                   => 404 OBJECT_DOES_NOT_EXIST
		carol PATCH /issue/2 {"title":"x"}      => 403 FORBIDDEN
		carol POST /issue {"project":2,"title":"x"}  => 403 FORBIDDEN`},
	{"a removed member loses the rights at once", `
		bob GET /issue/1                    => 200
		ada DELETE /membership/2            => 200 null
		bob GET /organisation               => 200 []
		bob GET /issue/1                    => 404 OBJECT_DOES_NOT_EXIST
		bob PATCH /issue/1 {"title":"x"}    => 404 OBJECT_DOES_NOT_EXIST
		bob DELETE /comment/2               => 403 FORBIDDEN
		bob GET /user/ada                   => 200 {"name":"ada","memberships":[]}`},
	{"a member leaves, and an admin stays", `
		ada DELETE /membership/1            => 403 FORBIDDEN
		bob DELETE /membership/2            => 200 null
		bob GET /project?depth=0            => 200 [2]`},
	{"filters cross relations to visible records only", `
		bob GET /issue?filter={"project.public": true}&depth=0                            => 200 [2]
		bob GET /project?filter={"issues": {"$any": {"title": {"prefix": "gears"}}}}      => 200 [{"id":1,"organisation":1,"name":"mill","public":false,"issues":[1]}]
		carol GET /project?filter={"issues": {"$any": {"title": {"prefix": "gears"}}}}    => 200 []
		carol GET /project?filter={"issues": {"$any": {"text": {"prefix": "oil"}}}}       => 200 []
		- GET /project?filter={"issues": {"$any": {"title": {"prefix": "col"}}}}&depth=0  => 200 [2]
		- GET /project?filter={"issues": {"$any": {"text": {"prefix": "oil"}}}}           => 400 FIELD_DOES_NOT_EXIST
		bob GET /organisation?filter={"memberships": {"$any": {"user": "ada", "role": "admin"}}}&depth=0  => 200 [1]
		bob GET /organisation?filter={"memberships": {"$any": {"user": "bob", "role": "admin"}}}          => 200 []
		carol GET /user?filter={"memberships": {"$any": {"role": "admin"}}}               => 200 []
		carol GET /user?filter={"email": {"prefix": "a"}}                                 => 200 []
		bob GET /comment?filter={"issue.project.name": "mill"}&depth=0                    => 200 [1]
		carol GET /comment?filter={"issue.project.name": "mill"}                          => 200 []`},
	{"members label issues", `
		bob GET /label             => 200 [{"id":1,"organisation":1,"name":"urgent","issues":[1]},{"id":2,"organisation":1,"name":"question","issues":[]}]
		bob PATCH /issue/1 {"labels":[1,2]}     => 200 {"id":1,"project":1,"number":1,"title":"gears slip","text":"worn teeth","open":true,"author":"bob","labels":[1,2],"comments":[1]}
		bob GET /issue_label       => 200 [{"id":1,"issue":1,"label":1,"added_by":"ada"},{"id":2,"issue":1,"label":2,"added_by":"bob"}]
		ada PATCH /issue/2 {"labels":[2]}       => 200
		ada PATCH /issue/1 {"labels":[2]}       => 200
		bob GET /issue_label       => 200 [{"id":2,"issue":1,"label":2,"added_by":"bob"},{"id":3,"issue":2,"label":2,"added_by":"ada"}]
		bob GET /issue/1/labels?depth=0         => 200 [2]
		bob GET /label/2/issues?depth=0         => 200 [1,2]
		bob GET /issue?filter={"labels": {"$any": {"name": "question"}}}&depth=0    => 200 [1,2]
		bob POST /issue_label {"issue":1,"label":1,"added_by":"ada"}                => 400 FIELD_IS_READONLY
		bob POST /label {"organisation":1,"name":"x"}      => 403 FORBIDDEN
		bob PATCH /issue/1 {"labels":[{"organisation":1,"name":"x"}]}               => 403 FORBIDDEN
		ada PATCH /issue/1 {"labels":[{"organisation":1,"name":"x"}]}               => 200
		ada DELETE /label/2        => 200 null
		bob GET /issue_label?filter={"label": {"in": [1, 2]}}                       => 200 []`},
	{"labels and their links are hidden from strangers", `
		carol GET /label           => 200 []
		carol GET /issue_label     => 200 []
		carol GET /issue/2         => 200 {"id":2,"project":2,"number":1,"title":"columns stick","labels":[],"comments":[2]}
		carol PATCH /issue/2 {"labels":[1]}     => 404 OBJECT_DOES_NOT_EXIST
		carol GET /issue/1/labels  => 404 OBJECT_DOES_NOT_EXIST
		carol GET /issue?filter={"labels": {"$any": {"name": "urgent"}}}            => 200 []
		carol POST /organisation {"memberships":[{"role":"admin"}]}                 => 201
		carol POST /label {"organisation":2,"name":"mine"} => 201 {"id":3,"organisation":2,"name":"mine","issues":[]}
		carol POST /issue_label {"issue":2,"label":3}      => 403 FORBIDDEN
		carol PATCH /issue/2 {"labels":[3]}     => 403 FORBIDDEN
		- GET /label               => 401 UNAUTHORIZED
		- GET /issue/2             => 200 {"id":2,"project":2,"number":1,"title":"columns stick","comments":[2]}`},
	{"a deleted project takes its issues along", `
		bob DELETE /project/1               => 403 FORBIDDEN
		ada DELETE /project/1               => 200 null
		ada GET /issue?depth=0              => 200 [2]
		ada GET /comment?depth=0            => 200 [2]
		ada GET /issue_label                => 200 []
		ada GET /label?depth=0              => 200 [1,2]`},
}

func TestRightsOnEachStorage(t *testing.T) {
	for name, backend := range map[string]func(t *testing.T) core.Backend{
		"memory": func(*testing.T) core.Backend { return memory.New() },
		"postgres": func(t *testing.T) core.Backend {
			t.Helper()
			b, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{Migrate: true})
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
	} {
		for _, s := range scenarios {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				store, api, err := open(t.Context(), backend(t))
				if err != nil {
					t.Fatal(err)
				}
				defer store.Close() //nolint:errcheck // nothing is left to save
				for line := range strings.Lines(s.requests) {
					if request, want, ok := strings.Cut(strings.TrimSpace(line), "=>"); ok {
						check(t, api, request, strings.TrimSpace(want))
					}
				}
			})
		}
	}
}

// check sends a request, written as "user METHOD path body", and compares the answer with the status and, if there is
// one, the body or the code of the error.
func check(t *testing.T, api http.Handler, request, want string) {
	t.Helper()
	user, request, _ := strings.Cut(request, " ")
	method, request, _ := strings.Cut(request, " ")
	target, body := request, ""
	if i := strings.IndexAny(request, "[{"); i >= 0 && method != http.MethodGet {
		target, body = request[:i], request[i:]
	}
	path, query, _ := strings.Cut(strings.TrimSpace(target), "?")
	args := make(url.Values)
	for arg := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(arg, "="); ok {
			args.Set(name, value)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path+"?"+args.Encode(), strings.NewReader(body))
	if user != "-" {
		r.Header.Set("Authorization", "Bearer "+user)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	got := fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
	status, answer, _ := strings.Cut(want, " ")
	if code := `"code":"` + answer + `"`; got != want && (answer != "" || !strings.HasPrefix(got, status+" ")) && !(strings.HasPrefix(got, status+" ") && strings.Contains(got, code)) {
		t.Errorf("%s %s %s\n got %s\nwant %s", user, method, request, got, want)
	}
}
