package enginetest

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func matchCases() []Case {
	return []Case{
		code("Match sees the record before the change", Cookies, matchSees),
		code("a failed Match cancels the write with its own error", Cookies, matchRejects),
		code("Match gets nil for a missing record", Cookies, matchNone),
		{"Match is not called for a record above the limits", matchTooLarge},
	}
}

func matchSees(t *testing.T, api *engine.Engine) {
	runLine(t, api, `post jar {"cookies": [{"type": "a"}]}`)
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
		t.Fatalf("Match was called %d times with %v, want %d", len(seen), seen, len(want))
	}
	for i := range want {
		if seen[i] != want[i] {
			t.Errorf("Match got %s, want %s", seen[i], want[i])
		}
	}
}

var errNoMatch = errors.New("condition does not hold")

func matchRejects(t *testing.T, api *engine.Engine) {
	runLine(t, api, `post jar {"cookies": [{"type": "a"}]}`)
	no := engine.Write{Depth: 1, Match: func(*engine.View) error { return errNoMatch }}
	ctx := t.Context()
	_, errCreate := api.Create(ctx, "cookie", no, map[string]any{})
	_, errUpdate := api.Update(ctx, "cookie", 1, no, map[string]any{"type": "b"})
	_, _, errReplace := api.Replace(ctx, "cookie", 1, no, map[string]any{})
	_, _, errPut := api.Replace(ctx, "cookie", 9, no, map[string]any{})
	errDelete := api.Delete(ctx, "cookie", 1, no)
	for i, err := range []error{errCreate, errUpdate, errReplace, errPut, errDelete} {
		if err != errNoMatch { //nolint:errorlint // must be unwrapped
			t.Errorf("write %d: %v, want %v", i, err, errNoMatch)
		}
	}
	runLine(t, api, `list cookie depth=2 => [{"id": 1, "type": "a", "jar": {"id": 1, "cookies": [1]}}]`)
}

func matchNone(t *testing.T, api *engine.Engine) {
	calls := 0
	w := engine.Write{Match: func(current *engine.View) error {
		if current != nil {
			t.Errorf("Match got %s, want nil", text(*current))
		}
		calls++
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
	if errReplace != nil || errCreate != nil || !created || calls != 4 {
		t.Errorf("%v, %v, created %v, Match called %d times, want 4", errReplace, errCreate, created, calls)
	}
}

func matchTooLarge(t *testing.T, newBackend NewBackend) {
	api := open(t, newBackend, Family(), engine.Options{MaxRecords: 1})
	runLine(t, api, `post male {"wife": {}} depth=0`)
	w := engine.Write{Depth: 2, Match: func(current *engine.View) error {
		t.Errorf("Match got %s", text(*current))
		return nil
	}}
	if err := api.Delete(t.Context(), "male", 1, w); !errors.Is(err, core.TooLarge) {
		t.Errorf("%v, want %s", err, core.TooLarge)
	}
	runLine(t, api, `get male/1 depth=0 => 1`)
}
