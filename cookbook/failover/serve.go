package main

// This file is the same in every recipe that serves: the listener, and checks for a supervisor.

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

var addr = flag.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 selects a free port")

// serve listens on -addr, calls each announce with the base URL, prints the URL, and serves until ctx ends. The paths
// /healthz and /readyz belong to rest.WithHealth, all others to handler.
func serve(ctx context.Context, store *core.Store, handler http.Handler, announce ...func(base string) error) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", *addr, cmp.Or(errors.Unwrap(err), err))
	}
	base := "http://" + listener.Addr().String()
	announce = append(announce, func(string) error {
		_, err := fmt.Println("serving on", base)
		return err
	})
	for _, a := range announce {
		if err := a(base); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	return rest.Serve(ctx, listener, rest.WithHealth(store, handler))
}
