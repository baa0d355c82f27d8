package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// All names in the database have the form secret_..., and must not appear in errors. The tables have constraints that
// are not in the model.
var inventory = core.MustModel("inventory",
	core.ResourceSpec{Name: "secret_shelf", APIName: "Shelf", Fields: []core.FieldSpec{
		{Name: "secret_id", APIName: "id", Type: core.Int, Key: true},
		{Name: "secret_room", APIName: "room", Type: core.Text},
	}},
	core.ResourceSpec{Name: "secret_item", APIName: "Item", Fields: []core.FieldSpec{
		{Name: "secret_id", APIName: "id", Type: core.Int, Key: true},
		{Name: "secret_name", APIName: "name", Type: core.Text},
		{Name: "secret_count", APIName: "count", Type: core.Int},
		{Name: "secret_small", APIName: "small", Type: core.Int},
		{Name: "secret_ratio", APIName: "ratio", Type: core.Float},
		{Name: "secret_code", APIName: "code", Type: core.Text, Unique: true},
		{Name: "secret_shelf", APIName: "shelf", ToOne: "secret_shelf"},
		{Name: "secret_twice", APIName: "twice", Type: core.Int},
		{Name: "secret_label", APIName: "label", Type: core.Text},
	}},
)

var inventoryTables = []string{
	`CREATE TABLE $S.secret_shelf (secret_id serial PRIMARY KEY, secret_room varchar)`,
	`CREATE TABLE $S.secret_item (
		secret_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		secret_name varchar(5) NOT NULL,
		secret_count integer CONSTRAINT secret_positive CHECK (secret_count > 0),
		secret_small smallint,
		secret_ratio real,
		secret_code text CONSTRAINT secret_once UNIQUE,
		secret_shelf integer CONSTRAINT secret_place REFERENCES $S.secret_shelf,
		secret_twice integer GENERATED ALWAYS AS (secret_count * 2) STORED,
		secret_label text DEFAULT 'none',
		secret_extra text,
		CONSTRAINT secret_both CHECK (secret_count < 1000 OR secret_small IS NULL),
		EXCLUDE USING btree (secret_extra WITH =))`,
	`CREATE FUNCTION $S.secret_rule() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.secret_name = 'raise' THEN RAISE EXCEPTION 'secret_message'; END IF;
		IF NEW.secret_name = 'dup' THEN NEW.secret_extra = 'same'; END IF;
		IF NEW.secret_name = 'shout' THEN NEW.secret_name = 'SHOUT'; END IF;
		RETURN NEW;
	END $$`,
	`CREATE TRIGGER secret_trigger BEFORE INSERT OR UPDATE ON $S.secret_item FOR EACH ROW EXECUTE FUNCTION $S.secret_rule()`,
	`INSERT INTO $S.secret_shelf (secret_room) VALUES ('secret_attic')`,
	`INSERT INTO $S.secret_item (secret_name, secret_code, secret_extra) VALUES ('other', 'secret_value', 'same')`,
}

func TestViolationsNameModelFieldsOnly(t *testing.T) {
	store, _ := servertest.Store(t, inventory, inventoryTables...)
	item := inventory.Resource("secret_item")
	for _, c := range []struct {
		name   string
		fields map[string]any
		code   core.Code
		field  string
	}{
		{"null where there must be none", map[string]any{"secret_name": nil}, core.ValidationFailed, "name"},
		{"longer than the column", map[string]any{"secret_name": "sixsix"}, core.BadFieldValue, "name"},
		{"longer by blanks", map[string]any{"secret_name": "five  "}, core.BadFieldValue, "name"},
		{"check of one column", map[string]any{"secret_name": "a", "secret_count": 0}, core.ValidationFailed, "count"},
		{"check of two columns", map[string]any{"secret_name": "a", "secret_count": 1000, "secret_small": 1}, core.ValidationFailed, ""},
		{"beyond integer", map[string]any{"secret_name": "a", "secret_count": 1 << 40}, core.BadFieldValue, "count"},
		{"beyond smallint", map[string]any{"secret_name": "a", "secret_small": 1 << 20}, core.BadFieldValue, "small"},
		{"beyond real", map[string]any{"secret_name": "a", "secret_ratio": 1e300}, core.BadFieldValue, "ratio"},
		{"overflow in the database", map[string]any{"secret_name": "a", "secret_count": 2_000_000_000}, core.BadRequest, ""},
		{"unique value", map[string]any{"secret_name": "a", "secret_code": "secret_value"}, core.AlreadyExists, "code"},
		{"key", map[string]any{"secret_id": 1, "secret_name": "a"}, core.AlreadyExists, "id"},
		{"constraint outside the model", map[string]any{"secret_name": "dup"}, core.AlreadyExists, ""},
		{"no such row", map[string]any{"secret_name": "a", "secret_shelf": 77}, core.NotFound, ""},
		{"generated column", map[string]any{"secret_name": "a", "secret_twice": 1}, core.FieldReadOnly, "twice"},
		{"exception of a trigger", map[string]any{"secret_name": "raise"}, core.BadRequest, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := store.Insert(t.Context(), item, servertest.Record(t, item, c.fields))
			var e *core.Error
			if !errors.As(err, &e) || e.Code != c.code || violatedField(e) != c.field {
				t.Fatalf("got %v, want %s of field %q", err, c.code, c.field)
			}
			if strings.Contains(e.Public(), "secret") && c.fields["secret_code"] == nil {
				t.Errorf("public text %s", e.Public())
			}
		})
	}
}

