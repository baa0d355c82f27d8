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

// guardian is a process that runs a server and cleans up behind it when we are
// gone.
type guardian struct {
	cmd    *exec.Cmd
	dir    string
	stdin  io.WriteCloser // the server lives while this is open
	stdout *os.File       // ends when the guardian does
}

// guard starts the shell script as the owner of dir, with variables and arguments
// for it. It shares our standard error, for what it may have to complain about, and because
// go test waits for all who hold that: when it returns, nothing is left.
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

// await calls ready until it succeeds.
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

// gone waits for the guardian to end, but not longer than that.
func (g *guardian) ended(wait time.Duration) bool {
	_ = g.stdout.SetReadDeadline(time.Now().Add(wait))
	_, err := g.stdout.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// order tells the guardian to do something, and waits until that is done.
func (g *guardian) order(ctx context.Context, what string) error {
	_, err := io.WriteString(g.stdin, what+"\n")
	if err != nil {
		return err
	}
	until, _ := ctx.Deadline() // none is no deadline here either
	if err := g.stdout.SetReadDeadline(until); err != nil {
		return err
	}
	answer := make([]byte, len("done\n"))
	if _, err := io.ReadFull(g.stdout, answer); err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, g.log(0))
	}
	return nil
}

// stop ends the server and waits until nothing of it is left.
func (g *guardian) stop() error {
	return errors.Join(g.stdin.Close(), g.cmd.Wait(), g.stdout.Close(), os.RemoveAll(g.dir))
}

// log returns what the server has logged from that byte on.
func (g *guardian) log(from int) string {
	text, err := os.ReadFile(filepath.Join(g.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[min(from, len(text)):])
}
