package policytest

import (
	"os"
	"strconv"
	"testing"
)

// setting returns the positive number that an environment variable holds, and
// otherwise if it is not set.
func setting(tb testing.TB, variable string, otherwise int) int {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s %q is no positive number", variable, text)
	}
	return n
}
