// Package relatedtest tests conditions and orders on related records against the reference, and measures their plans.
package relatedtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

// library has relations of every form: to-one and its list, one-to-one, stored lists of integer and text keys, a
// relation of a resource to itself, and relations to a key of several fields, one of them through shared fields.
var library = core.MustModel("library",
	core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text},
		{Name: "age", Type: core.Int},
		{Name: "boss", ToOne: "person"},
		{Name: "team", ToMany: "person", Inverse: "boss"},
		{Name: "badge", ToOne: "badge", Unique: true},
		{Name: "friends", ToMany: "person"},
		{Name: "likes", ToMany: "tag"},
		{Name: "books", ToMany: "book", Inverse: "owner"},
		{Name: "latest", ToOne: "loan"},
		{Name: "loans", ToMany: "loan", Inverse: "person"},
	}},
	core.ResourceSpec{Name: "badge", Fields: []core.FieldSpec{
		{Name: "id", Type: core.UUID, Key: true},
		{Name: "label", Type: core.Text},
		{Name: "holder", ToOne: "person", Inverse: "badge"},
	}},
	core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{
		{Name: "code", Type: core.Text, Key: true, Assigned: true},
		{Name: "weight", Type: core.Float},
		{Name: "books", ToMany: "book", Inverse: "tag"},
	}},
	core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text},
		{Name: "owner", ToOne: "person"},
		{Name: "tag", ToOne: "tag"},
		{Name: "loan", ToOne: "loan", Via: []string{"tag", "owner"}},
	}},
	core.ResourceSpec{Name: "loan", KeyName: "key", Fields: []core.FieldSpec{
		{Name: "tag", ToOne: "tag", Key: true},
		{Name: "person", ToOne: "person", Key: true},
		{Name: "note", Type: core.Text},
		{Name: "books", ToMany: "book", Inverse: "loan"},
		{Name: "readers", ToMany: "person", Inverse: "latest"},
	}},
)

// Few different values, so that conditions match and ties occur.
var (
	ids   = []any{1, 2, 3, 4, 5, 6}
	codes = []any{"1.0", "1.5", "2.0", "10.0"}
	uuids = []any{"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"}
)

// domain returns possible values of a field; those of a key do not include null.
func domain(f *core.Field) []any {
	switch f.Type() {
	case core.Int:
		return ids
	case core.UUID:
		return uuids
	case core.Float:
		return []any{-1.5, 0.0, 2.5}
	case core.Tuple:
		return pairs(codes, ids)
	}
	if f.Key() || f.Target() != nil {
		return codes
	}
	return []any{"", "a", "B", "é"}
}

// pairs returns the keys of loans with these parts.
func pairs(codes, ids []any) (keys []any) {
	for _, code := range codes {
		for _, id := range ids {
			keys = append(keys, fmt.Sprintf("%v,%v", code, id))
		}
	}
	return keys
}

// records are the records of all resources, by resource index and in any order.
type records [][]core.Record

func (all records) of(r *core.Resource) iter.Seq[core.Record] { return slices.Values(all[r.Index()]) }

// anyRecords draws records for every resource. Their relations lead to existing records.
func anyRecords(t *rapid.T) records {
	all := make(records, len(library.Resources()))
	keys := make([][]any, len(all))
	for i, r := range library.Resources() {
		possible := domain(r.Key())
		if r.Key().Type() == core.Tuple { // the last resource
			possible = pairs(keys[library.Resource("tag").Index()], keys[library.Resource("person").Index()])
		}
		keys[i] = rapid.SliceOfNDistinct(rapid.SampledFrom(possible), 1, -1, func(k any) any { return k }).Draw(t, r.Name())
	}
	for i, r := range library.Resources() {
		taken := make(map[any]bool)
		for _, key := range keys[i] {
			fields := map[string]any{r.Key().Name(): key}
			for _, f := range r.Columns()[1:] {
				if f.KeyPart() || f.Parts() != nil {
					continue
				}
				values := domain(f)
				if f.Target() != nil {
					values = keys[f.Target().Index()]
				}
				if f.Many() {
					fields[f.Name()] = rapid.SliceOfNDistinct(rapid.SampledFrom(domain(f.Target().Key())), 0, 3, func(k any) any { return k }).Draw(t, f.Name())
					continue
				}
				v := rapid.SampledFrom(append([]any{nil}, values...)).Draw(t, f.Name())
				if f.Unique() && taken[v] {
					v = nil
				}
				taken[v] = true
				fields[f.Name()] = v
			}
			if code, id := fields["tag"], fields["owner"]; code != nil && id != nil && !slices.Contains(keys[library.Resource("loan").Index()], any(fmt.Sprintf("%v,%v", code, id))) {
				fields["owner"] = nil // the pair is no loan
			}
			rec, err := r.NewRecord(fields)
			if err == nil {
				rec, err = rec.WithParts()
			}
			if err != nil {
				t.Fatal(err)
			}
			values := make([]core.Value, rec.Len())
			for c := range values {
				values[c] = rec.At(c)
			}
			all[i] = append(all[i], r.RecordOf(values))
		}
	}
	return all
}

