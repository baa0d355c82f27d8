//go:build !linux

package postgres

import "syscall"

// setUserTimeout does nothing where only Linux has a setting. Keepalives are set.
func setUserTimeout(string, string, syscall.RawConn) error { return nil }
