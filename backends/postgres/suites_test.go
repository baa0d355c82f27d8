package postgres_test

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
)

// migrated returns a factory of backends on schemas of their own, with fresh
// sequences, on a server that is reached directly.
func migrated(tb testing.TB, m *core.Model) core.Backend {
	tb.Helper()
	schema := pgtest.Schema(tb)
	p := pool(tb, pgtest.URL(tb))
	if err := postgres.Migrate(tb.Context(), p, schema, m); err != nil {
		tb.Fatal(err)
	}
	return postgres.New(p, schema, postgres.Options{})
}

func TestTheEnginesRules(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, migrated)
}

func TestTheRulesOfTheRestFace(t *testing.T) {
	t.Parallel()
	resttest.Run(t, migrated)
}
