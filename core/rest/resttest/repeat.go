package resttest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// rememberedNotes is [ownedNotes] on a model that remembers answers.
func rememberedNotes(decorators ...core.Decorator) setup {
	m := core.MustModel("remembered notes",
		core.ResourceSpec{Name: "folder", Fields: []core.FieldSpec{
			keyField(), textField("name"),
			{Name: "owner", Type: core.Int, Hidden: true},
			{Name: "notes", ToMany: "note", Inverse: "folder"},
		}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
			keyField(), textField("text"), {Name: "json", Type: core.JSON},
			{Name: "owner", Type: core.Int, Hidden: true},
			{Name: "folder", ToOne: "folder"},
		}},
		core.ResourceSpec{Name: core.AnswersName},
	)
	return setup{model: m, decorators: append(decorators, owning()), rest: rest.Options{Authenticate: byNumber}}
}

const keyHeader = "Idempotency-Key"

// once sends a request with a key, and checks whether the answer is a repeated one.
func (c *client) once(t *testing.T, key string, repeated bool, x exchange, headers ...string) reply {
	t.Helper()
	r := c.check(t, x, append([]string{keyHeader, key}, headers...)...)
	if got := r.header.Get("Idempotent-Replayed") == "true"; got != repeated {
		t.Errorf("%s %s: Idempotent-Replayed is %v", x.request, x.body, got)
	}
	return r
}

func testRepeatedKeys(t *testing.T, newBackend NewBackend) {
	testReplays(t, newBackend)
	testReusedKeys(t, newBackend)
	testKeysOfPrincipals(t, newBackend)
	testReplaysUnderPolicies(t, newBackend)
	testUnknownCommits(t, newBackend)
	t.Run("a failed request is not remembered", func(t *testing.T) {
		c := rememberedNotes().start(t, newBackend).as(user(1))
		post := exchange{"POST /folder?depth=0", `{"notes": [{"text": "a"}, 9]}`, 404, ""}
		c.once(t, "k", false, post)
		c.once(t, "k", false, post)
		c.check(t, exchange{"GET /note", "", 200, `[]`})
		c.check(t, exchange{"PUT /note/9", `{}`, 201, ""})
		post.status = 201
		first := c.once(t, "k", false, post)
		if again := c.once(t, "k", true, post); string(again.body) != string(first.body) {
			t.Errorf("first %s, then %s", first.body, again.body)
		}
		c.once(t, "other", false, exchange{"PATCH /note/9", `{}`, 412, ""}, "If-Match", `"a"`)
		c.once(t, "other", false, exchange{"PATCH /note/9", `{}`, 200, ""}, "If-Match", `*`)
	})
	t.Run("an expired answer is forgotten", func(t *testing.T) {
		s := rememberedNotes()
		s.rest.RememberFor = time.Nanosecond
		c := s.start(t, newBackend).as(user(1))
		for range 3 {
			c.once(t, "k", false, exchange{"POST /note?depth=0", `{}`, 201, ""})
		}
		c.check(t, exchange{"GET /note?limit=1", "", 200, ""})
		if n := c.send(t, "GET", "/note?count=true&limit=0", nil).header.Get("X-Total-Count"); n != "3" {
			t.Errorf("%s notes", n)
		}
	})
	t.Run("concurrent requests with one key create one record", func(t *testing.T) {
		c := rememberedNotes().start(t, newBackend).as(user(1))
		var wg sync.WaitGroup
		var fresh atomic.Int64
		bodies := make([]string, clients)
		for i := range clients {
			wg.Go(func() {
				r := c.send(t, "POST", "/note", reader(`{"text": "x"}`), keyHeader, "k")
				if bodies[i] = string(r.body); r.status != 201 {
					t.Errorf("%d %s", r.status, r.body)
				}
				if r.header.Get("Idempotent-Replayed") == "" {
					fresh.Add(1)
				}
			})
		}
		wg.Wait()
		for _, body := range bodies {
			if body != bodies[0] {
				t.Errorf("%s and %s", bodies[0], body)
			}
		}
		if fresh.Load() != 1 {
			t.Errorf("%d requests were performed", fresh.Load())
		}
		c.check(t, exchange{"GET /note", "", 200, "[" + bodies[0] + "]"})
	})
	t.Run("a malformed or impossible key is 400", func(t *testing.T) {
		c := rememberedNotes().start(t, newBackend)
		one := c.as(user(1))
		for _, key := range []string{strings.Repeat("x", 256), "é", "a\tb"} {
			one.check(t, exchange{"POST /note", `{}`, 400, `BAD_REQUEST {"msg": "the header Idempotency-Key: the value must be one key of 1 to 255 printable ASCII characters, such as a random UUID"}`}, keyHeader, key)
		}
		one.check(t, exchange{"POST /$batch", `[]`, 400, `BAD_REQUEST {"msg": "the header Idempotency-Key: a batch cannot have it; send a request of its own for each write that may be repeated"}`}, keyHeader, "k")
		c.check(t, exchange{"POST /note", `{}`, 401, `UNAUTHORIZED {}`}, keyHeader, "k")
		open := rememberedNotes()
		open.decorators = nil
		c = open.start(t, newBackend)
		c.check(t, exchange{"POST /note", `{}`, 400, `BAD_REQUEST {"msg": "the header Idempotency-Key: it needs credentials, because a key belongs to one principal"}`}, keyHeader, "k")
		c.check(t, exchange{"GET /note", "", 200, `[]`}, keyHeader, "k")
		c = ownedNotes().start(t, newBackend).as(user(1))
		c.check(t, exchange{"POST /note", `{}`, 400, `BAD_REQUEST {"msg": "the header Idempotency-Key: this server remembers no answers; leave the header out, and do not repeat the request blindly"}`}, keyHeader, "k")
		c.check(t, exchange{"GET /note", "", 200, `[]`}, keyHeader, "")
	})
}

