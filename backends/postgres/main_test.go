package postgres_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core/engine/enginetest"
)

// TestMain draws less at random and plays fewer rounds than the suites do by
// default: they run three times here, and a server is not as fast as memory. The
// flag -rapid.checks and the environment variable LARDER_ROUNDS say otherwise.
func TestMain(m *testing.M) {
	const rounds = "LARDER_ROUNDS"
	err := os.Setenv(rounds, cmp.Or(os.Getenv(rounds), "10"))
	if err == nil {
		err = flag.Set("rapid.checks", "25") // the command line is read later
	}
	if err == nil {
		enginetest.Rounds, err = strconv.Atoi(os.Getenv(rounds))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Run()
}
