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

// Server is a private PostgreSQL server. Its methods must not be called concurrently.
type Server struct {
	guardian *guardian
	url      string

	port, password string   // of a server of [Own]
	settings       []string // of a server of [Own], for its standbys
}

//go:embed guardian.sh
var guardianScript string

// startTimeout is how long a server may take to start on a busy machine.
const startTimeout = time.Minute

// Start starts a private server, even if DATABASE_URL is set. The settings, in the form name=value (manual, section
// 20.1.4), override those of all private servers. The server is stopped when the process ends, if not before.
//
// Errors: if the server programs are missing, an error that names the package to install; if the server does not start,
// an error with its log.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	return start(ctx, "", port, settings)
}

// start starts a server; a standby of the primary unless that is empty.
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

// URL returns the connection string of the server's superuser, by its Unix socket.
func (s *Server) URL() string { return s.url }

// Stop stops the server and removes its data.
func (s *Server) Stop() error { return s.guardian.stop() }

// Log returns the server's log from a byte offset.
func (s *Server) Log(from int) string { return s.guardian.log(from) }

func (s *Server) ping(ctx context.Context) error { return ping(ctx, s.url) }

// port is the port in the name of the socket.
const port = "5432"

// socketURL returns the connection string for the socket of a port in dir.
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

// templatePath returns the path of the template of data directories for this version.
func templatePath(ctx context.Context, bin string, o owner) (string, error) {
	version, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s/postgres --version: %w", bin, err)
	}
	sum := sha256.Sum256([]byte(bin + string(version) + guardianScript))
	return filepath.Join(os.TempDir(), fmt.Sprintf("pgtest-template-%d-%x", o.uid, sum[:8])), nil
}