// testReplays sends each request twice with one key. The second answer is the first one, and nothing changes.
func testReplays(t *testing.T, newBackend NewBackend) {
	for _, row := range []struct {
		exchange exchange
		headers  []string
	}{
		{exchange{"POST /note", `{"text": "new"}`, 201, ""}, nil},
		{exchange{"POST /note?depth=0", `[{"text": "b"}, {"text": "a"}]`, 201, ""}, nil},
		{exchange{"POST /note", `[]`, 201, `[]`}, nil},
		{exchange{"POST /note?fields=text", `[{"text": "b"}]`, 201, ""}, nil},
		{exchange{"POST /folder?depth=2", `{"notes": [{}, 1]}`, 201, ""}, nil},
		{exchange{"POST /note", `{}`, 201, ""}, []string{"Prefer", "return=minimal"}},
		{exchange{"POST /note", `[{}, {}]`, 201, ""}, []string{"Prefer", "return=minimal"}},
		{exchange{"PATCH /note/1", `{"text": "b"}`, 200, ""}, []string{"If-Match", "*"}},
		{exchange{"PATCH /note/1", `{"text": "b"}`, 204, ""}, []string{"Prefer", "return=minimal"}},
		{exchange{"PUT /note/1", `{"text": "b"}`, 200, ""}, nil},
		{exchange{"PUT /note/7", `{"text": "b"}`, 201, ""}, []string{"If-None-Match", "*"}},
		{exchange{"DELETE /note/1", "", 200, `null`}, nil},
		{exchange{"PATCH /note?filter={}&max=3", `{"text": "b"}`, 200, `{"count": 1}`}, nil},
		{exchange{`DELETE /note?filter={"text": "a"}&max=3`, "", 200, `{"count": 1}`}, nil},
	} {
		t.Run("a repeated request is answered and not performed: "+row.exchange.request+" "+row.exchange.body+strings.Join(row.headers, " "), func(t *testing.T) {
			c := rememberedNotes().start(t, newBackend).as(user(1))
			c.check(t, exchange{"PUT /note/1", `{"text": "a"}`, 201, ""})
			first := c.once(t, "k", false, row.exchange, row.headers...)
			notes, folders := c.send(t, "GET", "/note", nil), c.send(t, "GET", "/folder", nil)
			for range 2 {
				again := c.once(t, "k", true, row.exchange, row.headers...)
				again.header.Del("Idempotent-Replayed")
				if string(again.body) != string(first.body) || !sameHeaders(again.header, first.header) {
					t.Errorf("first %v %s\nagain %v %s", first.header, first.body, again.header, again.body)
				}
			}
			c.check(t, exchange{"GET /note", "", 200, string(notes.body)})
			c.check(t, exchange{"GET /folder", "", 200, string(folders.body)})
			if row.exchange.request != "DELETE /note/1" && !strings.HasPrefix(row.exchange.request, "DELETE") {
				return
			}
			c.check(t, exchange{"PUT /note/1", `{"text": "a"}`, 201, ""})
			c.once(t, "k", true, row.exchange, row.headers...)
			c.check(t, exchange{"GET /note?depth=0", "", 200, `[1]`})
		})
	}
}

