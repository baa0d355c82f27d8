package main

// This file is the same in every recipe that serves: the listener, and checks for a supervisor.

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

var addr = flag.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 selects a free port")

// serve listens on -addr, calls each announce with the base URL, prints the URL, and serves until ctx ends. The paths
// /healthz and /readyz belong to monitored, all others to handler.
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
	return rest.Serve(ctx, listener, monitored(store, handler))
}

// pingTimeout is how long the storage may take to answer a check of readiness.
const pingTimeout = 2 * time.Second

// monitored answers /healthz with 200 while the process serves, and /readyz with 200 if the store answers a Ping, otherwise
// with 503. The handler next gets the requests of every other path. The reason of a 503 is not shown, because the error holds
// the address of a server.
func monitored(store *core.Store, next http.Handler) http.Handler {
	alive := only(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { report(w, http.StatusOK, "ok\n") }), "GET", "HEAD")
	ready := only(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
		defer cancel()
		if err := store.Ping(ctx); err != nil {
			report(w, http.StatusServiceUnavailable, "the storage does not answer\n")
			return
		}
		report(w, http.StatusOK, "ok\n")
	}), "GET", "HEAD")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path { // not a ServeMux, which redirects paths that it cleans
		case "/healthz":
			alive.ServeHTTP(w, r)
		case "/readyz":
			ready.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func report(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may have left
}

// only answers requests with another method with 405 and an Allow header. http.ServeMux does so for a pattern with a method,
// but not beside a handler of "/", which gets the other methods.
func only(handler http.Handler, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(methods, r.Method) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
