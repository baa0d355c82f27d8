package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Program is one run of a program.
type Program struct {
	// Flags to declare one's own, before Parse.
	Flags *flag.FlagSet
	// Out is the standard output, Messages the standard error.
	Out, Messages io.Writer

	args []string
	addr *string
}

// Main calls run with a context that ends with an interrupt or SIGTERM, tells its
// error in one line, and ends the process.
func Main(run func(ctx context.Context, p *Program) error) {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	p := &Program{Flags: flag.NewFlagSet(name, flag.ContinueOnError), Out: os.Stdout, Messages: os.Stderr, args: os.Args[1:]}
	p.Flags.SetOutput(p.Messages)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, p)
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, Printable(oneLine.Replace(err.Error())))
	if _, is := errors.AsType[usageError](err); is {
		os.Exit(2)
	}
	os.Exit(1)
}

// oneLine joins the lines of a list, with its heading if there is one.
var oneLine = strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ")

// usageError is what the flag package says of a command line.
type usageError struct{ error }

func (e usageError) Error() string { return e.error.Error() + "; see -help" }

// Parse reads the command line, which has flags only.
func (p *Program) Parse() error {
	p.Flags.SetOutput(io.Discard) // all flags would be explained after each mistake
	err := p.Flags.Parse(p.args)
	p.Flags.SetOutput(p.Messages)
	if errors.Is(err, flag.ErrHelp) {
		p.Flags.Usage()
		return err
	} else if err != nil {
		return usageError{err}
	}
	if p.Flags.NArg() > 0 {
		// It is not repeated: it may be a connection string in the wrong place.
		return errors.New("unexpected argument behind the flags; see -help")
	}
	return nil
}
