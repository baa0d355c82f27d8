//go:build !unix

package pgtest

import (
	"errors"
	"syscall"
)

var errNoOwner = errors.New("private PostgreSQL servers need a Unix system; set DATABASE_URL to the URL of a server")

func serverOwner() (owner, error) { return owner{}, errNoOwner }

func (o owner) process() *syscall.SysProcAttr { return nil }
