package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// rounds returns the number of repetitions of a concurrent case: LARDER_ROUNDS from the environment, or 50.
func rounds(tb testing.TB) int {
	tb.Helper()
	text := os.Getenv("LARDER_ROUNDS")
	if text == "" {
		return 50
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("LARDER_ROUNDS is %q; use a positive number", text)
	}
	return n
}

const clients = 20

func concurrencyCases() []Case {
	return []Case{
		concurrent("20 clients add cookies to one jar", Cookies, addCookies),
		concurrent("20 clients move cookies between two jars", Cookies, moveCookies),
		concurrent("20 clients swap one-to-one partners", Family, swapPartners),
		concurrent("20 clients label issues", tracker, labelIssues),
	}
}

// concurrent returns a case that repeats round. The engine retries conflicts, so no request may fail.
func concurrent(rule string, model func() *core.Model, round func(t *testing.T, api *engine.Engine, n int)) Case {
	return Case{rule, func(t *testing.T, newBackend NewBackend) {
		api := open(t, newBackend, model(), engine.Options{Attempts: 1000})
		for n := range rounds(t) {
			if round(t, api, n); t.Failed() {
				return
			}
		}
	}}
}

// inParallel runs fn for every client at once and waits for all.
func inParallel(fn func(client int)) {
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() { fn(client) })
	}
	wg.Wait()
}

func addCookies(t *testing.T, api *engine.Engine, n int) {
	ctx := t.Context()
	jars, err := api.Create(ctx, "jar", engine.Write{}, map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	jar := jars[0].Key()
	inParallel(func(client int) {
		body := map[string]any{"type": fmt.Sprint(n, "/", client), "jar": jar}
		if client%2 == 0 {
			_, err := api.Create(ctx, "cookie", engine.Write{Depth: 2}, body)
			noError(t, err)
			return
		}
		cookies, err := api.Create(ctx, "cookie", engine.Write{}, map[string]any{})
		noError(t, err)
		if err == nil {
			_, err = api.Update(ctx, "cookie", cookies[0].Key(), engine.Write{Depth: 2}, body)
			noError(t, err)
		}
	})
	var got struct{ Cookies []struct{ Type string } }
	decode(t, api, jar, &got)
	types := make(map[string]bool)
	for _, c := range got.Cookies {
		types[c.Type] = true
	}
	for client := range clients {
		if !types[fmt.Sprint(n, "/", client)] || len(got.Cookies) != clients {
			t.Fatalf("round %d: the cookie of %d is lost, or there are others: %v", n, client, got)
		}
	}
}

func decode(t *testing.T, api *engine.Engine, jar core.Value, into any) {
	t.Helper()
	view, err := api.Get(t.Context(), "jar", jar, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(view.AppendJSON(nil), into); err != nil {
		t.Fatal(err)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// moveCookies lets every client move its cookie between two jars, set all cookies of a jar, or list the jars.
func moveCookies(t *testing.T, api *engine.Engine, n int) {
	ctx := t.Context()
	if n == 0 {
		runLine(t, api, `post jar [{}, {}]`)
		for range clients {
			runLine(t, api, `post cookie {"jar": 1}`)
		}
	}
	inParallel(func(client int) {
		var err error
		switch jar := rand.IntN(2) + 1; rand.IntN(3) {
		case 0:
			_, err = api.Update(ctx, "cookie", client+1, engine.Write{Depth: 1}, map[string]any{"jar": jar})
		case 1:
			_, err = api.Update(ctx, "jar", jar, engine.Write{Depth: 1}, map[string]any{"cookies": allCookies()})
		default:
			list, e := api.List(ctx, "jar", engine.Query{Depth: 1})
			if err = e; e == nil {
				everyCookieOnce(t, list)
			}
		}
		noError(t, err)
	})
}

func allCookies() []int {
	ids := make([]int, clients)
	for i := range ids {
		ids[i] = i + 1
	}
	return ids
}

func everyCookieOnce(t *testing.T, list engine.List) {
	var jars []struct{ Cookies []int }
	if err := json.Unmarshal([]byte(texts(list.Views)), &jars); err != nil {
		t.Error(err)
		return
	}
	times := make(map[int]int)
	for _, jar := range jars {
		for _, id := range jar.Cookies {
			times[id]++
		}
	}
	for _, id := range allCookies() {
		if times[id] != 1 {
			t.Errorf("cookie %d is in %d jars: %s", id, times[id], texts(list.Views))
		}
	}
}

// swapPartners lets every client set a one-to-one relation from either side, or read it.
func swapPartners(t *testing.T, api *engine.Engine, n int) {
	ctx := t.Context()
	if n == 0 {
		for range clients {
			runLine(t, api, `post male {"wife": {}}`)
		}
	}
	inParallel(func(client int) {
		var err error
		switch other := rand.IntN(clients) + 1; rand.IntN(4) {
		case 0:
			_, err = api.Update(ctx, "male", client+1, engine.Write{Depth: 2}, map[string]any{"wife": other})
		case 1:
			_, err = api.Update(ctx, "female", client+1, engine.Write{Depth: 2}, map[string]any{"husband": other})
		case 2:
			_, _, err = api.Replace(ctx, "female", client+1, engine.Write{Depth: 1}, map[string]any{"husband": other})
		default:
			partnersAreMutual(ctx, t, api)
		}
		noError(t, err)
	})
	partnersAreMutual(ctx, t, api)
}

func partnersAreMutual(ctx context.Context, t *testing.T, api *engine.Engine) {
	list, err := api.List(ctx, "male", engine.Query{Depth: 2})
	if err != nil {
		t.Error(err)
		return
	}
	var males []struct {
		ID   int
		Wife *struct{ ID, Husband int }
	}
	if err := json.Unmarshal([]byte(texts(list.Views)), &males); err != nil || len(males) != clients {
		t.Errorf("%d males, %v: %s", len(males), err, texts(list.Views))
		return
	}
	for _, m := range males {
		if m.Wife != nil && m.Wife.Husband != m.ID {
			t.Errorf("male %d has a wife whose husband is %d", m.ID, m.Wife.Husband)
		}
	}
}
