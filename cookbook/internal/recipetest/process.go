package recipetest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// binary is the path of the program, built once for all tests of a package.
var binary string

// Main builds the program in the current folder, runs the tests, and exits.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "recipe")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	here, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, filepath.Base(here))
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Binary is the path of the program that Main built.
func Binary() string { return binary }

// Process is a program that serves.
type Process struct {
	// Base is its URL, such as http://127.0.0.1:41234.
	Base string
	// Printed is what it wrote to the standard output until it served.
	Printed string

	cmd      *exec.Cmd
	messages output
	drained  chan struct{}
}

// Start runs the program on a free port until the test ends. It has to end
// cleanly then.
func Start(t *testing.T, args ...string) *Process {
	t.Helper()
	p := start(t, "", args)
	t.Cleanup(func() { p.Stop(t) })
	return p
}

func start(t *testing.T, dir string, args []string) *Process {
	t.Helper()
	p := &Process{drained: make(chan struct{})}
	// The test's own context ends before its clean-up, which is to end the program.
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	p.cmd.Dir, p.cmd.Stderr = dir, &p.messages
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for p.Base == "" && lines.Scan() {
		p.Printed += lines.Text() + "\n"
		p.Base, _ = strings.CutPrefix(lines.Text(), "serving on ")
		if !strings.HasPrefix(lines.Text(), "serving on ") {
			p.Base = ""
		}
	}
	go func() {
		defer close(p.drained)
		_, _ = io.Copy(io.Discard, stdout) // so that the program never waits for its reader
	}()
	if p.Base == "" {
		<-p.drained
		t.Fatalf("the program did not serve: %v: %s", p.cmd.Wait(), p.messages.String())
	}
	return p
}

// Stop ends the program as an interrupt does, which has to be a clean end.
// Stopping twice does nothing.
func (p *Process) Stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	<-p.drained
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v: %s", err, p.messages.String())
	}
}

// Messages is what the program wrote to the standard error so far; all of it once
// it is stopped.
func (p *Process) Messages() string { return p.messages.String() }

// Fail runs the program, which is to end by itself, and returns its exit code and
// what it said on the standard error.
func Fail(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// output is written by the program and read by the test.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
