package postgres_test

import (
	"testing"

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
