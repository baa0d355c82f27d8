package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/larder-go/larder/backends/file"
)

// command is a command of the program.
type command struct {
	paths int // the most paths that the command takes; the least is one
	do    func(paths []string, out io.Writer) error
}

var commands = map[string]command{
	"verify":  {1, verify},
	"recover": {2, recoverTo},
	"dump":    {1, dump},
	"compact": {1, compact},
}

func verify(paths []string, out io.Writer) error {
	r, err := file.Verify(paths[0])
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s is intact: %d records, %d lines, %d bytes\n", printable(paths[0]), r.Records, r.Lines, r.Size)
	if r.Torn > 0 {
		text += fmt.Sprintf("its last %d bytes were left by a crash, are being written, or are damaged; opening the file discards them\n", r.Torn)
	}
	_, err = io.WriteString(out, text)
	return err
}

func recoverTo(paths []string, out io.Writer) error {
	from, to := paths[0], paths[0]+".recovered"
	if len(paths) > 1 {
		to = paths[1]
	}
	r, err := file.Recover(from, to)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already; choose another path, because recover overwrites no file", to)
	}
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, lost := range r.Lost {
		fmt.Fprintf(&text, "lost %s\n", printable(lost.String()))
	}
	for _, mended := range r.Mended {
		fmt.Fprintf(&text, "changed %s\n", printable(mended))
	}
	whole := text.Len() == 0
	if whole {
		text.WriteString("nothing was lost\n")
	}
	if _, err := fmt.Fprintf(out, "%s%d records are in %s\n", text.String(), r.Records, printable(to)); err != nil || whole {
		return err
	}
	return fmt.Errorf("not all of %s could be read", from)
}

func dump(paths []string, out io.Writer) error { return file.Dump(paths[0], out) }

func compact(paths []string, out io.Writer) error {
	// An interrupted compaction removes its unfinished file. The unfinished file of an interrupted recover is removed by the
	// next recover to the same path.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	before, err := os.Stat(paths[0])
	if err != nil {
		return err
	}
	if err := file.Compact(ctx, paths[0], nil); err != nil {
		return err
	}
	after, err := os.Stat(paths[0])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s had %d bytes and has %d\n", printable(paths[0]), before.Size(), after.Size())
	return err
}
