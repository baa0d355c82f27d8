package rest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// newEngine returns an engine over an empty memory backend.
func newEngine(tb testing.TB, m *core.Model, decorators ...core.Decorator) *engine.Engine {
	tb.Helper()
	store, err := core.New(tb.Context(), m, memory.New(), decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return engine.New(store, engine.Options{})
}

func cookieModel() *core.Model {
	return core.MustModel("pantry", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "type", Type: core.Text}, {Name: "price", Type: core.Int},
	}})
}

// rememberingModel is cookieModel with remembered answers.
func rememberingModel() *core.Model {
	return core.MustModel("pantry", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "type", Type: core.Text}, {Name: "price", Type: core.Int},
	}}, core.ResourceSpec{Name: core.AnswersName})
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	for _, row := range []struct {
		opts rest.Options
		want string
	}{
		{rest.Options{MaxBody: -1}, "MaxBody: -1"},
		{rest.Options{MaxInFlight: -1}, "MaxInFlight: -1"},
		{rest.Options{MaxNesting: -1}, "MaxNesting: -1"},
		{rest.Options{PageSize: -1}, "PageSize: -1"},
		{rest.Options{MaxPageSize: -1}, "MaxPageSize: -1"},
		{rest.Options{PageSize: 1001}, "PageSize: 1001 is greater than MaxPageSize, 1000"},
		{rest.Options{PageSize: 8, MaxPageSize: 7}, "PageSize: 8 is greater than MaxPageSize, 7"},
		{rest.Options{RememberFor: -time.Second}, "RememberFor: -1s"},
		{rest.Options{Timeout: -time.Second}, "Timeout: -1s"},
		{rest.Options{Challenge: "a\nb"}, `Challenge: "a\nb"`},
		{rest.Options{Prefix: "api"}, `Prefix: "api"`},
		{rest.Options{Prefix: "/api/"}, `Prefix: "/api/"`},
		{rest.Options{Prefix: "/"}, `Prefix: "/"`},
		{rest.Options{Prefix: "//host"}, `Prefix: "//host"`},
		{rest.Options{Prefix: "/a?b"}, `Prefix: "/a?b"`},
		{rest.Options{Prefix: "/ä"}, `Prefix: "/ä"`},
		{rest.Options{MaxBody: -1, MaxNesting: -1}, "MaxNesting: -1"},
	} {
		if _, err := rest.New(newEngine(t, cookieModel()), row.opts); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: %v, want %s", row.opts, err, row.want)
		}
	}
}

func TestNewRejectsANilEngine(t *testing.T) {
	if _, err := rest.New(nil, rest.Options{}); err == nil {
		t.Error("no error")
	}
}
