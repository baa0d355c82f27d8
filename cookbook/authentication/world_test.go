package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// backends open an empty storage of each kind that the recipe offers.
var backends = map[string]func(t *testing.T) core.Backend{
	"memory": func(*testing.T) core.Backend { return memory.New() },
	"file": func(t *testing.T) core.Backend {
		return file.New(filepath.Join(t.TempDir(), "cookies.db"), file.Options{})
	},
	"postgres": func(t *testing.T) core.Backend {
		b, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		return b
	},
}

// answer is the outcome of a request: the error code, empty for success, and the whole answer as text.
type answer struct {
	code core.Code
	text string
}

// face sends requests of a user, such as "GET /cookie/1" with a body.
type face interface {
	send(t *testing.T, user any, request, body string) answer
}

// world is the store of the recipe with a face. The user of a request is the sub of a token, which is a string in valid
// tokens; nil sends no token.
type world struct {
	face

	store *core.Store
}

var faces = map[string]func(t *testing.T, store *core.Store) face{
	"http": func(t *testing.T, store *core.Store) face {
		verify, err := (&settings{secret: write(t, secret)}).verifier()
		if err != nil {
			t.Fatal(err)
		}
		h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: verify.principal})
		if err != nil {
			t.Fatal(err)
		}
		return overHTTP{h}
	},
	"engine": func(_ *testing.T, store *core.Store) face { return throughEngine{engine.New(store, engine.Options{})} },
}

func newWorld(t *testing.T, backend core.Backend, open func(*testing.T, *core.Store) face) *world {
	t.Helper()
	store, err := compose(t.Context(), backend)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &world{open(t, store), store}
}

// overHTTP sends requests with tokens.
type overHTTP struct{ handler http.Handler }

func (f overHTTP) send(t *testing.T, user any, request, body string) answer {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if user != nil {
		claims := jwt.MapClaims{"sub": user, "exp": time.Now().Add(time.Hour).Unix()}
		r.Header.Set("Authorization", "Bearer "+sign(t, jwt.SigningMethodHS256, []byte(secret), "", claims))
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	var failure struct {
		Error struct{ Code core.Code }
	}
	text := w.Body.String()
	if w.Code >= http.StatusBadRequest {
		if err := json.Unmarshal(w.Body.Bytes(), &failure); err != nil {
			t.Fatalf("%s: %d %s", request, w.Code, text)
		}
	}
	w.Header().Del("Date")
	var header bytes.Buffer
	if err := w.Header().Write(&header); err != nil {
		t.Fatal(err)
	}
	return answer{failure.Error.Code, fmt.Sprint(w.Code, " ", text, "\n", header.String())}
}

// throughEngine calls the engine directly, for principals with an id of any type.
type throughEngine struct{ api *engine.Engine }

func (f throughEngine) send(t *testing.T, user any, request, body string) answer {
	t.Helper()
	ctx := t.Context()
	if user != nil {
		ctx = core.WithPrincipal(ctx, &core.Principal{ID: idOf(t, user)})
	}
	text, err := f.call(ctx, t, request, body)
	if err != nil {
		e, ok := errors.AsType[*core.Error](err)
		if !ok {
			t.Fatalf("%s: %v", request, err)
		}
		return answer{e.Code, e.Public()}
	}
	return answer{text: text}
}

func (f throughEngine) call(ctx context.Context, t *testing.T, request, body string) (string, error) {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	resource, id, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	fields, _ := parse(t, body).(map[string]any)
	depth := 1
	if given := u.Query().Get("depth"); given != "" {
		depth, _ = strconv.Atoi(given)
	}
	w := engine.Write{Depth: depth}
	show := func(v engine.View) string { return string(v.AppendJSON(nil)) }
	switch {
	case method == http.MethodGet && id == "":
		return f.list(ctx, t, resource, depth, u.Query())
	case method == http.MethodPost:
		views, err := f.api.Create(ctx, resource, w, fields)
		return viewsOf(views), err
	}
	var v engine.View
	var created bool
	switch method {
	case http.MethodGet:
		v, err = f.api.Get(ctx, resource, id, depth)
	case http.MethodPut:
		v, created, err = f.api.Replace(ctx, resource, id, w, fields)
	case http.MethodPatch:
		v, err = f.api.Update(ctx, resource, id, w, fields)
	case http.MethodDelete:
		err = f.api.Delete(ctx, resource, id, w)
	}
	return fmt.Sprint(created, " ", show(v)), err
}

func (f throughEngine) list(ctx context.Context, t *testing.T, resource string, depth int, args url.Values) (string, error) {
	t.Helper()
	q := engine.Query{Depth: depth, After: core.Cursor(args.Get("after"))}
	q.Filter, _ = parse(t, args.Get("filter")).(map[string]any)
	if sort, ok := parse(t, args.Get("sort")).([]any); ok {
		for _, name := range sort {
			q.Sort = append(q.Sort, name.(string))
		}
	}
	q.Limit, _ = strconv.Atoi(args.Get("limit"))
	l, err := f.api.List(ctx, resource, q)
	return fmt.Sprint(viewsOf(l.Views), " ", l.Next), err
}

func viewsOf(views []engine.View) string {
	var b strings.Builder
	for _, v := range views {
		b.Write(v.AppendJSON(nil))
	}
	return b.String()
}

func parse(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	v, err := core.ParseJSON([]byte(text), 16)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// idOf returns the id of a user in the type of the Go value.
func idOf(t *testing.T, user any) core.Value {
	t.Helper()
	typ := core.Text
	switch user.(type) {
	case int:
		typ = core.Int
	case bool:
		typ = core.Bool
	case []any:
		typ = core.List
	}
	v, err := typ.Convert(user)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
