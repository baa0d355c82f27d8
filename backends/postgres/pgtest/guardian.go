package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// guardian is a process that runs a server, and removes it when this process ends.
type guardian struct {
	cmd    *exec.Cmd
	dir    string
	stdin  io.WriteCloser // the server runs until this is closed
	stdout *os.File       // ends when the guardian ends
}

// startGuardian starts the shell script as the owner of dir, with variables and arguments for it. The script shares the
// standard error of this process: its messages appear there, and go test waits until it is closed, so that nothing
// remains afterwards.
func startGuardian(script string, o owner, dir string, variables []string, arguments ...string) (*guardian, error) {
	g := &guardian{cmd: exec.Command("/bin/sh", append([]string{"-c", script, "guardian"}, arguments...)...), dir: dir}
	g.cmd.Env = append(append(os.Environ(), variables...), "dir="+dir)
	g.cmd.Dir, g.cmd.SysProcAttr = "/", o.process()
	life, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = theirs.Close() }()
	g.stdout, g.cmd.Stdout, g.cmd.Stderr = life, theirs, os.Stderr
	if g.stdin, err = g.cmd.StdinPipe(); err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, life.Close(), os.RemoveAll(dir))
	}
	return g, nil
}

// awaitReady calls the function ready until it succeeds. If the guardian ends or the context expires, it stops the
// server and returns an error with its log.
func (g *guardian) awaitReady(ctx context.Context, ready func(context.Context) error) error {
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || g.ended(10*time.Millisecond) {
			log := g.log(0)
			return errors.Join(fmt.Errorf("%s: no answer: %w\n%s", g.cmd.Path, err, log), g.stop())
		}
	}
}

// ended waits for the guardian to end, at most for the given time, and reports whether it has.
func (g *guardian) ended(wait time.Duration) bool {
	_ = g.stdout.SetReadDeadline(time.Now().Add(wait))
	_, err := g.stdout.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// order sends a command to the guardian and waits until it has been executed.
func (g *guardian) order(ctx context.Context, what string) error {
	_, err := io.WriteString(g.stdin, what+"\n")
	if err != nil {
		return err
	}
	until, _ := ctx.Deadline() // the zero time means no deadline here too
	if err := g.stdout.SetReadDeadline(until); err != nil {
		return err
	}
	answer := make([]byte, len("done\n"))
	if _, err := io.ReadFull(g.stdout, answer); err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, g.log(0))
	}
	return nil
}

// stop stops the server and waits until everything is removed.
func (g *guardian) stop() error {
	return errors.Join(g.stdin.Close(), g.cmd.Wait(), g.stdout.Close(), os.RemoveAll(g.dir))
}

// log returns the server's log from a byte offset.
func (g *guardian) log(from int) string {
	text, err := os.ReadFile(filepath.Join(g.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[min(from, len(text)):])
}