func testReusedKeys(t *testing.T, newBackend NewBackend) {
	t.Run("a key of another request is 422", func(t *testing.T) {
		c := rememberedNotes().start(t, newBackend).as(user(1))
		c.check(t, exchange{"PUT /note/1", `{"text": "a"}`, 201, ""})
		first := exchange{"PATCH /note/1", `{"json": {"a": 1}}`, 200, ""}
		c.once(t, "k", false, first)
		for _, row := range []struct {
			exchange exchange
			headers  []string
		}{
			{exchange{request: "PUT /note/1", body: first.body}, nil},
			{exchange{request: "PATCH /note/2", body: first.body}, nil},
			{exchange{request: "PATCH /note/1?depth=1", body: first.body}, nil},
			{exchange{request: "PATCH /folder/1", body: first.body}, nil},
			{exchange{request: first.request, body: `{"json": {"a": 2}}`}, nil},
			{exchange{request: first.request, body: first.body}, []string{"If-Match", "*"}},
			{exchange{request: first.request, body: first.body}, []string{"If-None-Match", `"a"`}},
			{exchange{request: first.request, body: first.body}, []string{"Content-Type", "application/merge-patch+json"}},
			{exchange{request: "DELETE /note/1"}, nil},
		} {
			row.exchange.status, row.exchange.want = 422, `IDEMPOTENCY_KEY_REUSED {"header": "Idempotency-Key"}`
			c.once(t, "k", false, row.exchange, row.headers...)
		}
		c.once(t, "k", true, first)
		c.check(t, exchange{"GET /note", "", 200, `[{"id": 1, "text": "a", "json": {"a": 1}}]`})
	})
}

func testKeysOfPrincipals(t *testing.T, newBackend NewBackend) {
	t.Run("the keys of another principal are unrelated", func(t *testing.T) {
		c, empty := rememberedNotes().start(t, newBackend), rememberedNotes().start(t, newBackend)
		c.as(user(1)).once(t, "k", false, exchange{"PUT /note/1", `{"text": "secret"}`, 201, ""})
		for _, x := range []exchange{
			{"PUT /note/7", `{"text": "own"}`, 201, ""},
			{"PUT /note/7", `{"text": "own"}`, 201, ""},
			{"PUT /note/7", `{"text": "other"}`, 422, ""},
		} {
			beside, alone := c.as(user(2)).check(t, x, keyHeader, "k"), empty.as(user(2)).check(t, x, keyHeader, "k")
			if string(beside.body) != string(alone.body) || !sameHeaders(beside.header, alone.header) {
				t.Errorf("%s %s: beside another principal %v %s\nalone %v %s", x.request, x.body, beside.header, beside.body, alone.header, alone.body)
			}
		}
		c.as(user(1)).once(t, "k", true, exchange{"PUT /note/1", `{"text": "secret"}`, 201, `{"id": 1, "text": "secret"}`})
		c.as(user(1)).check(t, exchange{"GET /note?depth=0", "", 200, `[1]`})
		c.as(user(2)).check(t, exchange{"GET /note?depth=0", "", 200, `[7]`})
	})
}

// hiding is a policy that hides all notes while hidden is true.
func hiding(hidden *atomic.Bool) core.Decorator {
	return core.Decorator{Name: "hiding", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if hidden.Load() && op.Resource != nil && op.Resource.Name() == "note" && op.Kind != core.NextID {
				op.Guard(core.None())
			}
			return next(ctx, op)
		}, nil
	}}
}

