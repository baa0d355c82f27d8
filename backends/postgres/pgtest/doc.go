// Package pgtest gives tests a real PostgreSQL server.
//
//	func TestSomething(t *testing.T) {
//		backend, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{})
//		...
//	}
//
// The server is the one that the environment variable DATABASE_URL names. If that
// is not set, it is a private one, made of the binaries on the machine when the
// first test of the process asks for it: it listens on a unix socket in a
// directory of its own, and when the process ends, by whatever means, it is
// stopped and the directory removed. Run by root, it belongs to the user postgres,
// or nobody, because PostgreSQL refuses to run as root. It needs a Unix system; on
// others, tests take the server of DATABASE_URL. All that stays is the
// result of initdb, in the directory for temporary files, which makes every start
// but the first a matter of a tenth of a second.
//
// The private server trades durability for speed (fsync is off, manual section
// 30.5) and looks for deadlocks almost without delay. It sorts text by the rules of
// a language and has an odd time zone, so that a test fails which relies on
// either. Its log is part of the output of each test that fails.
//
// The binaries are those in PATH, otherwise Debian's latest, so that another version is
// tried by PATH=/opt/pgsql-18/bin:$PATH go test ./...; it takes initdb and postgres, and
// pg_basebackup for standbys. The project's tests were run with 15 and 18.
//
// Tests keep out of each other's way by [Schema]. Tests that stop, kill or
// promote servers start their own with [Own] and [Server.Standby]. [Bouncer] stands a
// PgBouncer in front of the server, [Server.Bouncer] in front of a test's own.
package pgtest
