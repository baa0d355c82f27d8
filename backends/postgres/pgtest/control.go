package pgtest

import (
	"context"
	"errors"
)

// Shutdown is a way to end a server (manual, section 19.5).
type Shutdown string

// The ways.
const (
	// Fast ends all sessions and writes everything to disk.
	Fast Shutdown = "INT"
	// Immediate ends all sessions and writes nothing: the next start recovers.
	Immediate Shutdown = "QUIT"
	// Kill ends the server's first process by SIGKILL. The others end themselves when they
	// notice. The next start recovers.
	Kill Shutdown = "KILL"
)

// Shutdown ends the server and waits until none of its processes is left. What it stored
// stays, for [Server.Resume].
func (s *Server) Shutdown(ctx context.Context, how Shutdown) error {
	return s.guardian.order(ctx, string(how))
}

// Resume starts the server again after [Server.Shutdown], on the same socket and port, and
// waits until it answers. If that fails, nothing is left of the server.
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

// Follow makes every commit on the server wait until a standby has it, and waits until one
// follows. It comes after [Server.Standby], so that the standby, once promoted, does not
// wait for one of its own.
func (s *Server) Follow(ctx context.Context) error {
	return errors.Join(
		s.query(ctx, "ALTER SYSTEM SET synchronous_standby_names = '*'"),
		s.query(ctx, "SELECT pg_reload_conf()"),
		s.guardian.awaitReady(ctx, func(ctx context.Context) error {
			return s.query(ctx, "SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
		}),
	)
}
