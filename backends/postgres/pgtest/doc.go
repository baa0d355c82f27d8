// Package pgtest provides PostgreSQL servers for tests.
//
//	func TestSomething(t *testing.T) {
//		backend, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{})
//		...
//	}
//
// # Servers
//
// The environment variable DATABASE_URL names the server. If it is not set, the first test of the process that needs a
// server starts a private one from the installed programs: those in PATH, otherwise Debian's latest. It needs initdb and
// postgres, and pg_basebackup for standbys. To test another version, use PATH=/opt/pgsql-17/bin:$PATH go test ./... In the
// repository of this module, .ci/postgresql 17 installs the version 17 from npm, without pg_basebackup, and prints that folder.
//
// The private server listens on a Unix socket in a directory of its own. When the process ends, in whatever way, the server
// is stopped and the directory removed. If the process runs as root, the server runs as the user postgres, or as the user with the
// id 65534, because PostgreSQL does not run as root. Private servers need a Unix system; on other systems set DATABASE_URL.
//
// Each test uses schemas of its own, from [Schema]. Tests that stop, kill or promote servers start their own with [Own] and
// [Server.Standby]. [Bouncer] starts a PgBouncer in front of the shared server, [Server.Bouncer] in front of a test's own.
//
// With the build tag ha, on Linux, StartPatroni starts three servers under Patroni, with etcd. The tests of make soak-ha use it.
//
// # Settings
//
// The private server trades durability for speed (fsync is off, manual section 30.5) and detects deadlocks after 20 ms. Its
// text sorts by a language and its time zone is unusual, so that tests that rely on either fail. The output of a failed test
// contains the server's log.
//
// # Cost
//
// The result of initdb remains in the directory for temporary files, so that every start but the first takes about a tenth
// of a second.
package pgtest
