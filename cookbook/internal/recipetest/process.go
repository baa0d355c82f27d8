package recipetest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the path of the program, built once for all tests of a package.
var binary string

// Main builds a copy of the program in the current folder, runs the tests, and exits.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "recipe")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	if binary, err = buildRecipe(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// buildRecipe returns the path of a program that is named after the recipe, as go run names it.
func buildRecipe(folder string) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	files, err := recipe()
	if err != nil {
		return "", err
	}
	copied, program := filepath.Join(folder, "copy"), filepath.Join(folder, filepath.Base(here))
	if err := os.Mkdir(copied, 0o700); err != nil {
		return "", err
	}
	return program, build(copied, program, files)
}

// Binary returns the path of the program that Main has built.
func Binary() string { return binary }

// Process is a running program that serves HTTP.
type Process struct {
	// Base is the URL of the program, such as http://127.0.0.1:41234.
	Base string
	// Printed is the standard output of the program until it served.
	Printed string

	cmd      *exec.Cmd
	messages output
	drained  chan struct{}
	killed   bool // the program has no orderly end
}

// Start runs the program on a free port until the test ends. An interrupt must end it without an error.
func Start(t *testing.T, args ...string) *Process {
	t.Helper()
	p := start(t, "", args)
	t.Cleanup(func() { p.Stop(t) })
	return p
}

func start(t *testing.T, dir string, args []string) *Process {
	t.Helper()
	p := &Process{drained: make(chan struct{})}
	// The context of the test ends before its clean-up, which ends the program.
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
		if base, serving := strings.CutPrefix(lines.Text(), "serving on "); serving {
			p.Base = base
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

// startSource builds a program that listens on 127.0.0.1:8080 and runs it on a free port.
func startSource(t *testing.T, source string) *Process {
	t.Helper()
	folder, address := t.TempDir(), freeAddress(t)
	program := filepath.Join(folder, "program")
	source = strings.ReplaceAll(source, "127.0.0.1:8080", address)
	if err := build(folder, program, map[string][]byte{"main.go": []byte(source)}); err != nil {
		t.Fatal(err)
	}
	p := &Process{Base: "http://" + address, drained: make(chan struct{}), killed: true}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program)
	p.cmd.Stdout, p.cmd.Stderr = &p.messages, &p.messages
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended error
	go func() {
		defer close(p.drained)
		ended = p.cmd.Wait()
	}()
	for {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			return p
		}
		select {
		case <-p.drained:
			t.Fatalf("the program did not serve: %v: %s", ended, p.messages.String())
		case <-time.After(10 * time.Millisecond): // between two attempts to connect
		}
	}
}

// freeAddress returns an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the program takes the address
	return l.Addr().String()
}

// Stop interrupts the program, which must then end without an error. A second call does nothing.
func (p *Process) Stop(t *testing.T) {
	t.Helper()
	if p.killed {
		_ = p.cmd.Process.Kill()
		<-p.drained
		return
	}
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	<-p.drained
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v: %s", err, p.messages.String())
	}
}

// Messages returns the standard error of the program so far, and all of it after Stop.
func (p *Process) Messages() string { return p.messages.String() }

// Fail runs the program, which must end by itself, and returns its exit code and its standard error.
func Fail(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), stderr.String()
}

// output is written by the program while the test reads it.
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