// violatedField returns the field of an error, or of its only violation.
func violatedField(e *core.Error) string {
	if len(e.Violations) == 1 && len(e.Violations[0].Path) == 1 {
		return fmt.Sprint(e.Violations[0].Path[0])
	}
	return e.Field
}

func TestViolationOfHiddenFieldNamesNothing(t *testing.T) {
	hidden := func(name string, typ core.Type) core.FieldSpec {
		return core.FieldSpec{Name: name, APIName: "veiled_" + name, Type: typ, Hidden: true}
	}
	code := hidden("secret_code", core.Text)
	code.Unique = true
	m := core.MustModel("veiled", core.ResourceSpec{Name: "secret_item", APIName: "Item", Fields: []core.FieldSpec{
		{Name: "secret_id", APIName: "id", Type: core.Int, Key: true},
		hidden("secret_name", core.Text), hidden("secret_count", core.Int), hidden("secret_small", core.Int), code, hidden("secret_twice", core.Int),
	}})
	store, _ := servertest.Store(t, m, inventoryTables...)
	item := m.Resource("secret_item")
	for _, c := range []struct {
		name   string
		fields map[string]any
		code   core.Code
	}{
		{"null where there must be none", map[string]any{"secret_name": nil}, core.ValidationFailed},
		{"longer than the column", map[string]any{"secret_name": "sixsix"}, core.BadRequest},
		{"check", map[string]any{"secret_name": "a", "secret_count": 0}, core.ValidationFailed},
		{"beyond smallint", map[string]any{"secret_name": "a", "secret_small": 1 << 20}, core.BadRequest},
		{"generated column", map[string]any{"secret_name": "a", "secret_twice": 1}, core.BadRequest},
		{"unique value", map[string]any{"secret_name": "a", "secret_code": "secret_value"}, core.AlreadyExists},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := store.Insert(t.Context(), item, servertest.Record(t, item, c.fields))
			var e *core.Error
			if !errors.As(err, &e) || e.Code != c.code || strings.Contains(e.Public(), "secret") || strings.Contains(e.Public(), "veiled") {
				t.Fatalf("got %v, want %s without a field", err, c.code)
			}
		})
	}
}

