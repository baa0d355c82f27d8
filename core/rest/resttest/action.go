package resttest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// update changes the note of an action.
func update(ctx context.Context, call *rest.Call, body map[string]any) error {
	_, err := call.Tx.Update(ctx, "note", call.ID, engine.Write{}, body)
	return err
}

// noteActions are actions of every form for the models of notes.
func noteActions() []rest.Action {
	folder := core.FieldSpec{Name: "folder", ToOne: "folder", Required: true}
	return []rest.Action{
		{Resource: "note", Name: "move", Input: []core.FieldSpec{folder, {Name: "text", Type: core.Text, MaxLength: 3}}, Run: func(ctx context.Context, call *rest.Call) error {
			return update(ctx, call, call.Input.Map())
		}},
		{Resource: "note", Name: "remove", Run: func(ctx context.Context, call *rest.Call) error {
			return call.Tx.Delete(ctx, "note", call.ID, engine.Write{})
		}},
		{Resource: "note", Name: "length", Output: []core.FieldSpec{{Name: "characters", APIName: "length", Type: core.Int, Required: true}, folder}, Run: func(ctx context.Context, call *rest.Call) error {
			list, err := call.Tx.List(ctx, "note", engine.Query{Depth: 1, Count: true})
			call.Output = map[string]any{"characters": list.Count, "folder": 7}
			return errors.Join(err, update(ctx, call, map[string]any{"text": "counted"}))
		}},
		{
			Resource: "note", Name: "file", Whole: true, Input: []core.FieldSpec{folder, {Name: "max", Type: core.Int, Default: 5}}, Output: []core.FieldSpec{{Name: "count", Type: core.Int}},
			Run: func(ctx context.Context, call *rest.Call) error {
				n, err := call.Tx.UpdateAll(ctx, "note", engine.Bulk{Filter: map[string]any{}, Max: int(call.Input.Get("max").Int())}, map[string]any{"folder": call.Input.Get("folder")})
				call.Output = map[string]any{"count": n}
				return err
			},
		},
		{Resource: "note", Name: "seed", Whole: true, Run: func(ctx context.Context, call *rest.Call) error {
			_, err := call.Tx.Create(ctx, "note", engine.Write{}, map[string]any{"text": "seed"})
			return err
		}},
	}
}

// withActions returns the setup of notes with the actions.
func withActions(actions ...rest.Action) setup {
	s := rememberedNotes()
	s.rest.Actions = append(noteActions(), actions...)
	return s
}

// notesOf stores two folders and a note of user 1, and returns a client of that user.
func notesOf(t *testing.T, s setup, newBackend NewBackend) *client {
	t.Helper()
	c := s.start(t, newBackend).as(user(1))
	c.check(t, exchange{"PUT /folder/1", `{"name": "one"}`, 201, ""})
	c.check(t, exchange{"PUT /folder/2", `{"name": "two"}`, 201, ""})
	c.check(t, exchange{"PUT /note/1", `{"text": "a", "folder": 1}`, 201, ""})
	return c
}

