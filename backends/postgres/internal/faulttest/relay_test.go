package faulttest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// relay is an address that can lead to different servers, like a service name or a load balancer.
type relay struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	to     string        // address of the server
	frozen chan struct{} // closed by thaw; nil while the relay is not frozen
}

// freeze holds back all further data and keeps the connections open.
func (r *relay) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen == nil {
		r.frozen = make(chan struct{})
	}
}

func (r *relay) thaw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen != nil {
		close(r.frozen)
		r.frozen = nil
	}
}

// gatedConn is a connection that holds back data while the relay is frozen.
type gatedConn struct {
	relay *relay
	conn  net.Conn
}

func (g gatedConn) Write(b []byte) (int, error) {
	g.relay.mu.Lock()
	frozen := g.relay.frozen
	g.relay.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return g.conn.Write(b)
}

// relayTo starts a relay. It ends with the test.
func relayTo(t *testing.T, s *pgtest.Server) *relay {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	servertest.Must(t, err)
	r := &relay{listener: listener, to: s.Address()}
	r.wg.Go(r.accept)
	t.Cleanup(func() {
		r.thaw()
		_ = listener.Close()
		r.wg.Wait()
	})
	return r
}

// redirect makes new connections lead to another server.
func (r *relay) redirect(s *pgtest.Server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = s.Address()
}

// url returns the connection string of a server through the relay.
func (r *relay) url(t *testing.T, s *pgtest.Server) string {
	t.Helper()
	u, err := url.Parse(s.TCP())
	servertest.Must(t, err)
	u.Host = r.listener.Addr().String()
	return u.String()
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		to := r.to
		r.mu.Unlock()
		server, err := net.Dial("tcp", to) //nolint:noctx // of this machine
		if err != nil {
			_ = client.Close()
			continue
		}
		for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
			r.wg.Go(func() {
				_, _ = io.Copy(gatedConn{r, way[1]}, way[0])
				_, _ = client.Close(), server.Close()
			})
		}
	}
}