func TestMultiColumnCheckNamesFields(t *testing.T) {
	field := func(name string, hidden bool) core.FieldSpec {
		return core.FieldSpec{Name: "secret_" + name, APIName: name, Type: core.Int, Hidden: hidden}
	}
	key := core.FieldSpec{Name: "secret_id", APIName: "id", Type: core.Int, Key: true}
	name := core.FieldSpec{Name: "secret_name", APIName: "name", Type: core.Text}
	for want, m := range map[string]*core.Model{
		"other values of count, small": core.MustModel("m", core.ResourceSpec{
			Name: "secret_item", APIName: "Item", Fields: []core.FieldSpec{key, name, field("count", false), field("small", false)},
		}),
		"other values of count": core.MustModel("m", core.ResourceSpec{
			Name: "secret_item", APIName: "Item", Fields: []core.FieldSpec{key, name, field("count", false), field("small", true)},
		}),
		"other values": core.MustModel("m", core.ResourceSpec{
			Name: "secret_item", APIName: "Item", Fields: []core.FieldSpec{key, name, field("count", true), field("small", true)},
		}),
	} {
		store, _ := servertest.Store(t, m, inventoryTables...)
		item := m.Resource("secret_item")
		_, err := store.Insert(t.Context(), item, servertest.Record(t, item, map[string]any{"secret_name": "a", "secret_count": 4321, "secret_small": 1}))
		var e *core.Error
		if !errors.As(err, &e) || e.Code != core.ValidationFailed || len(e.Violations) != 1 || e.Violations[0].Accepted != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestViolationCauseNamesConstraint(t *testing.T) {
	store, _ := servertest.Store(t, inventory, inventoryTables...)
	item := inventory.Resource("secret_item")
	for want, fields := range map[string]map[string]any{
		`SQLSTATE 23514, constraint "secret_both", table "secret_item"`:     {"secret_name": "a", "secret_count": 4321, "secret_small": 1},
		`SQLSTATE 23514, constraint "secret_positive", table "secret_item"`: {"secret_name": "a", "secret_count": -4321},
		`SQLSTATE 23505, constraint "secret_once", table "secret_item"`:     {"secret_name": "a", "secret_code": "secret_value"},
		`secret_rule`: {"secret_name": "raise"},
	} {
		_, err := store.Insert(t.Context(), item, servertest.Record(t, item, fields))
		var inner interface{ Redacted() string }
		if !errors.As(err, &inner) || !strings.Contains(inner.Redacted(), want) || strings.Contains(inner.Redacted(), "4321") ||
			strings.Contains(inner.Redacted(), "secret_value") || strings.Contains(inner.Redacted(), "secret_message") {
			t.Errorf("%v: for logs without values %v, want %s", err, inner, want)
		}
		if e := core.AsError(err); strings.Contains(e.Message, "secret") {
			t.Errorf("public message %s", e.Message)
		}
	}
}

func TestUnknownTargetIsNamed(t *testing.T) {
	store, _ := servertest.Store(t, inventory, inventoryTables...)
	item := inventory.Resource("secret_item")
	_, err := store.Insert(t.Context(), item, servertest.Record(t, item, map[string]any{"secret_name": "a", "secret_shelf": 77}))
	var e *core.Error
	if !errors.As(err, &e) || e.Resource != "Shelf" || e.Key != core.IntValue(77) {
		t.Errorf("got %v", err)
	}
}

func TestReferencedRowCannotBeDeleted(t *testing.T) {
	store, _ := servertest.Store(t, inventory, inventoryTables...)
	item, shelf := inventory.Resource("secret_item"), inventory.Resource("secret_shelf")
	if _, err := store.Insert(t.Context(), item, servertest.Record(t, item, map[string]any{"secret_name": "a", "secret_shelf": 1})); err != nil {
		t.Fatal(err)
	}
	err := store.Delete(t.Context(), shelf, core.IntValue(1))
	var e *core.Error
	if !errors.As(err, &e) || e.Code != core.StillReferenced || e.Resource != "Item" || e.Field != "shelf" {
		t.Errorf("got %v", err)
	}
}

func TestResultsShowDatabaseChanges(t *testing.T) {
	store, _ := servertest.Store(t, inventory, inventoryTables...)
	item := inventory.Resource("secret_item")
	got, err := store.Insert(t.Context(), item,
		servertest.Record(t, item, map[string]any{"secret_name": "shout", "secret_count": 21}),
		servertest.Record(t, item, map[string]any{"secret_name": "b", "secret_label": "mine"}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"secret_item{secret_id:2 secret_name:SHOUT secret_count:21 secret_small:null secret_ratio:null" +
			" secret_code:null secret_shelf:null secret_twice:42 secret_label:none}",
		"secret_item{secret_id:3 secret_name:b secret_count:null secret_small:null secret_ratio:null" +
			" secret_code:null secret_shelf:null secret_twice:null secret_label:mine}",
	} {
		if got[i].String() != want {
			t.Errorf("got  %v\nwant %v", got[i], want)
		}
	}
	updated, err := store.Update(t.Context(), item, servertest.Record(t, item, map[string]any{"secret_id": 2, "secret_count": 4}))
	if err != nil || updated[0].Get("secret_twice") != core.IntValue(8) {
		t.Errorf("got %v %v", updated, err)
	}
}

// incompressible returns a string of the given size that an index cannot compress.
func incompressible(size int) string {
	b := make([]byte, size/2)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func TestOversizedIndexEntryNamesField(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "indexed", APIName: "Indexed", Type: core.Text, Indexed: true},
			{Name: "unique", APIName: "Unique", Type: core.Text, Unique: true}, {Name: "plain", Type: core.Text},
			{Name: "left", APIName: "Left", Type: core.Text}, {Name: "right", APIName: "Right", Type: core.Text},
		}},
		core.ResourceSpec{Name: "key", APIName: "Key", Fields: []core.FieldSpec{{Name: "id", APIName: "ID", Type: core.Text, Key: true}}})
	s, _ := servertest.Store(t, m, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, indexed text, "unique" text UNIQUE, plain text, "left" text, "right" text)`,
		`CREATE INDEX ON $S.thing (indexed, id)`, `CREATE INDEX ON $S.thing ("left", "right")`, `CREATE TABLE $S.key (id text PRIMARY KEY)`)
	thing, key := m.Resource("thing"), m.Resource("key")
	const reason = "a shorter value; an index of the field holds about 2,700 bytes"
	for _, size := range []int{6000, 40_000} {
		for name, external := range map[string]string{"indexed": "Indexed", "unique": "Unique", "left": "Left", "right": "Right"} {
			expect := func(how string, err error) {
				t.Helper()
				var e *core.Error
				if !errors.As(err, &e) || e.Code != core.BadFieldValue || e.Resource != "Thing" || e.Field != external || e.Accepted != reason {
					t.Errorf("%s of %d bytes for %s: %v", how, size, name, err)
				}
			}
			long := map[string]any{name: incompressible(size), "plain": incompressible(2 * size)}
			_, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, long))
			expect("insert", err)
			got, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, nil))
			servertest.Must(t, err)
			long["id"] = got[0].Key()
			_, err = s.Update(t.Context(), thing, servertest.Record(t, thing, long))
			expect("update", err)
		}
		_, err := s.Insert(t.Context(), key, servertest.Record(t, key, map[string]any{"id": incompressible(size)}))
		var e *core.Error
		if !errors.As(err, &e) || e.Code != core.BadFieldValue || e.Resource != "Key" || e.Field != "ID" || e.Accepted != reason {
			t.Errorf("key of %d bytes: %v", size, err)
		}
		if _, err := s.Get(t.Context(), key, core.TextValue(incompressible(size))); !errors.Is(err, core.NotFound) {
			t.Errorf("got %v", err)
		}
	}
}

func TestServerLimitIsBadRequest(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "words", APIName: "Words", Type: core.Text}, {Name: "text", APIName: "Text", Type: core.Text},
	}})
	s, _ := servertest.Store(t, m, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, words tsvector, text text)`, `CREATE INDEX ON $S.thing (lower(text))`)
	thing := m.Resource("thing")
	for field, want := range map[string]core.Code{"words": core.BadFieldValue, "text": core.BadRequest} {
		text := map[string]string{"words": strings.Repeat("x", 3000), "text": incompressible(6000)}[field]
		_, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{field: text}))
		if e := core.AsError(err); err == nil || e.Code != want || want == core.BadFieldValue && e.Field != "Words" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestListNumbersOutOfRangeNameField(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "good", Type: core.JSON}, {Name: "list", Type: core.List}, {Name: "tags", ToMany: "tag"},
		}})
	store, _ := servertest.Store(t, m, `CREATE TABLE $S.tag (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)`,
		`CREATE TABLE $S.thing (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, good jsonb, list real[], tags integer[])`)
	thing := m.Resource("thing")
	one, err := store.Insert(t.Context(), thing, servertest.Record(t, thing, nil))
	servertest.Must(t, err)
	for field, value := range map[string]any{
		"list": json.RawMessage(`[1e-300]`), "tags": []any{1, 1 << 40},
	} {
		good := servertest.Record(t, thing, map[string]any{"good": 1, "list": []any{}, "tags": []any{1}})
		bad := map[string]any{"good": 1, field: value}
		_, alone := store.Insert(t.Context(), thing, servertest.Record(t, thing, bad))
		_, several := store.Insert(t.Context(), thing, good, servertest.Record(t, thing, bad))
		bad["id"] = one[0].Key()
		_, updated := store.Update(t.Context(), thing, servertest.Record(t, thing, bad))
		for _, err := range []error{alone, several, updated} {
			var e *core.Error
			if !errors.As(err, &e) || e.Code != core.BadFieldValue || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}

// The foreign key column has the name of the key that it refers to, as in many schemas, so that the detail of an error names
// the same column for both sides.
func TestReferenceViolationsByTable(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "customer", Fields: []core.FieldSpec{{Name: "customer_id", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "customer_order", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "customer_id", ToOne: "customer"}}},
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, {Name: "boss", ToOne: "person"}}})
	const text = `x" is still "customer_order" ("person`
	for _, constraints := range []string{"", " DEFERRABLE INITIALLY DEFERRED", " ON DELETE RESTRICT"} {
		store, _ := servertest.Store(t, m, `CREATE TABLE $S.customer (customer_id text PRIMARY KEY)`,
			`CREATE TABLE $S.customer_order (id serial PRIMARY KEY, customer_id text REFERENCES $S.customer`+constraints+`)`,
			`CREATE TABLE $S.person (id text PRIMARY KEY, boss text REFERENCES $S.person`+constraints+`)`,
			`INSERT INTO $S.customer VALUES ('`+text+`')`, `INSERT INTO $S.customer_order (customer_id) VALUES ('`+text+`')`,
			`INSERT INTO $S.person VALUES ('`+text+`', '`+text+`'), ('b', '`+text+`')`)
		customer, order, person := m.Resource("customer"), m.Resource("customer_order"), m.Resource("person")
		for _, c := range []struct {
			name     string
			work     func(ctx context.Context, s core.Querier) error
			code     core.Code
			resource string
			key      string
		}{
			{"deletion", func(ctx context.Context, s core.Querier) error {
				return s.Delete(ctx, customer, core.TextValue(text))
			}, core.StillReferenced, "customer_order", ""},
			{"deletion in a tree", func(ctx context.Context, s core.Querier) error {
				return s.Delete(ctx, person, core.TextValue(text))
			}, core.StillReferenced, "person", ""},
			{"insertion", func(ctx context.Context, s core.Querier) error {
				_, err := s.Insert(ctx, order, servertest.Record(t, order, map[string]any{"customer_id": text + "2"}))
				return err
			}, core.NotFound, "customer", text + "2"},
			{"insertion in a tree", func(ctx context.Context, s core.Querier) error {
				_, err := s.Insert(ctx, person, servertest.Record(t, person, map[string]any{"id": "c", "boss": text + "2"}))
				return err
			}, core.NotFound, "person", text + "2"},
			{"update", func(ctx context.Context, s core.Querier) error {
				_, err := s.Update(ctx, order, servertest.Record(t, order, map[string]any{"id": 1, "customer_id": "none"}))
				return err
			}, core.NotFound, "customer", "none"},
		} {
			check := func(end string, err error) {
				t.Helper()
				var e *core.Error
				if !errors.As(err, &e) || e.Code != c.code || e.Resource != c.resource || e.Key.Text() != c.key {
					t.Errorf("%s%s, %s: got %v", c.name, constraints, end, err)
				}
			}
			check("along with its commit", store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				return c.work(ctx, tx.Final())
			}))
			check("before its commit", store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				return c.work(ctx, tx)
			}))
			check("before another operation", store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				if err := c.work(ctx, tx); err != nil {
					return err
				}
				_, err := tx.Final().Insert(ctx, customer, servertest.Record(t, customer, map[string]any{"customer_id": "new"}))
				return err
			}))
		}
	}
}

