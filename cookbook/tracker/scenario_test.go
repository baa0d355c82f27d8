package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// first makes the records that each scenario begins with: ada is the admin, bob a member and carol a reader of organisation 1, which
// has the projects 1 and 2 and the labels 1 and 2; dan is the admin and bob a member of organisation 2 with project 3 and label 3.
const first = `
	olga POST /user?depth=0 [{"name":"ada"},{"name":"bob"},{"name":"carol"},{"name":"dan"}]  => 201
	olga POST /organisation?depth=0 [{"name":"x","memberships":[{"user":"ada","role":"admin"},{"user":"bob"},{"user":"carol","role":"reader"}]},{"name":"y","memberships":[{"user":"dan","role":"admin"},{"user":"bob"}]}]  => 201 [1,2]
	ada POST /project?depth=0 [{"organisation":1,"name":"mill"},{"organisation":1,"name":"store"}]  => 201 [1,2]
	dan POST /project?depth=0 {"organisation":2,"name":"loom"}  => 201 3
	ada POST /label?depth=0 [{"organisation":1,"name":"bug"},{"organisation":1,"name":"urgent"}]  => 201 [1,2]
	dan POST /label?depth=0 {"organisation":2,"name":"bug"}  => 201 3
	bob POST /issue?depth=0 [{"project":1,"title":"a"},{"project":1,"title":"b"},{"project":2,"title":"c"},{"project":3,"title":"d"}]  => 201 [1,2,3,4]`

