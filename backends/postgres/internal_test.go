package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestServerErrorCodes(t *testing.T) {
	b := &binding{Backend: &Backend{schema: "s"}}
	for _, c := range []struct {
		err      error
		code     core.Code
		conflict bool
	}{
		{&pgconn.PgError{Code: "40001"}, core.Unavailable, true},
		{&pgconn.PgError{Code: "40P01"}, core.Unavailable, true},
		{&pgconn.PgError{Code: "0A000", Routine: "RevalidateCachedQuery"}, core.Unavailable, true},
		{&pgconn.PgError{Code: "0A000"}, core.ServerError, false},
		{&pgconn.PgError{Code: "0A000", Routine: "GetSerializableTransactionSnapshot"}, core.Unavailable, false}, // a standby
		{&pgconn.PgError{Code: "55000", Routine: "pg_current_wal_lsn"}, core.Unavailable, false},                 // a standby
		{&pgconn.PgError{Code: "53100"}, core.Unavailable, false},                                                // disk full
		{&pgconn.PgError{Code: "53300"}, core.Unavailable, false},                                                // too many connections
		{&pgconn.PgError{Code: "57P01"}, core.Unavailable, false},                                                // shut down by an administrator
		{&pgconn.PgError{Code: "57P03"}, core.Unavailable, false},                                                // starting up
		{&readError{&pgconn.PgError{Code: "57014", Message: "canceling statement due to statement timeout"}}, core.QueryTooExpensive, false},
		{&pgconn.PgError{Code: "57014", Message: "canceling statement due to statement timeout"}, core.Unavailable, false}, // of a write
		{&pgconn.PgError{Code: "57014", Message: "canceling statement due to user request"}, core.Unavailable, false},      // by an administrator
		{&pgconn.PgError{Code: "25006"}, core.Unavailable, false},                                                          // a standby
		{&pgconn.PgError{Code: "08P01"}, core.Unavailable, false},                                                          // of PgBouncer
		{&pgconn.PgError{Code: "58030"}, core.Unavailable, false},                                                          // input and output
		{&pgconn.PgError{Code: "42601"}, core.ServerError, false},                                                          // our SQL
		{&pgconn.PgError{Code: "42501"}, core.Forbidden, false},                                                            // our privileges
		{&pgconn.PgError{Code: "XX000"}, core.ServerError, false},
		{io.ErrUnexpectedEOF, core.Unavailable, false},
		{errors.New("anything else"), core.ServerError, false},
	} {
		err := core.AsError(b.statementError(context.Background(), nil, fmt.Errorf("wrapped: %w", c.err)))
		if err.Code != c.code || errors.Is(err, core.ErrConflict) != c.conflict || !errors.Is(err, c.err) {
			t.Errorf("%v: got %v, want %s, conflict %v", c.err, err, c.code, c.conflict)
		}
	}
}

func TestOutcomeIsKnownIfServerRejected(t *testing.T) {
	for _, c := range []struct {
		err     error
		unknown bool
	}{
		{&pgconn.PgError{Code: "23505", SeverityUnlocalized: "ERROR"}, false},
		{&pgconn.PgError{Code: "57P01", SeverityUnlocalized: "FATAL"}, true},
		{&pgconn.PgError{Code: "25P03", SeverityUnlocalized: "FATAL"}, false}, // idle in transaction
		{io.ErrUnexpectedEOF, true},
		{fmt.Errorf("failed to deallocate cached statement(s): %w", io.ErrUnexpectedEOF), false},
		{pgconn.ErrConnClosed, true},
		{context.DeadlineExceeded, true},
	} {
		if got := isOutcomeUnknown(fmt.Errorf("wrapped: %w", c.err)); got != c.unknown {
			t.Errorf("%v: unknown %v", c.err, got)
		}
	}
}

