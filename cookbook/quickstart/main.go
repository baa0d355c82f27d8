package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // the flag package has said why
	default:
		fmt.Fprintln(os.Stderr, "quickstart:", oneLine(err))
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

// run serves until ctx ends.
func run(ctx context.Context, args []string, out, usage io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(usage)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	where := storage{messages: usage}
	flags.StringVar(&where.where, "store", "memory", "where the records are kept: `memory`, file:PATH or postgres://user:password@host:5432/database")
	flags.StringVar(&where.schema, "schema", "", "PostgreSQL `schema` to keep them in; default: the model's name")
	modelName := flags.String("model", "cookies", "the resources to serve: `cookies` or family")
	flags.StringVar(&where.data, "data", "", "JSON `file` of initial records: {\"cookie\": {\"1\": {\"type\": \"muffin\"}}}")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0))
	}
	model, err := modelOf(*modelName)
	if err != nil {
		return err
	}
	store, err := where.open(ctx, model)
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing is left to save when it fails
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", *addr, cause(err))
	}
	if err := announce(out, listener.Addr().String(), store); err != nil {
		return err
	}
	return rest.Serve(ctx, listener, handler)
}

// cause strips the network's own wording, which repeats the address.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// oneLine keeps the promise of one clear line even for lists of mistakes.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