var scenarios = []struct{ name, requests string }{
	{"strangers and anonymous callers see nothing", `
		dan GET /issue?depth=0  => 200 [4]
		dan GET /issue/1        => 404 OBJECT_DOES_NOT_EXIST
		dan PATCH /issue/1 {"title":"x"}      => 404 OBJECT_DOES_NOT_EXIST
		dan POST /issue {"project":1,"title":"x"}  => 404 OBJECT_DOES_NOT_EXIST
		dan POST /issue/1/transfer {"project":3,"reason":"mine"}  => 404 OBJECT_DOES_NOT_EXIST
		dan GET /user?fields=name => 200 [{"name":"bob"},{"name":"dan"}]
		dan GET /label?depth=0  => 200 [3]
		- GET /issue            => 401 UNAUTHORIZED
		- POST /issue/1/transfer {"project":3,"reason":"mine"}  => 401 UNAUTHORIZED
		- GET /openapi.json     => 401 UNAUTHORIZED`},
	{"operators keep tenants and see no work", `
		olga GET /project       => 200 []
		olga GET /issue         => 200 []
		olga GET /comment       => 200 []
		olga POST /project {"organisation":1,"name":"x"}      => 403 FORBIDDEN
		olga POST /membership {"organisation":1,"user":"dan"} => 201
		olga POST /membership {"organisation":1,"user":"dan"} => 409 CONFLICT
		olga POST /user {"name":"olga"}       => 201
		olga POST /membership {"organisation":1,"user":"olga"}  => 403 FORBIDDEN
		olga PATCH /membership/1 {"user":"olga"}                => 403 FORBIDDEN
		olga DELETE /organisation/1   => 409 STILL_REFERENCED
		ada POST /organisation {"name":"z"}  => 403 FORBIDDEN
		ada POST /user {"name":"eve"}        => 403 FORBIDDEN`},
	{"admins decide about roles, but not about their own", `
		ada PATCH /membership/3?fields=role {"role":"member"}  => 200 {"role":"member"}
		ada PATCH /membership/1 {"role":"reader"}  => 403 FORBIDDEN
		ada DELETE /membership/1                   => 403 FORBIDDEN
		bob PATCH /membership/2 {"role":"admin"}   => 403 FORBIDDEN
		ada PATCH /membership/3 {"role":"king"}    => 400 VALIDATION_FAILED
		ada DELETE /membership/2                   => 200 null
		bob GET /issue?depth=0                     => 200 [4]`},
	{"readers read", `
		carol GET /issue?depth=0              => 200 [1,2,3]
		carol POST /issue {"project":1,"title":"x"}  => 403 FORBIDDEN
		carol PATCH /issue/1 {"title":"x"}    => 403 FORBIDDEN
		carol PATCH /issue/1 {"labels":[1]}   => 403 FORBIDDEN
		carol POST /comment {"issue":1,"text":"x"}  => 403 FORBIDDEN
		carol POST /issue/1/transfer {"project":2,"reason":"better"}  => 403 FORBIDDEN
		carol PATCH /issue?filter={"project":1}&max=9 {"state":"closed","resolution":"done"}  => 403 FORBIDDEN
		carol GET /issue?fields=state         => 200 [{"state":"open"},{"state":"open"},{"state":"open"}]`},
	{"members work on issues", `
		bob PATCH /issue/1?fields=labels {"labels":[1,2]}  => 200 {"labels":[1,2]}
		bob PATCH /issue/1?fields=labels {"labels":[2]}    => 200 {"labels":[2]}
		bob GET /issue?depth=0&filter={"labels":{"$any":{"name":"urgent"}}}  => 200 [1]
		bob POST /comment?fields=author,text {"issue":1,"text":"x"}          => 201 {"author":"bob","text":"x"}
		bob POST /comment {"issue":1,"text":"x","author":"ada"}  => 400 FIELD_IS_READONLY
		bob PATCH /comment/1 {"text":"y"}     => 403 FORBIDDEN
		ada POST /comment {"issue":1,"text":"x"}   => 201
		bob DELETE /comment/2                 => 403 FORBIDDEN
		bob DELETE /comment/1                 => 200 null
		bob DELETE /issue/1                   => 403 FORBIDDEN
		bob POST /project {"organisation":1,"name":"x"}  => 403 FORBIDDEN
		bob POST /label {"organisation":1,"name":"x"}    => 403 FORBIDDEN
		bob PATCH /issue/1 {"project":2}      => 400 FIELD_IS_READONLY
		bob PATCH /issue/1 {"number":9}       => 400 FIELD_IS_READONLY
		ada DELETE /issue/1                   => 200 null
		ada GET /comment                      => 200 []`},
	{"organisations are kept apart", `
		bob PATCH /issue/1 {"labels":[3]}         => 400 VALIDATION_FAILED
		bob PATCH /issue/1 {"assignee":"dan"}     => 400 VALIDATION_FAILED
		bob POST /issue [{"project":1,"title":"x","assignee":"ada"},{"project":3,"title":"x","assignee":"ada"}]  => 400 VALIDATION_FAILED
		bob POST /issue_label {"issue":4,"label":1}  => 400 VALIDATION_FAILED
		bob PATCH /issue/1?fields=assignee,labels {"assignee":"carol","labels":[1]}  => 200 {"assignee":"carol","labels":[1]}
		bob PATCH /issue?filter={"assignee":null}&max=9 {"assignee":"dan"}           => 400 VALIDATION_FAILED
		olga DELETE /membership/3                 => 200 null
		bob PATCH /issue/1?fields=title,assignee {"title":"e"}  => 200 {"title":"e"}`},
	{"an issue is transferred with a new number", `
		bob POST /issue/1/transfer?fields=project,number {"project":2,"reason":"not ours"}  => 200 {"project":2,"number":2}
		bob GET /comment?fields=issue,author,text => 200 [{"issue":1,"author":"bob","text":"Was mill #1: not ours"}]
		bob POST /issue/1/transfer?fields=project,number {"project":1,"reason":"ours after all"}  => 200 {"project":1,"number":3}
		bob POST /issue?fields=number {"project":2,"title":"x"}  => 201 {"number":3}
		bob POST /issue/1/transfer {"project":1,"reason":"the same"}  => 400 BAD_REQUEST
		bob POST /issue/1/transfer {"project":3,"reason":"other organisation"}  => 400 BAD_REQUEST
		bob POST /issue/1/transfer {"project":2,"reason":"x"}     => 400 VALIDATION_FAILED
		bob PATCH /issue/1 {"state":"closed","resolution":"done"} => 200
		bob POST /issue/1/transfer {"project":2,"reason":"too late"}  => 400 BAD_REQUEST
		bob GET /comment?count=true&fields=text   => 200 [{"text":"Was mill #1: not ours"},{"text":"Was store #2: ours after all"}]`},
	{"issues are closed with a resolution, one or many", `
		bob POST /issue {"project":1,"title":"x","state":"closed","resolution":"done"}  => 400 VALIDATION_FAILED
		bob PATCH /issue/1 {"resolution":"done"}  => 400 VALIDATION_FAILED
		bob PATCH /issue/1 {"state":"started"}    => 200
		bob PATCH /issue?filter={"project":1}&max=1 {"state":"closed","resolution":"done"}  => 400 BAD_PARAM_VALUE
		bob PATCH /issue?filter={"project":1}&max=9 {"state":"closed"}                      => 400 VALIDATION_FAILED
		bob PATCH /issue?filter={"project":1}&max=9 {"state":"closed","resolution":"done"}  => 200 {"count":2}
		bob PATCH /issue?filter={"project":1}&max=9 {"state":"started","resolution":null}   => 400 VALIDATION_FAILED
		bob PATCH /issue/1?fields=state {"state":"open","resolution":null}                  => 200 {"state":"open"}`},
	{"what is deleted can be restored by those who may delete it", `
		bob PATCH /issue/1?fields=labels {"labels":[1,2]}          => 200 {"labels":[1,2]}
		bob POST /comment {"issue":1,"text":"x"}                   => 201
		bob PATCH /issue/1?fields=labels {"labels":[2]}            => 200 {"labels":[2]}
		ada DELETE /issue/1                                        => 200 null
		ada GET /comment                                           => 200 []
		bob POST /comment {"issue":1,"text":"y"}                   => 404 OBJECT_DOES_NOT_EXIST
		ada GET /issue?deleted=true&fields=id,title                => 200 [{"id":1,"title":"a"}]
		bob GET /issue?deleted=true                                => 200 []
		dan GET /issue?deleted=true                                => 200 []
		olga GET /issue?deleted=true                               => 200 []
		bob POST /issue/1/$restore {}                              => 404 OBJECT_DOES_NOT_EXIST
		dan POST /issue/1/$restore {}                              => 404 OBJECT_DOES_NOT_EXIST
		ada POST /issue/1/$restore?fields=number,labels,comments.text {}  => 200 {"number":1,"labels":[2],"comments":[{"text":"x"}]}
		bob POST /issue?fields=number {"project":1,"title":"x"}    => 201 {"number":3}`},
	{"changes have a history for those who see the record", `
		bob PATCH /issue/1 {"title":"e"}                           => 200
		ada PATCH /issue/1 {"priority":"high","labels":[1]}        => 200
		carol GET /entry?filter={"issue":1}&fields=kind,by,after   => 200 [{"kind":"created","by":"bob","after":{"author":"bob","number":1,"priority":"normal","project":1,"state":"open","title":"a"}},{"kind":"updated","by":"bob","after":{"title":"e"}},{"kind":"updated","by":"ada","after":{"priority":"high"}}]
		carol GET /entry?filter={"issue":1,"kind":"updated"}&fields=before&limit=1  => 200 [{"before":{"title":"a"}}]
		dan GET /entry?fields=record                               => 200 [{"record":"issue/4"}]
		olga GET /entry                                            => 200 []
		ada DELETE /entry/1                                        => 403 FORBIDDEN
		ada PATCH /entry/1 {"by":"carol"}                          => 400 FIELD_IS_READONLY
		ada DELETE /issue/1                                        => 200 null
		carol GET /entry?filter={"issue":1}                        => 200 []`},
	{"a project takes its issues along", `
		bob POST /comment {"issue":1,"text":"x"}  => 201
		bob DELETE /project/1                     => 403 FORBIDDEN
		ada DELETE /project/1                     => 200 null
		ada GET /issue?depth=0                    => 200 [3]
		ada GET /comment                          => 200 []`},
}

