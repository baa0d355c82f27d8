package rest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener accepts connections in memory, so that synctest can fake the time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error {
	close(p.closed)
	return nil
}

func (p *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func TestShutdownClosesRequestsThatDoNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &pipeListener{make(chan net.Conn, 1), make(chan struct{})}
		client, server := net.Pipe()
		ln.conns <- server
		entered := make(chan struct{})
		ended := make(chan error, 1)
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			ended <- r.Context().Err()
		})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- Serve(ctx, ln, h) }()
		if _, err := client.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		<-entered
		stop()
		if err := <-stopped; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if err := <-ended; err == nil {
			t.Error("the context of the request has not ended")
		}
		_ = client.Close()
	})
}

func TestHTTP2ConnectionThatStopsInItsHeadersIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &pipeListener{make(chan net.Conn, 1), make(chan struct{})}
		client, server := net.Pipe()
		ln.conns <- server
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- Serve(ctx, ln, http.NotFoundHandler()) }()
		start, closed := time.Now(), make(chan time.Duration, 1)
		go func() {
			_, _ = io.Copy(io.Discard, client)
			closed <- time.Since(start)
		}()
		// The preface, empty SETTINGS, and HEADERS of stream 1 without END_HEADERS (RFC 9113, sections 3.4 and 6).
		frames := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" + "\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"
		if _, err := io.WriteString(client, frames); err != nil {
			t.Fatal(err)
		}
		if took := <-closed; took < idleTime || took > idleTime+10*time.Second {
			t.Errorf("closed after %s, want %s", took, idleTime)
		}
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}
