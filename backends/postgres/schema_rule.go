package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// ruleConstraint is the CHECK constraint of one rule of a field. The store checks the rules itself; the constraints protect
// the table against other programs. Transitions, schemas and functions of the model have none, and a Required field is NOT
// NULL.
type ruleConstraint struct {
	field     *core.Field
	rule      string
	condition string
}

// constraintsOf returns the constraints of a field. exact is false for a column that holds the values of the field in
// another form; it has none. byCodePoint is false for a column whose collation may not allow patterns.
func constraintsOf(f *core.Field, byCodePoint bool) (all []ruleConstraint) {
	if f.Target() != nil || f.Type() == core.Tuple || f.Column() < 0 {
		return nil
	}
	cell, column, s := cellsOf(f)[0], pgsql.Name(f.Name()), f.Spec()
	add := func(rule, condition string) { all = append(all, ruleConstraint{f, rule, condition}) }
	least, greatest := f.Bounds()
	if least.IsSet() {
		add("min", column+" >= "+cell.literal(least))
	}
	if greatest.IsSet() {
		add("max", column+" <= "+cell.literal(greatest))
	}
	if s.MinLength > 0 {
		add("min_length", fmt.Sprintf("char_length(%s) >= %d", column, s.MinLength))
	}
	if s.MaxLength > 0 {
		add("max_length", fmt.Sprintf("char_length(%s) <= %d", column, s.MaxLength))
	}
	if s.Pattern != "" {
		text := column
		if !byCodePoint {
			text += ` COLLATE "C"`
		}
		add("pattern", text+" ~ "+strings.TrimSpace(pgsql.String(s.Pattern)))
	}
	if f.OneOf() != nil {
		values := make([]string, len(f.OneOf()))
		for i, v := range f.OneOf() {
			values[i] = cell.literal(v)
		}
		add("one_of", column+" IN ("+strings.Join(values, ", ")+")")
	}
	return all
}

// holdsRules reports whether constraints on the column decide as the store does. Columns of other types, such as an
// enumeration, have rules of their own, and a real holds another number than the one that it shows.
func (c *catalogColumn) holdsRules(of cell) bool { return c.isExact(of) && c.typeName != "float4" }

// name returns the name of the constraint: larder_RESOURCE_FIELD_RULE, shortened with a hash if it is too long.
func (k ruleConstraint) name() string {
	return shortName(rulePrefix(k.field.Resource()) + k.field.Name() + "_" + k.rule)
}

// shortName returns the name of a constraint, shortened with a hash if it is too long for the server.
func shortName(name string) string {
	if len(name) <= pgsql.MaxName {
		return name
	}
	suffix := "_" + hashOf(name)
	return strings.ToValidUTF8(name[:pgsql.MaxName-len(suffix)], "") + suffix
}

// hashOf returns eight characters that differ for different texts.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// rulePrefix begins the names of the constraints of a resource.
func rulePrefix(r *core.Resource) string { return "larder_" + r.Name() + "_" }

func (k ruleConstraint) sql() string {
	return "CONSTRAINT " + pgsql.Name(k.name()) + " CHECK (" + k.condition + ")"
}

// comment returns the statement that stores the condition as the comment of the constraint. The server spells conditions in
// its own way, so Migrate compares the comments.
func (k ruleConstraint) comment(table string) string {
	return "COMMENT ON CONSTRAINT " + pgsql.Name(k.name()) + " ON " + table + " IS " + pgsql.String(k.condition)
}

// ruleLines returns the constraints of a new table.
func ruleLines(r *core.Resource) (lines []string) {
	for _, f := range r.Columns() {
		for _, k := range constraintsOf(f, true) {
			lines = append(lines, k.sql())
		}
	}
	return lines
}

// compareRules compares the constraints of the rules. Their differences never prevent a store.
func (c *comparison) compareRules(t *catalogTable, r *core.Resource) {
	table, wanted := c.table(r), make(map[string]bool)
	for _, f := range r.Columns() {
		cells := cellsOf(f)
		if f.Required() && !f.Key() {
			c.requireColumns(t, f)
		}
		col := t.columns[cells[0].name]
		if t.columns != nil && col != nil && !col.holdsRules(cells[0]) {
			continue
		}
		for _, k := range constraintsOf(f, col == nil || col.byCodePoint) {
			wanted[k.name()] = true
			declared, exists := t.rules[k.name()]
			switch {
			case t.columns == nil:
				c.add(difference{phase: addComment, problem: k.name() + " has no comment", fix: k.comment(table), additive: true, optional: true})
				continue
			case exists && declared == k.condition:
				continue
			case exists:
				c.dropRule(table, k.name())
			}
			c.add(difference{
				phase: addConstraint, problem: fmt.Sprintf("%s: the rule %s has no constraint", f, k.rule), additive: true, optional: true,
				fix: "ALTER TABLE " + table + " ADD " + k.sql(), then: k.comment(table), violating: "NOT (" + k.condition + ")", from: table,
			})
		}
	}
	for name := range t.rules {
		if strings.HasPrefix(name, rulePrefix(r)) && !wanted[name] && !c.sharedRule(r, name) {
			c.dropRule(table, name)
		}
	}
}

// sharedRule reports whether the constraint belongs to another resource with the same table.
func (c *comparison) sharedRule(r *core.Resource, name string) bool {
	return slices.ContainsFunc(r.Model().Stored(), func(other *core.Resource) bool {
		return other != r && c.opts.source(other).Table != "" && c.table(other) == c.table(r) && strings.HasPrefix(name, rulePrefix(other)) &&
			len(rulePrefix(other)) > len(rulePrefix(r))
	})
}

func (c *comparison) dropRule(table, name string) {
	c.add(difference{
		phase: dropRule, problem: "the constraint " + name + " differs from the model", additive: true, optional: true,
		fix: "ALTER TABLE " + table + " DROP CONSTRAINT " + pgsql.Name(name),
	})
}

// requireColumns makes the columns of a Required field NOT NULL.
func (c *comparison) requireColumns(t *catalogTable, f *core.Field) {
	for _, cell := range cellsOf(f) {
		if col := t.columns[cell.name]; t.columns == nil || col != nil && (col.notNull || col.generated) {
			continue
		}
		table := c.table(f.Resource())
		c.add(difference{
			phase: addConstraint, problem: f.String() + ": the rule required has no constraint", additive: true, optional: true,
			fix:       "ALTER TABLE " + table + " ALTER COLUMN " + pgsql.Name(cell.name) + " SET NOT NULL",
			violating: pgsql.Name(cell.name) + " IS NULL", from: table,
		})
	}
}

// addRule adds the constraint of a rule. If existing rows violate it, it logs their number and adds none: the server would
// reject every later change of these rows, also of other columns.
func addRule(ctx context.Context, tx pgx.Tx, d difference, opts Options) error {
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, d.fix)
		if err == nil && d.then != "" {
			_, err = tx.Exec(ctx, d.then)
		}
		return err
	})
	server, violated := errors.AsType[*pgconn.PgError](err)
	if !violated || server.Code != notNullViolation && server.Code != checkViolation {
		return err
	}
	var rows int64
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+d.from+" WHERE "+d.violating, pgx.QueryExecModeExec).Scan(&rows); err != nil {
		return err
	}
	opts.logger().Warn("postgres: "+d.problem+", because existing rows violate it; change them and migrate again", "rows", rows, "statement", d.fix)
	return nil
}

// SQLSTATEs of violated constraints.
const (
	notNullViolation = "23502"
	checkViolation   = "23514"
)