// Row security hides the detail of the error from the role.
func TestReferenceViolationsUnderRowSecurity(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "shelf", ToOne: "shelf"}, {Name: "up", ToOne: "item"}}})
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.shelf (id bigserial PRIMARY KEY); INSERT INTO $S.shelf DEFAULT VALUES;
		CREATE TABLE $S.item (id bigserial PRIMARY KEY, shelf bigint REFERENCES $S.shelf, up bigint REFERENCES $S.item); INSERT INTO $S.item (shelf) VALUES (1);
		INSERT INTO $S.item (up) VALUES (1); ALTER TABLE $S.shelf ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $S.shelf USING (true);
		ALTER TABLE $S.item ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $S.item USING (true)`))
	server := login(t, schema, "ALL ON ALL TABLES IN SCHEMA $S", "ALL ON ALL SEQUENCES IN SCHEMA $S")
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, server), schema, postgres.Options{}))
	servertest.Must(t, err)
	shelf, item := m.Resource("shelf"), m.Resource("item")
	insert := func(field string) error {
		_, err := store.Insert(t.Context(), item, servertest.Record(t, item, map[string]any{field: 77}))
		return err
	}
	for name, c := range map[string]struct {
		err      error
		code     core.Code
		resource string
	}{
		"deletion":            {store.Delete(t.Context(), shelf, core.IntValue(1)), core.StillReferenced, "item"},
		"deletion in a tree":  {store.Delete(t.Context(), item, core.IntValue(1)), core.StillReferenced, "item"},
		"insertion":           {insert("shelf"), core.NotFound, "shelf"},
		"insertion in a tree": {insert("up"), core.NotFound, "item"},
	} {
		var e *core.Error
		if !errors.As(c.err, &e) || e.Code != c.code || e.Resource != c.resource {
			t.Errorf("%s: got %v", name, c.err)
		}
	}
}

// skipTrigger is a trigger that skips rows with the name skip.
var skipTrigger = []string{
	`CREATE TABLE $S.row (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text)`,
	`CREATE FUNCTION $S.skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'skip' THEN RETURN NULL; END IF; RETURN NEW; END $$`,
	`CREATE TRIGGER skip BEFORE INSERT OR UPDATE ON $S.row FOR EACH ROW EXECUTE FUNCTION $S.skip()`,
}

func TestSkippedRowIsBadRequest(t *testing.T) {
	store, _ := servertest.Store(t, servertest.Numbered, skipTrigger...)
	row := servertest.Numbered.Resource("row")
	named := func(name string) core.Record { return servertest.Record(t, row, map[string]any{"name": name}) }
	far := servertest.Record(t, row, map[string]any{"id": 100, "name": "skip"})
	for what, insert := range map[string]func(ctx context.Context) error{
		"alone":      func(ctx context.Context) error { _, err := store.Insert(ctx, row, named("skip")); return err },
		"with a key": func(ctx context.Context) error { _, err := store.Insert(ctx, row, far); return err },
		"several": func(ctx context.Context) error {
			_, err := store.Insert(ctx, row, named("skip"), named("skip"))
			return err
		},
		"in transactions": func(ctx context.Context) error {
			return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
				if _, err := tx.Insert(ctx, row, named("kept")); err != nil {
					return err
				}
				_, err := tx.Insert(ctx, row, named("skip"))
				return err
			})
		},
	} {
		if err := insert(t.Context()); !errors.Is(err, core.BadRequest) || errors.Is(err, core.ErrCommitUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n, err := store.Count(t.Context(), row, core.All()); err != nil || n != 0 {
		t.Errorf("%d rows %v", n, err)
	}
}

func TestPartlySkippedInsertIsUnknownCommit(t *testing.T) {
	store, _ := servertest.Store(t, servertest.Numbered, skipTrigger...)
	row := servertest.Numbered.Resource("row")
	_, some := store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"name": "kept"}), servertest.Record(t, row, map[string]any{"name": "skip"}))
	last := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if _, err := tx.Insert(ctx, row, servertest.Record(t, row, map[string]any{"name": "kept"})); err != nil {
			return err
		}
		_, err := tx.Final().Insert(ctx, row, servertest.Record(t, row, map[string]any{"name": "skip"}))
		return err
	})
	n, err := store.Count(t.Context(), row, core.All())
	servertest.Must(t, err)
	if n != 2 || !errors.Is(some, core.ErrCommitUnknown) || !errors.Is(last, core.ErrCommitUnknown) {
		t.Errorf("%d rows, %v, %v", n, some, last)
	}
}

func TestIdentityAlwaysCannotBeUpdated(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "o", Type: core.Int}}})
	store, _ := servertest.Store(t, m, `CREATE TABLE $S.row (id bigint PRIMARY KEY DEFAULT 1, n bigint GENERATED ALWAYS AS IDENTITY, o bigint)`)
	row := m.Resource("row")
	got, err := store.Insert(t.Context(), row, servertest.Record(t, row, map[string]any{"n": 10}))
	if err != nil || got[0].Get("n") != core.IntValue(10) {
		t.Fatalf("got %v %v", got, err)
	}
	_, err = store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "n": 11}))
	var e *core.Error
	if !errors.As(err, &e) || e.Code != core.FieldReadOnly || e.Field != "n" {
		t.Errorf("got %v", err)
	}
	if _, err = store.Update(t.Context(), row, servertest.Record(t, row, map[string]any{"id": 1, "o": 11})); err != nil {
		t.Error(err)
	}
}

// parts is a model with a key of a text and a day, relations to it, and a unique group with a relation.
var parts = core.MustModel("parts",
	core.ResourceSpec{Name: "secret_part", APIName: "Part", KeyName: "key", Fields: []core.FieldSpec{
		{Name: "secret_code", APIName: "code", Type: core.Text, Key: true}, {Name: "secret_day", APIName: "day", Type: core.Date, Key: true},
	}},
	core.ResourceSpec{Name: "secret_use", APIName: "Use", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "secret_c", APIName: "c", Type: core.Text}, {Name: "secret_d", APIName: "d", Type: core.Date},
		{Name: "secret_part", APIName: "part", ToOne: "secret_part", Via: []string{"secret_c", "secret_d"}},
		{Name: "secret_own", APIName: "own", ToOne: "secret_part", Unique: true}, {Name: "place", Type: core.Text},
	}, Unique: [][]string{{"secret_part", "place"}}},
	core.ResourceSpec{Name: "secret_pin", APIName: "Pin", Unique: [][]string{{"secret_c", "secret_d"}}, Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "secret_c", APIName: "c", Type: core.Text}, {Name: "secret_d", APIName: "d", Type: core.Date},
		{Name: "secret_part", APIName: "part", ToOne: "secret_part", Via: []string{"secret_c", "secret_d"}},
	}},
)

// The server lists the values of several columns without quotes, in the order of the constraint.
func TestViolationsOfSeveralColumns(t *testing.T) {
	for name, statements := range map[string][]string{
		"as DDL makes them": postgres.DDL("$S", parts)[1:],
		"in another order": {
			`CREATE TABLE $S.secret_part (secret_day date, secret_code text, UNIQUE (secret_day, secret_code), PRIMARY KEY (secret_day, secret_code))`,
			`CREATE TABLE $S.secret_use (id serial PRIMARY KEY, secret_c text, secret_d date, secret_own_secret_code text, secret_own_secret_day date, place text,
				UNIQUE (place, secret_d, secret_c), UNIQUE (secret_own_secret_day, secret_own_secret_code),
				FOREIGN KEY (secret_d, secret_c) REFERENCES $S.secret_part (secret_day, secret_code),
				FOREIGN KEY (secret_own_secret_day, secret_own_secret_code) REFERENCES $S.secret_part (secret_day, secret_code))`,
			`CREATE TABLE $S.secret_pin (id serial PRIMARY KEY, secret_c text, secret_d date, UNIQUE (secret_d, secret_c),
				FOREIGN KEY (secret_d, secret_c) REFERENCES $S.secret_part (secret_day, secret_code))`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i, sql := range statements {
				statements[i] = strings.ReplaceAll(sql, `"$S"`, "$S")
			}
			store, _ := servertest.Store(t, parts, statements...)
			part, use, pin := parts.Resource("secret_part"), parts.Resource("secret_use"), parts.Resource("secret_pin")
			for _, code := range []string{"a", "a, b", "x)=(y", "b"} {
				_, err := store.Insert(t.Context(), part, servertest.Record(t, part, map[string]any{"secret_code": code, "secret_day": "2026-11-30"}))
				servertest.Must(t, err)
			}
			_, err := store.Insert(t.Context(), use, servertest.Record(t, use, map[string]any{"id": 1, "secret_part": "a%2C b,2026-11-30", "secret_own": "a,2026-11-30", "place": "p, q"}))
			servertest.Must(t, err)
			_, err = store.Insert(t.Context(), pin, servertest.Record(t, pin, map[string]any{"secret_part": "b,2026-11-30"}))
			servertest.Must(t, err)
			for _, c := range []struct {
				name   string
				r      *core.Resource
				fields map[string]any
				want   *core.Error
			}{
				{"a taken group of a relation's fields", pin, map[string]any{"secret_part": "b,2026-11-30"}, pin.Indexes()[0].AlreadyExists()},
				{"a taken key", part, map[string]any{"key": "a%2C b,2026-11-30"}, part.Key().AlreadyExists()},
				{"a taken key with parentheses", part, map[string]any{"key": "x)=(y,2026-11-30"}, part.Key().AlreadyExists()},
				{"a taken partner", use, map[string]any{"secret_own": "a,2026-11-30"}, use.Field("secret_own").AlreadyExists()},
				{"a taken group", use, map[string]any{"secret_part": "a%2C b,2026-11-30", "place": "p, q"}, use.Indexes()[0].AlreadyExists()},
				{"a missing target", use, map[string]any{"secret_own": "c,2026-11-30"}, part.NotFound(core.TextValue("c,2026-11-30"))},
				{"a missing target of fields", use, map[string]any{"secret_c": "a", "secret_d": "2026-12-01"}, part.NotFound(core.TextValue("a,2026-12-01"))},
			} {
				_, err := store.Insert(t.Context(), c.r, servertest.Record(t, c.r, c.fields))
				got := core.AsError(err)
				if got.Code != c.want.Code || got.Resource != c.want.Resource || got.Field != c.want.Field || strings.Join(got.Fields, " ") != strings.Join(c.want.Fields, " ") ||
					got.Key.String() != c.want.Key.String() {
					t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
				}
			}
			for _, key := range []string{"a,2026-11-30", "a%2C b,2026-11-30"} {
				k, err := part.Key().Convert(key)
				servertest.Must(t, err)
				want := map[string]string{"a,2026-11-30": "own", "a%2C b,2026-11-30": "part"}[key]
				if err := core.AsError(store.Delete(t.Context(), part, k)); err.Code != core.StillReferenced || err.Field != want {
					t.Errorf("delete of %s: %v, want %s", key, err, want)
				}
			}
			taken, err := part.Key().Convert("a%2C b,2026-11-30")
			servertest.Must(t, err)
			_, err = store.Insert(t.Context(), part, servertest.Record(t, part, map[string]any{"key": "z,2026-11-30"}), servertest.Record(t, part, map[string]any{"key": taken}))
			if got := core.AsError(err); got.Code != core.AlreadyExists || got.Value != taken {
				t.Errorf("%+v does not name the taken key", got)
			}
		})
	}
}

func TestMatchFullNamesTheFieldsToSetTogether(t *testing.T) {
	m := core.MustModel("full",
		core.ResourceSpec{Name: "secret_shelf", Fields: []core.FieldSpec{{Name: "a", Type: core.Int, Key: true}, {Name: "b", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "secret_box", APIName: "Box", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "secret_a", APIName: "a", Type: core.Int}, {Name: "secret_b", APIName: "b", Type: core.Text},
			{Name: "secret_shelf", APIName: "shelf", ToOne: "secret_shelf", Via: []string{"secret_a", "secret_b"}},
		}},
	)
	store, _ := servertest.Store(t, m,
		`CREATE TABLE $S.secret_shelf (a int, b text, PRIMARY KEY (a, b))`,
		`CREATE TABLE $S.secret_box (id serial PRIMARY KEY, secret_a int, secret_b text, FOREIGN KEY (secret_a, secret_b) REFERENCES $S.secret_shelf MATCH FULL)`,
		`INSERT INTO $S.secret_shelf VALUES (1, 'x')`)
	box := m.Resource("secret_box")
	_, err := store.Insert(t.Context(), box, servertest.Record(t, box, map[string]any{"secret_b": "x"}))
	if e := core.AsError(err); e.Code != core.ValidationFailed || len(e.Violations) != 1 || e.Violations[0].Accepted != "other values of a, b; set all of them, or none" {
		t.Errorf("one null: %v", err)
	}
	_, err = store.Insert(t.Context(), box, servertest.Record(t, box, map[string]any{"secret_a": 2, "secret_b": "x"}))
	if e := core.AsError(err); e.Code != core.NotFound || e.Resource != "secret_shelf" || e.Key.String() != "2,x" {
		t.Errorf("no target: %v", err)
	}
}
