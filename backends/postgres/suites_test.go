package postgres_test

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/core/storetest"
)

func TestTheEnginesRules(t *testing.T) {
	onEachWay(t, func(t *testing.T, open storetest.Factory) { enginetest.Run(t, open) })
}

func TestTheRulesOfTheRestFace(t *testing.T) {
	onEachWay(t, func(t *testing.T, open storetest.Factory) { resttest.Run(t, open) })
}

func TestTheEnginesRulesOnForeignSchemas(t *testing.T) {
	onForeignSchemas(t, func(t *testing.T, open storetest.Factory) { enginetest.Run(t, open) })
}

func TestTheRulesOfTheRestFaceOnForeignSchemas(t *testing.T) {
	onForeignSchemas(t, func(t *testing.T, open storetest.Factory) { resttest.Run(t, open) })
}

func TestACrowdAtAListSide(t *testing.T) {
	t.Parallel()
	schemas := migratedSchemas(t)
	enginetest.Crowd(t, func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.backend(tb, m, pool(tb, pgtest.URL(tb)), postgres.Options{})
	})
}
