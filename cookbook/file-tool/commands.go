package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

// command is what the program can do, with one path or more.
type command struct {
	paths int // at most
	do    func(ctx context.Context, paths []string, out io.Writer) error
}

var commands = map[string]command{
	"verify":  {1, verify},
	"recover": {2, recoverTo},
	"dump":    {1, dump},
	"compact": {1, compact},
}

func verify(_ context.Context, paths []string, out io.Writer) error {
	r, err := file.Verify(paths[0])
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s is intact: %d records, %d lines, %d bytes\n", paths[0], r.Records, r.Lines, r.Size)
	if r.Torn > 0 {
		text += fmt.Sprintf("its last %d bytes were left by a crash, or are being written; opening it cuts them off\n", r.Torn)
	}
	_, err = io.WriteString(out, text)
	return err
}

func recoverTo(_ context.Context, paths []string, out io.Writer) error {
	from, to := paths[0], paths[0]+".recovered"
	if len(paths) > 1 {
		to = paths[1]
	}
	r, err := file.Recover(from, to)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already; nothing is overwritten", to)
	}
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, lost := range r.Lost {
		fmt.Fprintf(&text, "lost %s\n", lost)
	}
	for _, mended := range r.Mended {
		fmt.Fprintf(&text, "changed %s\n", mended)
	}
	if text.Len() == 0 {
		text.WriteString("nothing was lost\n")
	}
	_, err = fmt.Fprintf(out, "%s%d records are in %s\n", text.String(), r.Records, to)
	return err
}

func dump(_ context.Context, paths []string, out io.Writer) error { return file.Dump(paths[0], out) }

func compact(ctx context.Context, paths []string, out io.Writer) error {
	before, err := os.Stat(paths[0])
	if err != nil {
		return err
	}
	model, err := file.Model(paths[0])
	if err != nil {
		return err
	}
	backend := file.Open(paths[0], file.Options{CompactRatio: -1})
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return err
	}
	if err := errors.Join(backend.Compact(ctx), store.Close()); err != nil {
		return err
	}
	after, err := os.Stat(paths[0])
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s had %d bytes and has %d\n", paths[0], before.Size(), after.Size())
	return err
}
