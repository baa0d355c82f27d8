//go:build !linux

package postgres

import "syscall"

// setUserTimeout does nothing: only Linux has TCP_USER_TIMEOUT. Keepalives are set on all systems.
func setUserTimeout(string, string, syscall.RawConn) error { return nil }
