package postgres

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// PostgreSQL spells numbers without an exponent, so a few bytes of a client can name a
// value with 131,072 digits that every reader pays for. Columns whose type has such
// numbers refuse values that grow too much.

// maxExponent is the largest exponent that a client may use, in either direction.
const maxExponent = 1000

// A value that is written through JSON may have maxGrowth bytes and growthFactor times
// those that were given.
const (
	maxGrowth    = "1000"
	growthFactor = "100"
)

var exponents = regexp.MustCompile(`[0-9._][eE]([+-]?[0-9_]+)`)

// expands reports whether a text names a number with an exponent beyond [maxExponent].
func hasLargeExponent(text string) bool {
	return slices.ContainsFunc(exponents.FindAllStringSubmatch(text, -1), func(found []string) bool {
		exponent, err := strconv.Atoi(strings.ReplaceAll(found[1], "_", ""))
		return err != nil || exponent > maxExponent || exponent < -maxExponent
	})
}

// hasNumerics reports whether the spelling of a column's type consists of numbers of
// any size. Elements and attributes of a type of the schema's own may be such numbers.
func hasNumericParts(found *catalogColumn) bool {
	switch strings.TrimPrefix(found.typeName, "_") {
	case "numeric", "numrange", "nummultirange":
		return true
	case "":
		return found.element != "" || slices.Contains([]string{"c", "r", "m"}, found.kind)
	}
	return false
}

// bounded is [form.write] of a value that must not be far longer than the expression.
func (f form) fromModelLimited(expression string) string {
	size := "octet_length(to_jsonb(x.v)::text)"
	return "(SELECT x.v FROM (SELECT " + expression + " AS given) AS g, jsonb_to_record(jsonb_build_object('v', g.given)) AS x (v " + f.base + ")" +
		" WHERE CASE WHEN " + size + " > " + maxGrowth + " + " + growthFactor + " * octet_length(g.given::text) THEN " +
		raise(f.expandMark, size+"::text") + " IS NULL ELSE TRUE END)"
}