func testReplaysUnderPolicies(t *testing.T, newBackend NewBackend) {
	one, list := exchange{"POST /note", `{"text": "a"}`, 201, ""}, exchange{"POST /note?depth=0", `[{}, {}]`, 201, ""}
	t.Run("a repeated answer shows the records as they are now", func(t *testing.T) {
		c := rememberedNotes().start(t, newBackend).as(user(1))
		location := c.once(t, "k", false, one).header.Get("Location")
		c.check(t, exchange{"PATCH " + location, `{"text": "b"}`, 200, ""})
		r := c.once(t, "k", true, one)
		if now := c.send(t, "GET", location, nil); string(now.body) != string(r.body) || now.header.Get("ETag") != r.header.Get("ETag") {
			t.Errorf("repeated %s, now %s", r.body, now.body)
		}
	})
	t.Run("a repeated answer about a record that is gone is 404", func(t *testing.T) {
		c := rememberedNotes().start(t, newBackend).as(user(1))
		location := c.once(t, "k", false, one).header.Get("Location")
		c.check(t, exchange{"DELETE " + location, "", 200, ""})
		gone := c.once(t, "k", true, exchange{one.request, one.body, 404, ""})
		if get := c.send(t, "GET", location, nil); string(get.body) != string(gone.body) {
			t.Errorf("repeated %s, GET %s", gone.body, get.body)
		}
		c.check(t, exchange{"GET /note", "", 200, `[]`})
	})
	t.Run("a repeated answer obeys the policies of its own time", func(t *testing.T) {
		var hidden atomic.Bool
		c := rememberedNotes(hiding(&hidden)).start(t, newBackend).as(user(1))
		location := c.once(t, "k", false, one).header.Get("Location")
		c.once(t, "list", false, list)
		hidden.Store(true)
		got := c.once(t, "k", true, exchange{one.request, one.body, 404, ""})
		if get := c.send(t, "GET", location, nil); string(get.body) != string(got.body) {
			t.Errorf("repeated %s, GET %s", got.body, get.body)
		}
		c.once(t, "list", true, exchange{list.request, list.body, 404, ""})
		hidden.Store(false)
		c.once(t, "k", true, one)
		c.once(t, "list", true, list)
	})
}

// unsure is a backend whose next commit has an unknown outcome.
type unsure struct {
	core.Backend

	next *atomic.Pointer[string] // "kept" or "lost"; nil for a commit without a fault
}

type unsureTx struct {
	core.BackendTx

	next *atomic.Pointer[string]
}

func (b unsure) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := b.Backend.Begin(ctx, opts)
	if err != nil || opts.ReadOnly {
		return tx, err
	}
	return unsureTx{tx, b.next}, nil
}

func (tx unsureTx) Commit(ctx context.Context) error {
	outcome := tx.next.Swap(nil)
	switch {
	case outcome == nil:
		return tx.BackendTx.Commit(ctx)
	case *outcome == "lost":
		if err := tx.Rollback(ctx); err != nil {
			return err
		}
	default:
		if err := tx.BackendTx.Commit(ctx); err != nil {
			return err
		}
	}
	return core.ErrCommitUnknown
}

func testUnknownCommits(t *testing.T, newBackend NewBackend) {
	for _, outcome := range []string{"kept", "lost"} {
		t.Run("a commit of unknown outcome has no double effect: "+outcome, func(t *testing.T) {
			var next atomic.Pointer[string]
			c := rememberedNotes().start(t, func(tb testing.TB, m *core.Model) core.Backend { return unsure{newBackend(tb, m), &next} }).as(user(1))
			for i, x := range []exchange{
				{"POST /note", `{"text": "a"}`, 201, ""},
				{"POST /note", `[{"text": "b"}, {"text": "c"}]`, 201, ""},
				{"POST /folder", `{"notes": [{"text": "d"}]}`, 201, ""},
				{`DELETE /note?filter={"text": "a"}&max=1`, "", 200, `{"count": 1}`},
			} {
				key := fmt.Sprint("key ", i)
				next.Store(&outcome)
				c.once(t, key, false, exchange{x.request, x.body, http.StatusServiceUnavailable, `OUTCOME_UNKNOWN {}`})
				c.once(t, key, outcome == "kept", x)
				c.once(t, key, true, x)
			}
			c.check(t, exchange{"GET /note?sort=text&fields=text", "", 200, `[{"text": "b"}, {"text": "c"}, {"text": "d"}]`})
			c.check(t, exchange{"GET /folder?depth=0", "", 200, ""})
		})
	}
}