func TestErrorWithoutSQLSTATEIsNoValueError(t *testing.T) {
	for code, want := range map[string]bool{"": false, "2": false, "22": true, "22003": true, "23505": false} {
		if got := isValueError(&pgconn.PgError{Code: code}); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}

func TestPrefixEnd(t *testing.T) {
	for _, c := range []struct {
		prefix, end string
		bounded     bool
	}{
		{"", "", false},
		{"a", "b", true},
		{"a%", "a&", true},
		{"a\U0010FFFF", "b", true},
		{"\U0010FFFF", "", false},
		{"a\uD7FF", "a\uE000", true},
		{"a\u007f", "a\u0080", true},
	} {
		if end, bounded := prefixEnd(c.prefix); end != c.end || bounded != c.bounded {
			t.Errorf("%q: got %q %v", c.prefix, end, bounded)
		}
	}
}

func TestParseDetailOfForeignKey(t *testing.T) {
	single, pair := &foreignKey{columns: "parent", targetColumns: "name"}, &foreignKey{columns: "a, b", targetColumns: "order, nr"}
	for _, c := range []struct {
		key                     *foreignKey
		detail, columns, values string
		ok                      bool
	}{
		{single, `Key (parent)=(a) is not present in table "parent".`, "parent", "a", true},
		{single, `Key (parent)=(a) (b)) is not present in table "parent".`, "parent", "a) (b)", true},
		{single, `Key (parent)=(parent)) is not present in table "parent".`, "parent", "parent)", true},
		{single, `Clé (parent)=(a) n'est pas présente dans la table « parent ».`, "parent", "a", true},
		{single, `Key (name)=(a) is still referenced from table "child".`, "name", "a", true},
		{single, `Key (name)=(parent) is still referenced from table "child".`, "name", "parent", true},
		{single, `Key (other)=(a) is not present in table "parent".`, "", "", false},
		{single, ``, "", "", false},
		{pair, `Key (a, b)=(1, x) is not present in table "parent".`, "a, b", "1, x", true},
		{pair, `Key (order, nr)=(1, x) is still referenced from table "child".`, "order, nr", "1, x", true},
		{pair, `Key (a)=(1) is not present in table "parent".`, "", "", false},
	} {
		columns, values, ok := c.key.parseDetail(c.detail, "child", "parent")
		if columns != c.columns || values != c.values || ok != c.ok {
			t.Errorf("%s: got %q %q %v", c.detail, columns, values, ok)
		}
	}
}

func TestComputedColumnMayFailToRead(t *testing.T) {
	for _, c := range []struct {
		relkind, attgenerated string
		want                  bool
	}{
		{"r", "", false},
		{"r", "s", false},
		{"r", "v", true},
		{"p", "", false},
		{"p", "v", true},
		{"m", "", false},
		{"v", "", true},
		{"f", "", true},
		{"f", "s", true},
	} {
		if got := mayFailToRead(c.relkind, c.attgenerated); got != c.want {
			t.Errorf("relkind %q, attgenerated %q: %v", c.relkind, c.attgenerated, got)
		}
	}
}

// silentServer is a server that does not answer.
type silentServer struct{}

func (silentServer) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("mute")
}

func TestUnknownPositionKeepsReadersFromReplicas(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var h writePosition
	if !h.resolve(t.Context(), silentServer{}) {
		t.Error("no position is unknown, but the primary was queried")
	}
	h.noteUnknown()
	h.noteUnknown()
	if h.resolve(t.Context(), silentServer{}) {
		t.Error("resolved without an answer")
	}
	if !h.resolve(t.Context(), conn) || h.position.Load() == nil {
		t.Error("not resolved")
	}
	if !h.resolve(t.Context(), silentServer{}) {
		t.Error("the primary was queried twice")
	}
	h.noteUnknown()
	if h.resolve(t.Context(), silentServer{}) {
		t.Error("resolved although another position is unknown")
	}
}

func TestWritePositionNeverGoesBack(t *testing.T) {
	t.Parallel()
	var h writePosition
	for _, c := range []struct{ reached, want logPosition }{
		{logPosition{1, 10}, logPosition{1, 10}},
		{logPosition{1, 5}, logPosition{1, 10}},
		{logPosition{1, 20}, logPosition{1, 20}},
		{logPosition{2, 15}, logPosition{2, 15}}, // the promoted standby lacked some of the log
		{logPosition{1, 99}, logPosition{2, 15}},
		{logPosition{2, 16}, logPosition{2, 16}},
	} {
		if h.advance(c.reached); *h.position.Load() != c.want {
			t.Errorf("after %v: %v, want %v", c.reached, *h.position.Load(), c.want)
		}
	}
	for replayed, behind := range map[logPosition]bool{{2, 16}: false, {2, 15}: true, {1, 99}: true, {3, 99}: true, {0, 99}: true} {
		if got := replayed.behind(*h.position.Load()); got != behind {
			t.Errorf("%v behind: %v", replayed, got)
		}
	}
}

