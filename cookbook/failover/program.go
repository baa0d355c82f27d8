package main

// This file is the same in every recipe: flags, signals, and errors in one line.

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// main parses the flags and calls run. An interrupt or SIGTERM ends the context of run. The exit code is 2 after a flag that
// does not parse, and 1 after any other error.
func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	flag.CommandLine.Init(name, flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard) // a mistake is one line, without the list of all flags
	switch err := flag.CommandLine.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		flag.CommandLine.SetOutput(os.Stderr)
		flag.Usage()
		return
	case err != nil:
		fail(2, fmt.Errorf("%w; see -help", err))
	case flag.NArg() > 0: // not printed: the argument may be a connection string in the wrong place
		fail(1, errors.New("unexpected argument behind the flags; see -help"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fail(1, err)
	}
}

// fail prints an error in one line and ends the program.
func fail(code int, err error) {
	text := strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ").Replace(err.Error())
	fmt.Fprintf(os.Stderr, "%s: %s\n", flag.CommandLine.Name(), printable(text))
	os.Exit(code)
}

// printable escapes every character of a text that is not graphic, such as control characters, changes of direction, line
// ends and invalid UTF-8. Names, paths and values may hold such characters, and a terminal would obey them.
func printable(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(quoted[1 : len(quoted)-1])
}
