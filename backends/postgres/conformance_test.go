package postgres_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// checks is how much the kit draws at random for each way: a server is not as
// fast as memory.
const checks = 5

func TestConformance(t *testing.T) {
	onEachWay(t, func(t *testing.T, open storetest.Factory) {
		storetest.Options{Checks: checks, Reopen: reopened}.Run(t, open)
	})
}

// TestConformanceOnTablesMadeByHand runs the families that depend on what columns
// are like on tables that sort text by a language and hand out keys differently.
func TestConformanceOnTablesMadeByHand(t *testing.T) {
	byHand := strings.NewReplacer(` COLLATE "C"`, "", "BY DEFAULT AS IDENTITY", "ALWAYS AS IDENTITY", " DEFAULT gen_random_uuid()", "")
	schemas := newSchemas(pool(t, pgtest.URL(t)), func(m *core.Model) string {
		schema := pgtest.Schema(t)
		for _, sql := range postgres.DDL(schema, m)[1:] {
			execute(t, byHand.Replace(sql))
		}
		return schema
	})
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.backend(tb, m, pool(tb, pgtest.URL(tb)), postgres.Options{})
	}
	for _, c := range storetest.Cases() {
		switch c.Family {
		case "order", "filter", "cursor", "write", "batch", "ids":
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, open, storetest.Options{}) })
		}
	}
}
