package enginetest

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func matchCases() []Case {
	return []Case{
		code("a write is asked about the record as it is, before anything changes", Cookies, matchSees),
		code("a write whose condition fails does not happen, and its error is returned as it is", Cookies, matchRefuses),
		code("a condition on a record that is not there is asked about none", Cookies, matchNone),
		{"a condition on a record that is too large to be shown is not asked", matchTooLarge},
	}
}

func matchSees(t *testing.T, api *engine.Engine) {
	play(t, api, `post jar {"cookies": [{"type": "a"}]}`)
	var seen []string
	w := engine.Write{Depth: 2, Match: func(current *engine.View) error {
		seen = append(seen, text(*current))
		return nil
	}}
	ctx := t.Context()
	_, errUpdate := api.Update(ctx, "cookie", 1, w, map[string]any{"type": "b"})
	_, created, errReplace := api.Replace(ctx, "cookie", 1, w, map[string]any{"jar": 1})
	w.Depth = 1
	errDelete := api.Delete(ctx, "cookie", 1, w)
	if errUpdate != nil || errReplace != nil || errDelete != nil || created {
		t.Fatal(errUpdate, errReplace, errDelete, created)
	}
	want := []string{
		`{"id":1,"type":"a","jar":{"id":1,"cookies":[1]}}`,
		`{"id":1,"type":"b","jar":{"id":1,"cookies":[1]}}`,
		`{"id":1,"jar":1}`,
	}
	if len(seen) != len(want) {
		t.Fatalf("asked %d times about %v, want %d", len(seen), seen, len(want))
	}
	for i := range want {
		if seen[i] != want[i] {
			t.Errorf("asked about %s, want %s", seen[i], want[i])
		}
	}
}

var errNo = errors.New("condition does not hold")

func matchRefuses(t *testing.T, api *engine.Engine) {
	play(t, api, `post jar {"cookies": [{"type": "a"}]}`)
	no := engine.Write{Depth: 1, Match: func(*engine.View) error { return errNo }}
	ctx := t.Context()
	_, errCreate := api.Create(ctx, "cookie", no, map[string]any{})
	_, errUpdate := api.Update(ctx, "cookie", 1, no, map[string]any{"type": "b"})
	_, _, errReplace := api.Replace(ctx, "cookie", 1, no, map[string]any{})
	_, _, errPut := api.Replace(ctx, "cookie", 9, no, map[string]any{})
	errDelete := api.Delete(ctx, "cookie", 1, no)
	for i, err := range []error{errCreate, errUpdate, errReplace, errPut, errDelete} {
		if err != errNo { //nolint:errorlint // as it is, not wrapped
			t.Errorf("write %d: %v, want %v", i, err, errNo)
		}
	}
	play(t, api, `list cookie depth=2 => [{"id": 1, "type": "a", "jar": {"id": 1, "cookies": [1]}}]`)
}

func matchNone(t *testing.T, api *engine.Engine) {
	asked := 0
	w := engine.Write{Match: func(current *engine.View) error {
		if current != nil {
			t.Errorf("asked about %s, want none", text(*current))
		}
		asked++
		return nil
	}}
	ctx := t.Context()
	_, errUpdate := api.Update(ctx, "cookie", 9, w, map[string]any{"type": "b"})
	errDelete := api.Delete(ctx, "cookie", 9, w)
	if !errors.Is(errUpdate, core.NotFound) || !errors.Is(errDelete, core.NotFound) {
		t.Errorf("%v and %v, want %s", errUpdate, errDelete, core.NotFound)
	}
	_, created, errReplace := api.Replace(ctx, "cookie", 9, w, map[string]any{})
	_, errCreate := api.Create(ctx, "cookie", w, map[string]any{}, map[string]any{})
	if errReplace != nil || errCreate != nil || !created || asked != 4 {
		t.Errorf("%v, %v, created %v, asked %d times, want 4", errReplace, errCreate, created, asked)
	}
}

func matchTooLarge(t *testing.T, newBackend NewBackend) {
	api := open(t, newBackend, Family(), engine.Options{MaxRecords: 1})
	play(t, api, `post male {"wife": {}} depth=0`)
	w := engine.Write{Depth: 2, Match: func(current *engine.View) error {
		t.Errorf("asked about %s", text(*current))
		return nil
	}}
	if err := api.Delete(t.Context(), "male", 1, w); !errors.Is(err, core.TooLarge) {
		t.Errorf("%v, want %s", err, core.TooLarge)
	}
	play(t, api, `get male/1 depth=0 => 1`)
}
