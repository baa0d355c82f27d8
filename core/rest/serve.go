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

// Serve serves h on ln until ctx ends, and then shuts down: it accepts no further connections, and gives running
// requests 30 seconds to finish. It closes ln before it returns.
//
// A client has 10 seconds to send its headers, of at most 64 KiB, one minute to send its whole request, and 2 minutes
// for request and answer together, so [Options.Timeout] should be shorter than 2 minutes. A connection without requests
// is closed after 2 minutes; with HTTP/2, that is also the time for headers. The context of a request has the values of
// ctx; it does not end with ctx, but when Serve returns.
//
// Serve speaks HTTP/1.1, and HTTP/2 to clients and proxies that begin with it (prior knowledge, RFC 9113, section 3.3). For
// TLS, ln is a TLS listener; HTTP/2 needs its name in NextProtos:
//
//	ln = tls.NewListener(ln, &tls.Config{Certificates: certificates, NextProtos: []string{"h2", "http/1.1"}})
//
// Serve returns nil after a complete shutdown. Otherwise its error is that of the listener, or wraps
// [context.DeadlineExceeded] if requests had not finished and their connections were closed.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      exchangeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaders,
		BaseContext:       func(net.Listener) context.Context { return base },
		Protocols:         protocols(),
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

// protocols returns the protocols of the server: HTTP/1.1, and HTTP/2 with and without TLS.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// shutDown waits for running requests, and closes their connections after shutdownTime.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		err = fmt.Errorf("rest: requests still ran %s after the shutdown began, and their connections were closed: %w", shutdownTime, err)
		return errors.Join(err, server.Close())
	}
	return nil
}