func TestScenariosOnEachStorage(t *testing.T) {
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
				service := newService(t, backend(t))
				service.check(t, first)
				service.check(t, s.requests)
			})
		}
	}
}

// service is the handler of the program. Its tokens are signed with the secret.
type service struct {
	http.Handler

	secret []byte
	header http.Header // of the last answer
}

func newService(t *testing.T, backend core.Backend) *service {
	t.Helper()
	registry := prometheus.NewRegistry()
	store, err := open(t.Context(), backend, registry, noop.NewTracerProvider())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // nothing is left to save
	s := &service{secret: []byte(strings.Repeat("secret ", 5))}
	if s.Handler, err = handlerOf(store, s.secret, registry, noop.NewTracerProvider()); err != nil {
		t.Fatal(err)
	}
	return s
}

// check sends requests, written as "user METHOD path body => status answer", and compares the status and, if there is one, the
// body or the code of the error.
func (s *service) check(t *testing.T, requests string) {
	t.Helper()
	for line := range strings.Lines(requests) {
		request, want, found := strings.Cut(strings.TrimSpace(line), "=>")
		if !found {
			continue
		}
		got := s.send(t, strings.TrimSpace(request))
		status, answer, _ := strings.Cut(strings.TrimSpace(want), " ")
		if !strings.HasPrefix(got, status+" ") || answer != "" && got != status+" "+answer && !strings.Contains(got, `"code":"`+answer+`"`) {
			t.Errorf("%s\n got %s", line, got)
		}
	}
}

// send sends a request and returns the status and the body of the answer.
func (s *service) send(t *testing.T, request string) string {
	t.Helper()
	user, request, _ := strings.Cut(request, " ")
	method, target, _ := strings.Cut(request, " ")
	target, body, _ := strings.Cut(target, " ")
	path, query, _ := strings.Cut(target, "?")
	args := make(url.Values)
	for arg := range strings.SplitSeq(query, "&") {
		if name, value, ok := strings.Cut(arg, "="); ok {
			args.Set(name, value)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path+"?"+args.Encode(), strings.NewReader(body))
	if user != "-" {
		r.Header.Set("Authorization", "Bearer "+s.token(t, jwt.MapClaims{"sub": user, "exp": time.Now().Add(time.Hour).Unix()}))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	s.header = w.Header()
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}

// token signs claims. olga is an operator.
func (s *service) token(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	if claims["sub"] == "olga" {
		claims["roles"] = []string{"operator"}
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.secret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