// anyFilter draws a bound condition of up to the given depth.
func anyFilter(t *rapid.T, r *core.Resource, depth int) core.Filter {
	kinds := []string{"compare", "compare", "in", "all", "none"}
	if depth > 0 {
		kinds = []string{"compare", "and", "or", "not", "related", "related", "related", "related"}
	}
	bind := func(f core.Filter) core.Filter {
		bound, err := r.Bind(f)
		if err != nil {
			t.Fatal(err)
		}
		return bound
	}
	part := func() core.Filter { return anyFilter(t, r, depth-1) }
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "all":
		return core.All()
	case "none":
		return core.None()
	case "and":
		return core.And(part(), part())
	case "or":
		return core.Or(part(), part())
	case "not":
		return core.Not(part())
	case "related":
		step := rapid.SampledFrom(steps(r)).Draw(t, "relation")
		return step.Match(anyFilter(t, step.Target(), depth-1))
	case "in":
		f := anyColumn(t, r)
		return bind(core.In(f.Name(), rapid.SliceOfN(rapid.SampledFrom(append([]any{nil}, domain(f)...)), 0, 3).Draw(t, "values")...))
	}
	f := anyColumn(t, r)
	of := rapid.SampledFrom([]func(string, any) core.Filter{core.Eq, core.Ne, core.Lt, core.Ge}).Draw(t, "comparison")
	v := rapid.SampledFrom(domain(f)).Draw(t, "value")
	if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
		of, v = core.Eq, nil
	}
	return bind(of(f.Name(), v))
}

// anyColumn draws a stored field that is no list.
func anyColumn(t *rapid.T, r *core.Resource) *core.Field {
	columns := slices.DeleteFunc(slices.Clone(r.Columns()), (*core.Field).Many)
	return rapid.SampledFrom(columns).Draw(t, "field")
}

// steps returns the relations from a resource, also the reverse of stored lists, which have no field.
func steps(r *core.Resource) (all []core.Relation) {
	for _, other := range library.Resources() {
		for _, f := range other.Columns() {
			if f.Target() == r {
				all = append(all, core.Relation{Stored: f, Reverse: true})
			}
			if f.Target() != nil && other == r {
				all = append(all, core.Relation{Stored: f})
			}
		}
	}
	return all
}

// anyOrder draws the names of an order, with paths of to-one relations.
func anyOrder(t *rapid.T, r *core.Resource) (names []string) {
	for range rapid.IntRange(0, 3).Draw(t, "names") {
		at, path := r, ""
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			var ones []*core.Field
			for _, f := range at.Fields() {
				if step, ok := f.Relation(); ok && !step.Many() {
					ones = append(ones, f)
				}
			}
			if len(ones) == 0 {
				break
			}
			f := rapid.SampledFrom(ones).Draw(t, "step")
			at, path = f.Target(), path+f.Name()+"."
		}
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "direction")
		names = append(names, sign+path+anyColumn(t, at).Name())
	}
	return names
}

// checked is a backend that compares every read with the reference.
type checked struct {
	core.Backend

	all records
}

type checkedTx struct {
	core.BackendTx

	backend *checked
}

