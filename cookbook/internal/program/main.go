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
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // the flag package has said why
	default:
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, oneLine.Replace(err.Error()))
		os.Exit(1)
	}
}

// oneLine joins the lines of a list, with its heading if there is one.
var oneLine = strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ")

var errUsage = errors.New("usage")

// Parse reads the command line, which has flags only.
func (p *Program) Parse() error {
	if err := p.Flags.Parse(p.args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	if p.Flags.NArg() > 0 {
		// It is not repeated: it may be a connection string in the wrong place.
		return errors.New("unexpected argument behind the flags; see -help")
	}
	return nil
}
