package postgres_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain draws fewer random cases and plays fewer rounds than the suites do by default,
// because the suites run in four ways here and a server is slower than memory. The flag
// -rapid.checks or the environment variable RAPID_CHECKS, and LARDER_ROUNDS, set other numbers.
func TestMain(m *testing.M) {
	const rounds = "LARDER_ROUNDS"
	err := os.Setenv(rounds, cmp.Or(os.Getenv(rounds), "10"))
	if err == nil && os.Getenv("RAPID_CHECKS") == "" {
		err = flag.Set("rapid.checks", "25") // the command line is read later
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Run()
}
