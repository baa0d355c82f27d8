//go:build citus

// Package citustest runs the kits for backends, engines and REST on a cluster of Citus, with a schema for each model.
// DATABASE_URL names the coordinator; see make test-citus.
package citustest

import (
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/larder-go/larder/backends/postgres/internal/servertest"
)

func TestMain(m *testing.M) {
	const variable = "DATABASE_URL"
	server, err := url.Parse(os.Getenv(variable))
	if err != nil || server.Host == "" {
		fmt.Fprintln(os.Stderr, variable+" must be the URL of the coordinator of a cluster; use make test-citus URL=postgres://...")
		os.Exit(1)
	}
	query := server.Query()
	query.Set("citus.enable_schema_based_sharding", "off") // the tests distribute schemas themselves
	server.RawQuery = query.Encode()
	if err := os.Setenv(variable, server.String()); err != nil {
		panic(err)
	}
	servertest.Main(m)
}
