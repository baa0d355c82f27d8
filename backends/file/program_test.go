package file_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// role is the variable that makes the test binary a program that something is done
// to: the name of one.
const role = "LARDER_TEST_ROLE"

// programs are what the test binary can be, with the path that it works on.
var programs = map[string]func(path string) error{
	"write-forever": writeForever,
}

// soakFactor is how many times as much is tried: 25 makes 500 kills.
func soakFactor() int {
	if n, err := strconv.Atoi(os.Getenv("LARDER_SOAK")); err == nil && n > 0 {
		return n
	}
	return 1
}

func TestMain(m *testing.M) {
	if run := programs[os.Getenv(role)]; run != nil {
		if err := run(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program is a run of the test binary as one of the programs; launcher, if there is
// one, is what starts it.
func program(t *testing.T, name, path string, launcher ...string) *exec.Cmd {
	t.Helper()
	args := append(launcher, os.Args[0], path)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	// The race detector would wait a second before the program ends.
	cmd.Env = append(os.Environ(), role+"="+name, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	return cmd
}