func (c *checked) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := c.Backend.Begin(ctx, opts)
	return &checkedTx{tx, c}, err
}

func (tx *checkedTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	want, err := reference.Read(tx.backend.all.of, op)
	if err != nil {
		return core.Result{}, err
	}
	got, err := tx.BackendTx.Read(ctx, op)
	if err == nil && describe(got, op) != describe(want, op) {
		err = fmt.Errorf("read\n%s\nwant\n%s\nusing %v where %v order %v", describe(got, op), describe(want, op), op.Using, op.Where, op.Order)
	}
	return got, err
}

func (tx *checkedTx) Count(ctx context.Context, op *core.Op) (int, error) {
	want, err := reference.Count(tx.backend.all.of, op)
	if err != nil {
		return 0, err
	}
	got, err := tx.BackendTx.Count(ctx, op)
	if err == nil && got != want {
		err = fmt.Errorf("counted %d, want %d: using %v where %v", got, want, op.Using, op.Where)
	}
	return got, err
}

func (tx *checkedTx) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	want, err := reference.Aggregate(tx.backend.all.of, op)
	if err != nil {
		return core.Result{}, err
	}
	got, err := tx.BackendTx.Aggregate(ctx, op)
	if err == nil && fmt.Sprint(got.Groups) != fmt.Sprint(want.Groups) {
		err = fmt.Errorf("groups %v, want %v: using %v where %v", got.Groups, want.Groups, op.Using, op.Where)
	}
	return got, err
}

