package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// Insert executes one statement for all records that leave the same columns to their defaults. Usually that is one
// statement.
func (t *transaction) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	table, err := t.backend.writeTable(op.Resource)
	if err != nil {
		return nil, err
	}
	if err := t.noteExplicitKeys(table, op.Records); err != nil {
		return nil, err
	}
	recs, err := t.withGeneratedKeys(ctx, op, table, table.withRandomKeys(op.Records))
	if err != nil {
		return nil, err
	}
	groups, err := groupByColumns(table, recs)
	if err != nil {
		return nil, err
	}
	out := make([]core.Record, len(recs))
	calls := make([]call, 0, len(groups))
	returned, remaining := t.returning(table)
	for _, g := range groups {
		c, err := insertCall(table, op, recs, g, returned, out)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	t.moreFollows = len(table.viewOnly)+len(remaining) > 0
	if err := t.run(ctx, op, calls...); err != nil {
		return nil, err
	}
	if t.moreFollows {
		t.moreFollows = false
		if err := t.run(ctx, op, readRemaining(table, remaining, keysOf(out), out)...); err != nil {
			return nil, err
		}
	}
	t.inserted(table, recs, out)
	return out, nil
}

// inserted updates the bookkeeping of keys: recs are the records as sent, out the inserted ones. A generated key that
// has been used is no longer reserved, and the sequence has reached the keys that it generated.
func (t *transaction) inserted(table *table, recs, out []core.Record) {
	for i, rec := range out {
		delete(t.generatedKeys[table], rec.Key())
		if table.sequence != nil && recs[i].Key().IsAbsent() {
			table.sequence.noteValue(rec.Key().Int())
		}
	}
}

// withRandomKeys gives random keys to records without a key if the key is a UUID without a default.
func (t *table) withRandomKeys(recs []core.Record) []core.Record {
	missing := func(rec core.Record) bool { return rec.Key().IsAbsent() }
	if t.keySource.Assigned || t.key.hasDefault || t.key.field.Type() != core.UUID || !slices.ContainsFunc(recs, missing) {
		return recs
	}
	recs = slices.Clone(recs)
	for i, rec := range recs {
		if missing(rec) {
			recs[i] = rec.With(t.key.index, core.NewUUID())
		}
	}
	return recs
}

// group has the records of one Insert that give values to the same columns.
type group struct {
	columns   []*column
	positions []int // of the records in the operation
}

// groupByColumns groups records by the columns that they give values to. Columns without a default and columns that all
// records give do not distinguish groups: an absent value of the former is null. If records may refer to earlier ones,
// groups keep the order of the records.
func groupByColumns(t *table, recs []core.Record) ([]*group, error) {
	counts, err := countGiven(t, recs)
	if err != nil {
		return nil, err
	}
	mask, mixed := maskOf(t, counts, len(recs))
	if len(mixed) == 0 && len(recs) > 0 {
		return t.split([]*group{{maskedColumns(t, mask), upTo(len(recs))}}), nil
	}
	var groups []*group
	byMask := make(map[string]*group)
	for position, rec := range recs {
		for _, i := range mixed {
			mask[i] = 1
			if rec.At(t.cells[i].index).IsAbsent() {
				mask[i] = 0
			}
		}
		g := byMask[string(mask)]
		if g == nil || t.immediateSelfReference && g != groups[len(groups)-1] {
			g = &group{columns: maskedColumns(t, mask)}
			byMask[string(mask)] = g
			groups = append(groups, g)
		}
		g.positions = append(g.positions, position)
	}
	return t.split(groups), nil
}

// maxListed is the number of values in one statement that lists them. The protocol permits 65,535 parameters.
const maxListed = 20000

// split divides the groups of a remote table, whose statements list all values.
func (t *table) split(groups []*group) []*group {
	if !t.remote {
		return groups
	}
	var parts []*group
	for _, g := range groups {
		for positions := range slices.Chunk(g.positions, max(maxListed/max(len(g.columns), 1), 1)) {
			parts = append(parts, &group{g.columns, positions})
		}
	}
	return parts
}

// maskOf marks the cells that at least one of n records gives, and returns the positions of the marked cells that the other
// records leave to a default.
func maskOf(t *table, counts []int, n int) (mask []byte, mixed []int) {
	mask = make([]byte, len(counts))
	for i, count := range counts {
		if count == 0 {
			continue
		}
		mask[i] = 1
		if t.cells[i].hasDefault && count < n {
			mixed = append(mixed, i)
		}
	}
	return mask, mixed
}

