//go:build !linux

package postgres

import "syscall"

// limitUnacknowledged does nothing where only Linux has a setting. Keepalives are set.
func limitUnacknowledged(string, string, syscall.RawConn) error { return nil }
