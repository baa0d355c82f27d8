package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Bounds of the server that [Serve] runs.
const (
	headerTime   = 10 * time.Second
	requestTime  = time.Minute
	exchangeTime = 2 * time.Minute
	idleTime     = 2 * time.Minute
	shutdownTime = 30 * time.Second
	maxHeaders   = 64 << 10
)

// Serve serves h on ln until ctx ends, and then shuts down gracefully: it
// accepts nothing new, and requests that are under way have 30 seconds to
// finish. It returns nil after such an end, an error that wraps
// [context.DeadlineExceeded] if requests had to be cut off, and the error of the
// listener if that failed before. It closes ln.
//
// A client has 10 seconds to send its headers, of at most 64 KiB, a minute to
// send its whole request, and 2 minutes for the exchange, so a handler's
// [Options.Timeout] has to be shorter; a connection without requests is closed
// after 2 minutes. Requests have the values of ctx in their context and not its
// end.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      exchangeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaders,
		BaseContext:       func(net.Listener) context.Context { return base },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	select {
	case err := <-failed:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	return shutDown(base, server)
}

func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("rest: requests still ran %s after the shutdown began, and their connections were closed: %w", shutdownTime, err), server.Close())
	}
	return nil
}
