package program

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// AddrFlag declares -addr, where Serve listens.
func (p *Program) AddrFlag() {
	p.addr = p.Flags.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
}

// Serve listens on -addr, calls each announce with the base URL, says where it
// serves, and serves until ctx ends: /healthz and /readyz for whoever supervises the
// program, and the handler for everything else.
func (p *Program) Serve(ctx context.Context, store *core.Store, handler http.Handler, announce ...func(base string) error) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *p.addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", *p.addr, cause(err))
	}
	base := "http://" + listener.Addr().String()
	for _, a := range announce {
		if err := a(base); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	if _, err := fmt.Fprintf(p.Out, "serving on %s\n", base); err != nil {
		return errors.Join(err, listener.Close())
	}
	return rest.Serve(ctx, listener, healthy(store, handler))
}

// cause strips the network's own wording, which repeats the address.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
