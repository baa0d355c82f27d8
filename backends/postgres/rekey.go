package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// A key that the server generates from other columns would change with them. The
// statement fails instead, with the number of a field that is part of the key: of
// several that the update sets, the first.
var markRekeyed = markPrefix + "rekeyed "

// fixKey goes on behind a list of columns that an UPDATE returns: it writes an
// expression that fails if the row has another key than the expression key says.
// Nothing is written if the update changes no part of the key.
func (u *update) guardKey(b *builder, key string) {
	t := u.table
	i := slices.IndexFunc(u.changes, func(c change) bool { return slices.Contains(t.keyParts, c.field) })
	if i < 0 {
		return
	}
	b.WriteString(", CASE WHEN ")
	b.equals(t.key, t.key.classify(u.op.Keys...), key, false)
	part := strconv.Itoa(u.changes[i].index)
	b.write(" THEN NULL ELSE ", raise(markRekeyed, "'"+part+" ' || "+b.column(t.key)+"::text"), " END")
}

// rekeyed returns the field that would have changed the key of its record; nil if the
// error is another.
func changedKeyField(op *core.Op, message string) *core.Field {
	_, rest, found := strings.Cut(message, markRekeyed)
	number, _, _ := strings.Cut(rest, " ")
	i, bad := strconv.Atoi(number)
	if !found || bad != nil || i < 0 || i >= len(op.Resource.Columns()) {
		return nil
	}
	return op.Resource.Columns()[i]
}
