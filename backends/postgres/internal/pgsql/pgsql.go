// Package pgsql has the pieces of SQL that the backend, its importer and its test servers share: quoting, and conditions
// on the system catalogs.
package pgsql

import "strings"

// MaxName is the greatest length of a name in PostgreSQL, in bytes (manual, section 4.1.1). The server truncates longer
// names without an error.
const MaxName = 63

// Name returns a name as a quoted identifier (manual, section 4.1.1).
func Name(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// String returns a Go string as a string constant (manual, section 4.1.2). It is right whatever the setting
// standard_conforming_strings says.
func String(s string) string {
	if !strings.Contains(s, `\`) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return " E'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
}

// CollatesByCodePoint is an expression that reports whether a collation sorts by code point. The row of pg_collation is
// co; null stands for a type without a collation. The collation may be that of the database. All collations of the
// provider b (builtin) sort so.
const CollatesByCodePoint = `coalesce(co.collprovider = 'b' OR co.collname IN ('C', 'POSIX', 'ucs_basic', 'C.UTF-8', 'C.utf8') OR co.collname = 'default' AND (
         SELECT CASE coalesce(to_jsonb(db) ->> 'datlocprovider', 'c') WHEN 'b' THEN true WHEN 'c' THEN db.datcollate IN ('C', 'POSIX') ELSE false END
         FROM pg_database db WHERE db.datname = current_database()), true)`

// UniqueIndex is an expression that reports whether no two rows of an index may be equal: it is unique, or belongs to an
// exclusion constraint that compares all columns by equality. The row of pg_index is x.
const UniqueIndex = `(x.indisunique OR x.indisexclusion AND NOT EXISTS (
         SELECT FROM pg_constraint k CROSS JOIN unnest(k.conexclop) AS e (op) JOIN pg_operator o ON o.oid = e.op
         WHERE k.conindid = x.indexrelid AND k.contype = 'x' AND o.oprname <> '='))`

// Values of pg_index.indoption of a column. Descending indexes of DDL have nulls first.
const (
	Ascending  = 0
	Descending = 3
)

// Enforced is an expression that reports whether the server enforces a constraint. The row of pg_constraint is k. Since
// version 18 a constraint can be NOT ENFORCED.
const Enforced = `coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)`