func describe(res core.Result, op *core.Op) string {
	var b strings.Builder
	for i, rec := range res.Records {
		fmt.Fprintf(&b, "%v", rec.Project(op.Fields))
		if op.OrderCrosses() {
			fmt.Fprintf(&b, " at %v", res.Positions[i])
		}
		if len(op.Conditions) > 0 {
			fmt.Fprintf(&b, " answers %v", res.Conditions[i])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "more: %v, %d positions, %d answers", res.More, len(res.Positions), len(res.Conditions))
	return b.String()
}

// policy hides the records that do not match the condition of their resource, and asks for the answers to further
// conditions.
type policy struct {
	visible, asked []core.Filter // by resource index; nil for no condition
}

func (p *policy) decorator() core.Decorator {
	return core.Decorator{Name: "policy", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != nil && p.visible != nil {
				op.Using = core.And(op.Using, p.visible[op.Resource.Index()])
				if op.Kind == core.Load || op.Kind == core.Select {
					op.Conditions = append(op.Conditions, p.asked[op.Resource.Index()])
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

func anyPolicy(t *rapid.T) (p policy) {
	for _, r := range library.Resources() {
		visible := core.All()
		if rapid.Bool().Draw(t, r.Name()+" is hidden") {
			visible = core.Or(anyFilter(t, r, 2), anyFilter(t, r, 0))
		}
		through := slices.DeleteFunc(steps(r), func(step core.Relation) bool { return step.Reverse || step.Many() })
		if len(through) > 0 && rapid.Bool().Draw(t, r.Name()+" follows a record") {
			step := rapid.SampledFrom(through).Draw(t, "relation")
			visible = core.And(anyFilter(t, r, 0), step.Match(anyFilter(t, step.Target(), 1)))
		}
		p.visible, p.asked = append(p.visible, visible), append(p.asked, anyFilter(t, r, 2))
	}
	return p
}

// schemas are ways to store the library.
var schemas = []struct {
	name string
	make func(t *testing.T) (schema string, opts postgres.Options)
}{
	{"tables of DDL", func(t *testing.T) (string, postgres.Options) {
		schema := pgtest.Schema(t)
		servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, library))
		return schema, postgres.Options{}
	}},
	{"tables of other types", func(t *testing.T) (string, postgres.Options) {
		schema := pgtest.Schema(t)
		for _, sql := range []string{
			`CREATE TABLE $S.badge (id uuid PRIMARY KEY, label varchar(9))`,
			`CREATE TABLE $S.tag (code numeric(8,1) PRIMARY KEY, weight real)`,
			`CREATE TABLE $S.person (id integer PRIMARY KEY, name text COLLATE "en-x-icu", age smallint, boss bigint REFERENCES $S.person, badge uuid UNIQUE REFERENCES $S.badge,
			friends integer[], likes numeric(8,1)[], latest_person smallint, latest_tag numeric(8,1))`,
			`CREATE TABLE $S.loan (person integer REFERENCES $S.person, tag numeric(8,1) REFERENCES $S.tag, note varchar(3), PRIMARY KEY (person, tag))`,
			`ALTER TABLE $S.person ADD FOREIGN KEY (latest_person, latest_tag) REFERENCES $S.loan DEFERRABLE INITIALLY DEFERRED`,
			`CREATE TABLE $S.book (id bigint PRIMARY KEY, title text, owner integer REFERENCES $S.person, tag numeric(8,1) REFERENCES $S.tag, FOREIGN KEY (owner, tag) REFERENCES $S.loan)`,
		} {
			servertest.Execute(t, servertest.InSchema(schema, sql))
		}
		return schema, postgres.Options{}
	}},
	{"texts of different collations, and views", func(t *testing.T) (string, postgres.Options) {
		schema := pgtest.Schema(t)
		for _, sql := range []string{
			`CREATE COLLATION $S.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
			`CREATE TABLE $S.badge (id uuid PRIMARY KEY, label text COLLATE $S.folded)`,
			`CREATE TABLE $S.tag (code varchar COLLATE "de-x-icu" PRIMARY KEY, weight float)`,
			`CREATE TABLE $S.person (id bigint PRIMARY KEY, name text COLLATE $S.folded, age bigint, boss bigint REFERENCES $S.person, badge uuid UNIQUE REFERENCES $S.badge, friends bigint[], likes text[] COLLATE "fr-x-icu", latest_tag text COLLATE "fr-x-icu", latest_person bigint)`,
			`CREATE TABLE $S.loan (tag text COLLATE "C" REFERENCES $S.tag, person bigint REFERENCES $S.person, note text COLLATE $S.folded, PRIMARY KEY (tag, person))`,
			`ALTER TABLE $S.person ADD FOREIGN KEY (latest_tag, latest_person) REFERENCES $S.loan DEFERRABLE INITIALLY DEFERRED`,
			`CREATE TABLE $S.book (id bigint PRIMARY KEY, title char(3), owner bigint, tag text COLLATE "en-x-icu")`,
			`CREATE VIEW $S.books AS SELECT id, rtrim(title) AS title, owner, tag || '' AS tag FROM $S.book`,
			`CREATE VIEW $S.tags AS SELECT * FROM $S.tag`,
		} {
			servertest.Execute(t, servertest.InSchema(schema, sql))
		}
		return schema, postgres.Options{Resources: map[string]postgres.Source{
			"tag":   {Table: "tag", View: "tags"},
			"book":  {View: "books"},
			"badge": {Table: "badge", Query: `SELECT * FROM ` + pgx.Identifier{schema, "badge"}.Sanitize()},
		}}
	}},
}

// fill replaces the content of the tables by the records.
func (all records) fill(t *rapid.T, p *pgxpool.Pool, schema string) {
	ctx := context.Background()
	batch := &pgx.Batch{}
	batch.Queue(servertest.InSchema(schema, `TRUNCATE $S.person, $S.badge, $S.tag, $S.book, $S.loan`))
	for _, name := range []string{"badge", "tag", "person", "loan", "book"} {
		var rows []map[string]any
		for _, rec := range all[library.Resource(name).Index()] {
			row := make(map[string]any)
			for _, f := range rec.Resource().Columns() {
				switch v := rec.Get(f.Name()); {
				case f.Parts() != nil: // they have columns
				case f.Type() == core.Tuple && v.IsSet():
					row[f.Name()+"_tag"], row[f.Name()+"_person"] = v.Tuple()[0].Any(), v.Tuple()[1].Any()
				case f.Type() != core.Tuple:
					row[f.Name()] = v.Any()
				}
			}
			rows = append(rows, row)
		}
		text, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		into := `$S.` + name
		batch.Queue(servertest.InSchema(schema, `INSERT INTO `+into+` SELECT * FROM jsonb_populate_recordset(NULL::`+into+`, $1)`), text)
	}
	if err := p.SendBatch(ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}
}

// Every read of random conditions, orders and pages agrees with the reference, and every write reaches exactly the records
// that match its condition.
func TestRandomRelatedConditions(t *testing.T) {
	for _, c := range schemas {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			schema, opts := c.make(t)
			p := servertest.Pool(t, pgtest.URL(t))
			backend, policy := &checked{Backend: postgres.New(p, schema, opts)}, &policy{}
			store, err := core.New(t.Context(), library, backend, policy.decorator())
			servertest.Must(t, err)
			t.Cleanup(func() { _ = store.Close() })
			rapid.Check(t, func(t *rapid.T) {
				backend.all = anyRecords(t)
				backend.all.fill(t, p, schema)
				*policy = anyPolicy(t)
				for range 5 {
					read(t, store)
				}
				write(t, store, backend, policy)
			})
		})
	}
}

// read reads all pages of a random query, and the same records by their keys.
func read(t *rapid.T, store *core.Store) {
	ctx := context.Background()
	r := rapid.SampledFrom(library.Resources()).Draw(t, "resource")
	q := core.Query{Where: anyFilter(t, r, 3), Order: anyOrder(t, r), Limit: rapid.IntRange(0, 3).Draw(t, "limit")}
	if rapid.Bool().Draw(t, "simple") {
		q.Where, q.Order = anyFilter(t, r, 0), rapid.SampledFrom([][]string{nil, {"-" + r.Key().Name()}}).Draw(t, "direction")
	}
	if rapid.Bool().Draw(t, "projected") {
		q.Fields = []string{}
	}
	total, err := store.Count(ctx, r, q.Where)
	if err != nil {
		t.Fatal(err)
	}
	var keys []core.Value
	for more := true; more; more = q.After != "" {
		page, err := store.Select(ctx, r, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			keys = append(keys, rec.Key())
		}
		q.After = page.Next
	}
	if len(core.SortKeys(slices.Clone(keys))) != total || len(keys) != total {
		t.Fatalf("pages have %v, want %d records", keys, total)
	}
	loaded, err := store.Load(ctx, r, keys)
	if err != nil || len(loaded) != total {
		t.Fatalf("loaded %v, %v", loaded, err)
	}
}

var errUndo = errors.New("undo")

// write updates a person and a loan and deletes a book, and undoes that.
func write(t *rapid.T, store *core.Store, backend *checked, policy *policy) {
	person, book, loan := library.Resource("person"), library.Resource("book"), library.Resource("loan")
	visible := func(rec core.Record) bool {
		is, err := policy.visible[rec.Resource().Index()].Match(rec, reference.Records(backend.all.of).Related)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	for _, c := range []struct {
		rec core.Record
		do  func(ctx context.Context, tx *core.Transaction, rec core.Record) error
	}{
		{backend.all[person.Index()][0], func(ctx context.Context, tx *core.Transaction, rec core.Record) error {
			change, err := person.NewRecord(map[string]any{"id": rec.Key(), "age": 77})
			if err == nil {
				_, err = tx.Update(ctx, person, change)
			}
			return err
		}},
		{backend.all[book.Index()][0], func(ctx context.Context, tx *core.Transaction, rec core.Record) error {
			return tx.Delete(ctx, book, rec.Key())
		}},
		{backend.all[loan.Index()][0], func(ctx context.Context, tx *core.Transaction, rec core.Record) error {
			_, err := tx.Update(ctx, loan, loan.Patch(rec.Key()).Set(loan.Field("note"), core.TextValue("new")))
			return err
		}},
	} {
		err := store.Tx(context.Background(), func(ctx context.Context, tx *core.Transaction) error {
			if err := c.do(ctx, tx, c.rec); err != nil {
				return err
			}
			return errUndo
		})
		want := error(core.NotFound)
		if visible(c.rec) {
			want = errUndo
		}
		if !errors.Is(err, want) && !errors.Is(err, core.ReadOnly) {
			t.Fatalf("%v: got %v, want %v using %v", c.rec, err, want, policy.visible[c.rec.Resource().Index()])
		}
	}
}
