package pgtest

import (
	"context"
	"errors"
)

// Shutdown is a way to stop a server (manual, section 19.5).
type Shutdown string

// The ways to stop a server.
const (
	// Fast ends all sessions and writes all data to disk.
	Fast Shutdown = "INT"
	// Immediate ends all sessions without writing data: the next start performs recovery.
	Immediate Shutdown = "QUIT"
	// Kill stops the main process of the server with SIGKILL. The other processes end when they notice. The next start
	// performs recovery.
	Kill Shutdown = "KILL"
)

// Shutdown stops the server and waits until all its processes have ended. Its data remains, for [Server.Resume].
func (s *Server) Shutdown(ctx context.Context, how Shutdown) error {
	return s.guardian.order(ctx, string(how))
}

// Resume starts the server again after [Server.Shutdown], on the same socket and port, and waits until it answers. If
// that fails, the server and its data are removed.
func (s *Server) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.guardian.order(ctx, "start"); err != nil {
		return err
	}
	return s.guardian.awaitReady(ctx, s.ping)
}

// Promote makes a standby a primary (manual, section 27.3), and waits until it is one.
func (s *Server) Promote(ctx context.Context) error {
	return s.query(ctx, "SELECT pg_promote()")
}

// Follow makes every commit on the server wait for a standby, and waits until a standby follows. Call it after
// [Server.Standby]: a promoted standby then does not wait for a standby of its own.
func (s *Server) Follow(ctx context.Context) error {
	return errors.Join(
		s.query(ctx, "ALTER SYSTEM SET synchronous_standby_names = '*'"),
		s.query(ctx, "SELECT pg_reload_conf()"),
		s.guardian.awaitReady(ctx, func(ctx context.Context) error {
			return s.query(ctx, "SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
		}),
	)
}
