package pgtest

import (
	"context"
	"crypto/sha256"
	_ "embed" // guardian.sh
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Server is a private PostgreSQL server. Its methods are not for several goroutines
// at once.
type Server struct {
	guardian *guardian
	url      string

	port, password string   // of a server of a test's own
	settings       []string // of such a one, for its standbys
}

//go:embed guardian.sh
var guardianScript string

// patience is how long a server may take to start, on a machine that does other
// things as well.
const startTimeout = time.Minute

// Start starts a private server, whatever DATABASE_URL says, with settings on top of
// those of all private servers, each spelled name=value (manual, section 20.1.4). It is
// stopped at the latest when the process ends.
//
// Errors: one that names the package to install if the binaries are missing; one
// with the server's log if it does not start.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	return start(ctx, "", port, settings)
}

// start starts a server that is a standby of the one that a connection string leads to,
// unless that is empty.
func start(ctx context.Context, primary, port string, settings []string) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	bin, err := serverBinaries(debian)
	if err != nil {
		return nil, err
	}
	o, err := serverOwner()
	if err != nil {
		return nil, err
	}
	template, err := templatePath(ctx, bin, o)
	if err != nil {
		return nil, err
	}
	dir, err := o.directory()
	if err != nil {
		return nil, err
	}
	arguments := []string{"-p", port}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	g, err := startGuardian(guardianScript, o, dir, []string{"bin=" + bin, "template=" + template, "primary=" + primary}, arguments...)
	if err != nil {
		return nil, err
	}
	s := &Server{guardian: g, url: socketURL(dir, port)}
	if err := g.awaitReady(ctx, s.ping); err != nil {
		return nil, err
	}
	return s, nil
}

// URL returns the connection string of the server's superuser.
func (s *Server) URL() string { return s.url }

// Stop ends the server and removes all that it stored.
func (s *Server) Stop() error { return s.guardian.stop() }

// Log returns what the server has logged from that byte on.
func (s *Server) Log(from int) string { return s.guardian.log(from) }

func (s *Server) ping(ctx context.Context) error { return ping(ctx, s.url) }

// port is the name of the socket in its directory.
const port = "5432"

// socketURL returns the connection string for the socket of that port in dir.
func socketURL(dir, port string) string {
	query := url.Values{"host": {dir}, "port": {port}, "sslmode": {"disable"}}
	return "postgres://postgres@/postgres?" + query.Encode()
}

func ping(ctx context.Context, url string) error {
	c, err := pgconn.Connect(ctx, url)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// templatePath returns where the pristine cluster of this version is kept.
func templatePath(ctx context.Context, bin string, o owner) (string, error) {
	version, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s/postgres --version: %w", bin, err)
	}
	sum := sha256.Sum256([]byte(bin + string(version) + guardianScript))
	return filepath.Join(os.TempDir(), fmt.Sprintf("pgtest-template-%d-%x", o.uid, sum[:8])), nil
}