func testActions(t *testing.T, newBackend NewBackend) {
	t.Run("requests and answers", func(t *testing.T) { testActionAnswers(t, newBackend) })
	t.Run("preconditions", func(t *testing.T) { testActionPreconditions(t, newBackend) })
	t.Run("failures change nothing", func(t *testing.T) { testActionFailures(t, newBackend) })
	t.Run("repetitions", func(t *testing.T) { testActionReplays(t, newBackend) })
	for _, x := range foreignActions {
		t.Run("a foreign record is indistinguishable from an absent one: "+x.request+" "+x.body, func(t *testing.T) {
			if problem := actionInterference(t, newBackend, withActions(), x); problem != "" {
				t.Error(problem)
			}
		})
	}
	t.Run("concurrent actions lose no update, and announce each commit once", func(t *testing.T) {
		var announced atomic.Int64
		s := withActions(rest.Action{Resource: "note", Name: "append", Run: func(ctx context.Context, call *rest.Call) error {
			view, err := call.Tx.Get(ctx, "note", call.ID, 1)
			if err != nil {
				return err
			}
			call.Tx.AfterCommit(func(context.Context) { announced.Add(1) })
			return update(ctx, call, map[string]any{"text": fmt.Sprint(view.Any().(map[string]any)["text"], "x")})
		}})
		s.engine.Attempts = 1000
		c := notesOf(t, s, newBackend)
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				if r := c.send(t, "POST", "/note/1/append", reader(`{}`)); r.status != 200 {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		wg.Wait()
		c.check(t, exchange{"GET /note/1?fields=text", "", 200, `{"text": "a` + strings.Repeat("x", clients) + `"}`})
		if n := announced.Load(); n != clients {
			t.Errorf("%d announcements", n)
		}
	})
}

func testActionAnswers(t *testing.T, newBackend NewBackend) {
	c := notesOf(t, withActions(), newBackend)
	violation := func(path, rule, accepted string) string {
		return fmt.Sprintf(`VALIDATION_FAILED {"violations": [{"object_name": "move", "path": [%q], "rule": %q, "accepted": %q}]}`, path, rule, accepted)
	}
	for _, x := range []exchange{
		{"POST /note/1/move", `{"folder": 2}`, 200, `{"id": 1, "text": "a", "folder": 2}`},
		{"POST /note/1/move?depth=2", `{"folder": "1", "text": "b"}`, 200, `{"id": 1, "text": "b", "folder": {"id": 1, "name": "one", "notes": [1]}}`},
		{"POST /note/1/move?depth=0", `{"folder": 2}`, 200, `1`},
		{"POST /note/1/move?fields=text", `{"folder": 2}`, 200, `{"text": "b"}`},
		{"POST /note/1/move?fields=nope", `{"folder": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "nope"}`},
		{"POST /note/1/move?depth=9", `{"folder": 1}`, 400, `BAD_PARAM_VALUE`},
		{"POST /note/1/move?nope=1", `{"folder": 1}`, 400, `BAD_PARAM_VALUE {"param_name": "nope", "accepted_values": "the arguments depth, fields"}`},
		{"POST /note/1/move", `{}`, 400, violation("folder", "required", "a value other than null")},
		{"POST /note/1/move", `{"folder": null}`, 400, violation("folder", "required", "a value other than null")},
		{"POST /note/1/move", `{"folder": 1, "text": "long"}`, 400, violation("text", "max_length", "at most 3 characters")},
		{"POST /note/1/move", `{"folder": "x"}`, 400, `BAD_FIELD_VALUE`},
		{"POST /note/1/move", `{"folder": {}}`, 400, `BAD_FIELD_VALUE`},
		{"POST /note/1/move", `{"folder": 1, "owner": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "move", "field_name": "owner"}`},
		{"POST /note/1/move", `{"folder": 1, "larder_no_member": 1}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "move", "field_name": "larder_no_member"}`},
		{"POST /note/1/move", `{"folder": 9}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "folder", "object_id": 9}`},
		{"POST /note/9/move", `{"folder": 1}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "note", "object_id": 9}`},
		{"POST /note/x/move", `{"folder": 1}`, 400, `BAD_FIELD_VALUE`},
		{"POST /note/1/move", `[]`, 400, `BAD_REQUEST {"msg": "the body must be a JSON object"}`},
		{"POST /note/1/move", ``, 400, `BAD_REQUEST {"msg": "the body is empty; send JSON"}`},
		{"GET /note/1/move", ``, 405, `METHOD_NOT_ALLOWED {"method": "GET", "allowed_methods": "POST, OPTIONS"}`},
		{"POST /note/1/file", `{}`, 404, `NO_SUCH_URL {"path": "/note/1/file"}`},
		{"POST /note/1/$file", `{}`, 404, `NO_SUCH_URL {"path": "/note/1/$file"}`},
		{"POST /note/$move", `{}`, 404, `NO_SUCH_URL {"path": "/note/$move"}`},
		{"POST /note/$aggregate", `{}`, 404, `NO_SUCH_URL {"path": "/note/$aggregate"}`},
		{"POST /folder/1/move", `{}`, 404, `NO_SUCH_URL {"path": "/folder/1/move"}`},
		{"GET /note/1", "", 200, `{"id": 1, "text": "b", "folder": 2}`},
		{"POST /note/1/length", `{}`, 200, `{"length": 1, "folder": 7}`},
		{"POST /note/1/length?depth=x", `{}`, 400, `BAD_PARAM_VALUE`},
		{"POST /note/$file", `{"folder": 1}`, 200, `{"count": 1}`},
		{"POST /note/$file", `{"folder": 1, "max": 0}`, 400, ``},
		{"POST /note/$file?depth=1", `{"folder": 1}`, 400, `BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "no arguments"}`},
		{"POST /note/$seed", `{}`, 204, ``},
		{"GET /note?sort=id&fields=text,folder", "", 200, `[{"text": "counted", "folder": 1}, {"text": "seed"}]`},
		{"POST /$batch", `[
			{"method": "POST", "path": "/note/1/move", "body": {"folder": 2}},
			{"method": "POST", "path": "/note/$file", "body": {"folder": 1}},
			{"method": "POST", "path": "/note/1/move", "body": {"folder": 2}, "headers": {"Prefer": "return=minimal"}},
			{"method": "POST", "path": "/note/$seed", "body": {}}
		]`, 200, `[
			{"status": 200, "headers": {"ETag": "*"}, "body": {"id": 1, "text": "counted", "folder": 2}},
			{"status": 200, "body": {"count": 2}},
			{"status": 204, "headers": {"Preference-Applied": "return=minimal"}},
			{"status": 204}
		]`},
		{"POST /$batch", `[{"method": "POST", "path": "/note/$seed", "body": {}}, {"method": "POST", "path": "/note/1/move", "body": {"folder": 9}}]`,
			404, `OBJECT_DOES_NOT_EXIST {"object_name": "folder", "object_id": 9, "request": 1}`},
		{"GET /note?count=true&fields=text", "", 200, `[{"text": "counted"}, {"text": "seed"}, {"text": "seed"}]`},
		{"POST /note/1/remove", `{}`, 204, ``},
		{"POST /note/1/remove", `{}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "note", "object_id": 1}`},
	} {
		c.check(t, x)
	}
	if allow := c.check(t, exchange{"OPTIONS /note/2/move", "", 204, ""}).header.Get("Allow"); allow != "POST, OPTIONS" {
		t.Errorf("Allow is %q", allow)
	}
	c.as("").check(t, exchange{"POST /note/1/move", `{`, 401, `UNAUTHORIZED {}`})
	c.as("").check(t, exchange{"POST /note/$seed", `{}`, 401, `UNAUTHORIZED {}`})
}

func testActionPreconditions(t *testing.T, newBackend NewBackend) {
	s := withActions()
	s.rest.RequireIfMatch = true
	c := s.start(t, newBackend).as(user(1))
	c.check(t, exchange{"PUT /folder/1", `{}`, 201, ""}, "If-None-Match", "*")
	tag := c.check(t, exchange{"PUT /note/1", `{"text": "a"}`, 201, ""}, "If-None-Match", "*").header.Get("ETag")
	deep := c.send(t, "GET", "/note/1?depth=2", nil).header.Get("ETag")
	move := exchange{"POST /note/1/move", `{"folder": 1, "text": "b"}`, 412, ""}
	c.check(t, exchange{move.request, move.body, 428, `PRECONDITION_REQUIRED {"header": "If-Match"}`})
	c.check(t, move, "If-Match", `"a"`)
	c.check(t, move, "If-Match", "*", "If-None-Match", tag)
	c.check(t, exchange{"POST /note/9/move", `{"folder": 1}`, 412, ""}, "If-Match", "*")
	c.check(t, exchange{"POST /note/1/length", `{}`, 412, ""}, "If-Match", `"a"`)
	c.check(t, exchange{"GET /note/1", "", 200, `{"id": 1, "text": "a"}`})
	move.status = 200
	r := c.check(t, move, "If-Match", tag)
	if now := c.send(t, "GET", "/note/1", nil); now.header.Get("ETag") != r.header.Get("ETag") || string(now.body) != string(r.body) {
		t.Errorf("the answer is %v %s, and GET %v %s", r.header, r.body, now.header, now.body)
	}
	c.check(t, exchange{"POST /note/1/move?depth=2", move.body, 412, ""}, "If-Match", deep)
	c.check(t, exchange{"POST /note/$seed", `{}`, 204, ""})
}

func testActionFailures(t *testing.T, newBackend NewBackend) {
	secret := errSecret.Error()
	fails := func(name string, err error) rest.Action {
		return rest.Action{Resource: "note", Name: name, Run: func(ctx context.Context, call *rest.Call) error {
			if err := update(ctx, call, map[string]any{"text": "changed"}); err != nil {
				return err
			}
			call.Tx.AfterCommit(func(context.Context) { t.Error("a function has run after a rollback") })
			if err == nil {
				panic(errSecret)
			}
			return err
		}}
	}
	gives := func(name string, output []core.FieldSpec, values map[string]any) rest.Action {
		return rest.Action{Resource: "note", Name: name, Output: output, Run: func(ctx context.Context, call *rest.Call) error {
			call.Output = values
			return update(ctx, call, map[string]any{"text": "changed"})
		}}
	}
	number := []core.FieldSpec{{Name: "n", Type: core.Int, Required: true, Max: 5}}
	for _, row := range []struct {
		action rest.Action
		status int
		want   string
		level  string
		logged string
	}{
		{fails("plain", errSecret), 500, `SERVER_ERROR {}`, "ERROR", secret},
		{fails("panic", nil), 500, `SERVER_ERROR {}`, "ERROR", secret},
		{fails("coded", &core.Error{Code: core.Forbidden, Resource: "note", Cause: errSecret}), 403, `FORBIDDEN {"object_name": "note"}`, "", ""},
		{fails("bare", fmt.Errorf("%w: %w", errSecret, core.AlreadyExists)), 409, `CONFLICT {}`, "", ""},
		{fails("message", &core.Error{Code: core.BadRequest, Message: "not on Sundays"}), 400, `BAD_REQUEST {"msg": "not on Sundays"}`, "", ""},
		{gives("nothing", number, nil), 500, `SERVER_ERROR {}`, "ERROR", "output of the action nothing"},
		{gives("greatest", number, map[string]any{"n": 6}), 500, `SERVER_ERROR {}`, "ERROR", "output of the action greatest"},
		{gives("unknown", number, map[string]any{"m": 6}), 500, `SERVER_ERROR {}`, "ERROR", "output of the action unknown"},
		{gives("type", number, map[string]any{"n": secret}), 500, `SERVER_ERROR {}`, "ERROR", "output of the action type"},
		{gives("undeclared", nil, map[string]any{"n": 1}), 500, `SERVER_ERROR {}`, "ERROR", "declare the Output of the action"},
		{gives("long", []core.FieldSpec{{Name: "text", Type: core.Text}}, map[string]any{"text": strings.Repeat("x", 1000)}), 413, `TOO_LARGE {"msg": "the answer has more than 1000 bytes; ask for less"}`, "", ""},
		{rest.Action{Resource: "note", Name: "many", Run: func(ctx context.Context, call *rest.Call) error {
			for range 4 {
				if _, err := call.Tx.Create(ctx, "note", engine.Write{}, map[string]any{}); err != nil {
					return err
				}
			}
			return nil
		}}, 413, `TOO_LARGE`, "", ""},
	} {
		t.Run(row.action.Name, func(t *testing.T) {
			var log logBuffer
			s := withActions(row.action)
			s.engine.MaxWritten, s.engine.MaxBytes, s.engine.MaxValue = 3, 1000, 20
			s.rest.Logger = slog.New(slog.NewTextHandler(&log, nil))
			c := notesOf(t, s, newBackend)
			r := c.check(t, exchange{"POST /note/1/" + row.action.Name, `{}`, row.status, row.want})
			if strings.Contains(string(r.body), "secret") || strings.Contains(string(r.body), "sql") {
				t.Errorf("the answer shows %s", r.body)
			}
			if text := log.String(); !strings.Contains(text, row.logged) || row.level != "" && !strings.Contains(text, "level="+row.level) || row.level == "" && text != "" {
				t.Errorf("logged %q", text)
			}
			c.check(t, exchange{"POST /note/1/move", `{"folder": 2, "text": "` + strings.Repeat("x", 21) + `"}`, 413, `TOO_LARGE {"msg": "the value of text has more than 20 bytes"}`})
			c.check(t, exchange{"GET /note", "", 200, `[{"id": 1, "text": "a", "folder": 1}]`})
			c.check(t, exchange{"GET /folder?depth=0", "", 200, `[1, 2]`})
		})
	}
}

func testActionReplays(t *testing.T, newBackend NewBackend) {
	for _, row := range []struct {
		exchange exchange
		headers  []string
	}{
		{exchange{"POST /note/1/move?depth=2", `{"folder": 2, "text": "b"}`, 200, ""}, nil},
		{exchange{"POST /note/1/move", `{"folder": 2}`, 204, ""}, []string{"Prefer", "return=minimal"}},
		{exchange{"POST /note/1/remove", `{}`, 204, ""}, nil},
		{exchange{"POST /note/1/length", `{}`, 200, `{"length": 1, "folder": 7}`}, nil},
		{exchange{"POST /note/$file", `{"folder": 2}`, 200, `{"count": 1}`}, nil},
		{exchange{"POST /note/$seed", `{}`, 204, ""}, nil},
	} {
		t.Run(row.exchange.request, func(t *testing.T) {
			c := notesOf(t, withActions(), newBackend)
			first := c.once(t, "k", false, row.exchange, row.headers...)
			stored := c.send(t, "GET", "/note", nil)
			again := c.once(t, "k", true, row.exchange, row.headers...)
			again.header.Del("Idempotent-Replayed")
			if string(again.body) != string(first.body) || !sameHeaders(again.header, first.header) {
				t.Errorf("first %v %s\nagain %v %s", first.header, first.body, again.header, again.body)
			}
			c.check(t, exchange{"GET /note", "", 200, string(stored.body)})
			c.once(t, "k", false, exchange{row.exchange.request, `{"folder": 1}`, 422, ""})
		})
	}
	t.Run("of a record that is gone is 404", func(t *testing.T) {
		c := notesOf(t, withActions(), newBackend)
		c.once(t, "k", false, exchange{"POST /note/1/move", `{"folder": 2}`, 200, ""})
		c.check(t, exchange{"DELETE /note/1", "", 200, ""})
		c.once(t, "k", true, exchange{"POST /note/1/move", `{"folder": 2}`, 404, ""})
	})
}

// foreignActions are requests of user 2 about the records of user 1.
var foreignActions = []exchange{
	{"POST /note/1/move", `{"folder": 2}`, 404, ""},
	{"POST /note/1/move", `{"folder": 3}`, 404, ""},
	{"POST /note/2/move", `{"folder": 2}`, 404, ""},
	{"POST /note/1/move", `{}`, 400, ""},
	{"POST /note/2/move", `{"folder": 1}`, 404, ""},
	{"POST /note/2/move?depth=3", `{"folder": 3}`, 200, ""},
	{"POST /note/1/remove", `{}`, 404, ""},
	{"POST /note/1/length", `{}`, 404, ""},
	{"POST /note/2/length", `{}`, 200, ""},
	{"POST /note/$file", `{"folder": 1}`, 404, ""},
	{"POST /note/$file", `{"folder": 3, "max": 1}`, 200, ""},
	{"POST /$batch", `[{"method": "POST", "path": "/note/2/length", "body": {}}, {"method": "POST", "path": "/note/1/remove", "body": {}}]`, 404, ""},
}

// actionInterference sends the request of user 2 beside the records of user 1 and without them. It returns the difference of
// the answers, or of the records of user 1.
func actionInterference(t *testing.T, newBackend NewBackend, s setup, x exchange) string {
	t.Helper()
	beside, alone := notesOf(t, s, newBackend), s.start(t, newBackend).as(user(1))
	for _, c := range []*client{beside, alone} {
		c.as(user(2)).check(t, exchange{"PUT /note/2", `{"text": "own"}`, 201, ""})
		c.as(user(2)).send(t, "PUT", "/folder/3", reader(`{}`))
	}
	method, target, _ := splitRequest(x.request)
	foreign, absent := beside.as(user(2)).send(t, method, target, reader(x.body)), alone.as(user(2)).send(t, method, target, reader(x.body))
	switch {
	case foreign.status != absent.status || string(foreign.body) != string(absent.body) || !sameHeaders(foreign.header, absent.header):
		return fmt.Sprintf("beside foreign records %d %v %s\nalone %d %v %s", foreign.status, foreign.header, foreign.body, absent.status, absent.header, absent.body)
	case foreign.status != x.status:
		return fmt.Sprintf("%d %s, want %d", foreign.status, foreign.body, x.status)
	}
	if now := beside.send(t, "GET", "/note", nil); string(now.body) != `[{"id":1,"text":"a","folder":1}]` {
		return fmt.Sprintf("the foreign records are %s now", now.body)
	}
	return ""
}