func upTo(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// countGiven checks the values of the records, and counts for each cell the records that give a value.
func countGiven(t *table, recs []core.Record) ([]int, error) {
	counts := make([]int, len(t.cells))
	for _, rec := range recs {
		if rec.Key().IsAbsent() && (t.keySource.Assigned || !t.key.hasDefault) {
			return nil, t.resource.NoNextKey()
		}
		for i, c := range t.cells {
			if rec.At(c.index).IsAbsent() {
				continue
			}
			counts[i]++
			if err := c.check(rec); err != nil {
				return nil, err
			}
		}
	}
	return counts, nil
}

func maskedColumns(t *table, mask []byte) []*column {
	var columns []*column
	for i, c := range t.cells {
		if mask[i] == 1 {
			columns = append(columns, c)
		}
	}
	return columns
}

func insertCall(table *table, op *core.Op, recs []core.Record, g *group, returned []*column, out []core.Record) (call, error) {
	b := insertStatement(table, g, recs, returned, op.Check)
	return b.call(func(rows pgx.Rows) error {
		r := rowReader{rows: rows, table: table, columns: returned}
		return g.read(&r, recs, out)
	}), b.err
}

// read stores the inserted rows at the positions of their records. The rows have the order of the records.
func (g *group) read(r *rowReader, recs, out []core.Record) error {
	for r.rows.Next() {
		if r.count == len(g.positions) {
			return fmt.Errorf("postgres: %s: the server inserted more than %d rows", r.table.resource, r.count)
		}
		position := g.positions[r.count]
		rec, err := r.record(recs[position])
		if err != nil {
			return err
		}
		out[position] = rec
	}
	missing := r.rows.Err() == nil && r.count < len(g.positions)
	switch {
	case missing && r.count == 0 && len(g.positions) == len(recs):
		return errSkippedByTrigger
	case missing:
		return fmt.Errorf("postgres: %s: the server inserted %d of %d rows", r.table.resource, r.count, len(g.positions))
	}
	return nil
}

// array returns a column of the group's records as an array parameter.
func (g *group) array(c *column, recs []core.Record) array {
	return c.arrayOf(len(g.positions), func(i int) core.Value { return c.in(recs[g.positions[i]]) })
}

// insertStatement inserts the records of a group.
func insertStatement(t *table, g *group, recs []core.Record, returned []*column, check core.Filter) *builder {
	b := newBuilder()
	inserted := b.row(t)
	names := make([]string, len(g.columns))
	overriding := ""
	for i, c := range g.columns {
		names[i] = c.name
		if c.identityAlways {
			overriding = "OVERRIDING SYSTEM VALUE "
		}
	}
	if len(names) == 0 && len(g.positions) > 1 && t.remote {
		names = []string{t.key.name} // for its default
	}
	b.write("INSERT INTO ", t.from, " AS t ")
	if len(names) > 0 {
		b.write("(", strings.Join(names, ", "), ") ", overriding)
	}
	switch {
	case len(g.positions) > 1 && t.remote:
		b.listed(g, recs)
	case len(g.positions) > 1 && len(names) == 0:
		b.write("SELECT FROM generate_series(1, ", b.param("bigint", int64(len(g.positions))), ")")
	case len(g.positions) > 1:
		b.unnested(g, recs)
	case len(names) == 0:
		b.WriteString("DEFAULT VALUES")
	default:
		b.listed(g, recs)
	}
	b.WriteString(" RETURNING ")
	inserted.values(returned)
	inserted.guard(check)
	inserted.failIfUnreadable(returned)
	return b
}

// listed writes VALUES with a parameter for each value. Citus sends such an Insert to the worker of the table, whereas it
// executes an INSERT with a query in two steps and a two-phase commit, and without the parameters of RETURNING.
func (b *builder) listed(g *group, recs []core.Record) {
	b.WriteString("VALUES ")
	for row, position := range g.positions {
		b.write(comma(row), "(")
		for i, c := range g.columns {
			b.write(comma(i), c.fromModel(b.param(c.paramType, c.argument(c.in(recs[position])))))
		}
		if len(g.columns) == 0 {
			b.WriteString("DEFAULT")
		}
		b.WriteByte(')')
	}
}

// unnested writes a query of array parameters, one for each column. The query keeps the order of the elements; INSERT
// inserts and returns rows in this order.
func (b *builder) unnested(g *group, recs []core.Record) {
	columns := g.columns
	b.WriteString("SELECT ")
	for i, c := range columns {
		b.write(comma(i), c.fromParameter("v."+valueName(i)))
	}
	b.WriteString(" FROM unnest(")
	for i, c := range columns {
		b.write(comma(i), b.param(c.elementType()+"[]", g.array(c, recs)))
	}
	b.WriteString(") WITH ORDINALITY AS v (")
	for i := range columns {
		b.write(valueName(i), ", ")
	}
	b.WriteString("place) ORDER BY v.place")
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ", "
}