// classifierSeeds has spellings of each type, from which variants are made.
var classifierSeeds = map[string][]string{
	"numeric":   {"0", "-12.50", "NaN", "Infinity", "-Infinity", "1e5", "0x1f", "1_000", ".5", "5.", "-0", "00"},
	"bpchar":    {"", "a", "a ", " a", "ü"},
	"name":      {"a", "", strings.Repeat("x", 63), strings.Repeat("ü", 32)},
	"date":      {"2026-11-23", "0001-01-01", "2024-02-29", "2023-02-29", "9999-12-31", "0044-03-15 BC", "infinity", "0000-01-01", "today"},
	"timestamp": {"2026-11-23 10:00:00", "2026-11-23 10:00:00.123456", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "2026-11-23 10:00:60", "epoch"},
	"time":      {"10:00:00", "00:00:00", "23:59:59.999999", "24:00:00", "9:00:00", "10:00", "10:00:60"},
	"inet":      {"10.0.0.1", "10.0.0.0/8", "10.0.0.1/8", "::1", "fe80::1/64", "::ffff:1.2.3.4", "::ffff:1.2.3.4/96", "10.1", "1:2:3:4:5:6:7::", "10.0.0.1/32", "::1%eth0"},
	"cidr":      {"10.0.0.0/8", "10.0.0.1/32", "::/0", "::1/128", "10.0.0.1/8", "10.1", "0.0.0.0/0", "::ffff:0:0/96", "::1.2.3.4/128"},
	"macaddr":   {"08:00:2b:01:02:03", "08-00-2b-01-02-03", "08002b010203"},
	"macaddr8":  {"08:00:2b:01:02:03:04:05", "08:00:2b:01:02:03"},
	"bit":       {"", "0", "101", "x1f", "b1"},
	"varbit":    {"", "0", "101", "x1f", "b1"},
	"oid":       {"0", "5", "4294967295", "4294967296", "-1", "007"},
}

// mutations returns variants of the seeds.
func mutations(random *rand.Rand, seeds []string, n int) []string {
	const alphabet = "0123456789-+:./ abcdefxBCinNTZ%,_eE\tü"
	letters := []rune(alphabet)
	out := append([]string(nil), seeds...)
	for len(out) < n {
		s := []rune(seeds[random.IntN(len(seeds))])
		for range 1 + random.IntN(2) {
			at := random.IntN(len(s) + 1)
			switch letter := letters[random.IntN(len(letters))]; {
			case random.IntN(3) == 0 && at < len(s):
				s = append(s[:at:at], s[at+1:]...)
			case random.IntN(2) == 0 && at < len(s):
				s[at] = letter
			default:
				s = append(s[:at:at], append([]rune{letter}, s[at:]...)...)
			}
		}
		out = append(out, string(s))
	}
	return out
}

func TestTextClassMatchesServer(t *testing.T) {
	if len(classifierSeeds) != len(classifiers) {
		t.Errorf("%d types have classifiers, %d have seeds", len(classifiers), len(classifierSeeds))
	}
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	// spelled parses a string as a value of a type and returns its spelling; null if the server rejects the string.
	if _, err := conn.Exec(t.Context(), `CREATE FUNCTION pg_temp.spelled(s text, t text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE r text;
	BEGIN
		EXECUTE format('SELECT %s', CASE WHEN t = 'inet' THEN 'abbrev($1::inet)' ELSE format('$1::pg_catalog.%I::text', t) END) INTO r USING s;
		RETURN r;
	EXCEPTION WHEN others THEN RETURN NULL;
	END $$`); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for name, classify := range classifiers {
		texts := mutations(random, classifierSeeds[name], 3000)
		rows, err := conn.Query(t.Context(), "SELECT s, pg_temp.spelled(s, $2) FROM unnest($1::text[]) AS s", texts, name)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		var spelled *string
		counts := map[textClass]int{}
		if _, err := pgx.ForEachRow(rows, []any{&text, &spelled}, func() error {
			got := classify(text)
			counts[got]++
			switch {
			case got == castable && spelled == nil:
				t.Errorf("%s: %q is classified as castable, but the server rejects it", name, text)
			case got == impossible && spelled != nil && *spelled == text:
				t.Errorf("%s: %q is classified as impossible, but the server spells a value in this way", name, text)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if counts[castable] < 10 {
			t.Errorf("%s: %v", name, counts)
		}
	}
}

// Newer servers read leading zeros as octal.
func TestOIDHasNoLeadingZeros(t *testing.T) {
	for text, want := range map[string]textClass{"0": castable, "10": castable, "010": impossible, "00": impossible, "09": impossible} {
		if got := classifyOID(text); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
