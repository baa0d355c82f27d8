package postgres

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// nativeSeeds are texts of each type, around which others are made up.
var nativeSeeds = map[string][]string{
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

// mutated returns texts that differ from the seeds in some places.
func mutated(random *rand.Rand, seeds []string, n int) []string {
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

func TestWhatIsJudgedOfATextIsWhatTheServerDoesWithIt(t *testing.T) {
	if len(nativeSeeds) != len(classifiers) {
		t.Errorf("%d types have judges, %d have seeds", len(classifiers), len(nativeSeeds))
	}
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	// what the server makes of a text, and spells it as, null if it refuses it
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
	for name, judge := range classifiers {
		texts := mutated(random, nativeSeeds[name], 3000)
		rows, err := conn.Query(t.Context(), "SELECT s, pg_temp.spelled(s, $2) FROM unnest($1::text[]) AS s", texts, name)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		var spelled *string
		counts := map[textClass]int{}
		if _, err := pgx.ForEachRow(rows, []any{&text, &spelled}, func() error {
			got := judge(text)
			counts[got]++
			switch {
			case got == castable && spelled == nil:
				t.Errorf("%s: %q is said to be castable, and the server refuses it", name, text)
			case got == impossible && spelled != nil && *spelled == text:
				t.Errorf("%s: %q is said to be impossible, and the server spells a value so", name, text)
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

// Newer servers take them for octal.
func TestNoOIDIsSpelledWithLeadingZeros(t *testing.T) {
	for text, want := range map[string]textClass{"0": castable, "10": castable, "010": impossible, "00": impossible, "09": impossible} {
		if got := classifyOID(text); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
