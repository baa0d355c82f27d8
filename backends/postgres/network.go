package postgres

import (
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// isNetwork reports whether the error is one of a connection that broke.
func isNetwork(err error) bool {
	for _, broken := range []error{
		io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, pgconn.ErrConnClosed,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED, puddle.ErrClosedPool,
	} {
		if errors.Is(err, broken) {
			return true
		}
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}
