package access_test

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
)

func TestNobodyGetsRoundAPolicyInPostgreSQL(t *testing.T) {
	open := func(tb testing.TB, _ *core.Model) core.Backend {
		tb.Helper()
		b, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	g := policies()["some fields"]
	g.Thin, g.Operations = 150, 100 // TestNobodyGetsRoundAPolicy sends all of them
	t.Run("guard", func(t *testing.T) { policytest.Guard(t, open, g) })
	t.Run("non-interference", func(t *testing.T) { policytest.NonInterference(t, open, g) })
}
