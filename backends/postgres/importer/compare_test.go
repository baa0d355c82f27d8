package importer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/core"
)

// missing lists the tables of the samples that the importer leaves out. All of them have keys of several columns.
var missing = map[string][]string{
	"chinook":   {"playlist_track"},
	"northwind": {"customer_customer_demo", "employee_territories", "order_details"},
	"pagila":    {"film_actor", "film_category", "payment"},
}

// leftOut returns the tables that an import left out.
func leftOut(imported *importer.Result) (tables []string) {
	for _, n := range imported.Notes {
		if n.Kind == importer.LeftOut && n.Object == "" {
			tables = append(tables, n.Table)
		}
	}
	return tables
}

// The API of an imported database shows the records that SQL shows, and filters, sorts and pages as SQL does.
func TestImportedDatabaseReadsAsInSQL(t *testing.T) {
	for _, sample := range samples(t) {
		t.Run(sample.name, func(t *testing.T) {
			s, records := sample.serve(t, sample.load(t)), 0
			if left := leftOut(s.imported); !slices.Equal(left, missing[sample.name]) {
				t.Errorf("left out:\n\t%s\nwant\n\t%s", strings.Join(left, "\n\t"), strings.Join(missing[sample.name], "\n\t"))
			}
			for _, r := range s.model.Resources() {
				t.Run(r.Name(), func(t *testing.T) {
					c := s.compare(t, r)
					c.records(t)
					records += len(c.keys)
					for _, f := range r.Fields() {
						if f.Stored() {
							c.sorts(t, f)
							c.filters(t, f)
						}
					}
				})
			}
			t.Logf("note: %s: %d resources with %d records read as in SQL", sample.name, len(s.model.Resources()), records)
		})
	}
}

// comparison is a resource, its columns by the names of the fields, and its rows.
type comparison struct {
	*served
	resource *core.Resource
	columns  map[string]column
	keys     []string                     // ascending, as SQL spells them
	rows     map[string]map[string]string // by key and column, as SQL spells the values; null has no entry
	shown    map[string]map[string]any    // records of the API by key
}

// column is a column of a table.
type column struct {
	name     string // quoted
	typ      string // name in pg_type, that of the base type of a domain
	declared string
	scale    bool // numeric with a scale
	enum     bool
}

func (s *served) compare(t *testing.T, r *core.Resource) *comparison {
	t.Helper()
	c := &comparison{served: s, resource: r, columns: make(map[string]column), rows: make(map[string]map[string]string)}
	rows, err := s.conn.Query(t.Context(), `
		SELECT attname, b.typname, format_type(atttypid, atttypmod), b.typname = 'numeric' AND atttypmod >= 4 AND (atttypmod - 4) & 2047 > 0, b.typtype = 'e'
		FROM pg_attribute a, pg_type t, pg_type b
		WHERE attrelid = format('public.%I', $1::text)::regclass AND attnum > 0 AND NOT attisdropped
			AND t.oid = atttypid AND b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END`, r.Name())
	if err != nil {
		t.Fatal(err)
	}
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var name string
		var col column
		var scale *bool
		err := row.Scan(&name, &col.typ, &col.declared, &scale, &col.enum)
		col.name, col.scale = pgx.Identifier{name}.Sanitize(), scale != nil && *scale
		c.columns[name] = col
		return struct{}{}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// table returns the quoted name of the table of a resource.
func table(r *core.Resource) string { return pgx.Identifier{r.Name()}.Sanitize() }

// key returns the column of the resource's key.
func (c *comparison) key() column { return c.columns[c.resource.Key().Name()] }

// text is an SQL expression for the value as text.
func (col column) text() string {
	switch {
	case strings.HasPrefix(col.typ, "_"):
		return "to_jsonb(" + col.name + ")::text"
	case col.typ == "bytea":
		return "replace(encode(" + col.name + ", 'base64'), E'\\n', '')"
	}
	return col.name + "::text"
}

// comparable returns SQL expressions for the column and for one of its values, which are equal if the values are.
func (col column) comparable(text string) (name, value string) {
	switch {
	case strings.HasPrefix(col.typ, "_"):
		return "to_jsonb(" + col.name + ")", "CAST(" + literal(text) + " AS jsonb)"
	case col.typ == "bytea":
		return col.name, "decode(" + literal(text) + ", 'base64')"
	}
	return col.name, "CAST(" + literal(text) + " AS " + col.declared + ")"
}

// isText reports whether the type is a character type. Other types may be held as text.
func (col column) isText() bool {
	return slices.Contains([]string{"text", "varchar", "name", "bpchar"}, col.typ)
}

// ordered is an SQL expression that orders as the API does: text by code point, other types by value.
func (col column) ordered(f *core.Field) string {
	switch {
	case col.isText():
		return col.name + ` COLLATE "C"`
	case spelled(f, col):
		return col.text() + ` COLLATE "C"`
	}
	return col.name
}

// spelled reports whether the model holds values of another type as text.
func spelled(f *core.Field, col column) bool { return f.Type() == core.Text && !col.isText() }

// same reports whether a value of the API is the value that SQL spells as text.
func (col column) same(text string, shown any) bool {
	number, _ := shown.(json.Number)
	str, isString := shown.(string)
	switch col.typ {
	case "int2", "int4", "int8":
		return number.String() == text
	case "float4", "float8":
		want, wanted := strconv.ParseFloat(text, 64)
		got, err := strconv.ParseFloat(number.String(), 64)
		return err == nil && wanted == nil && got == want
	case "bool":
		b, ok := shown.(bool)
		return ok && strconv.FormatBool(b) == text
	case "numeric":
		want, wanted := new(big.Rat).SetString(text)
		got, ok := new(big.Rat).SetString(str)
		return ok && wanted && got.Cmp(want) == 0 && (!col.scale || str == text)
	case "timestamptz":
		want, wanted := time.Parse("2006-01-02 15:04:05.999999-07", text)
		got, err := time.Parse(time.RFC3339Nano, str)
		return err == nil && wanted == nil && got.Equal(want)
	case "timestamp":
		return isString && strings.Replace(str, "T", " ", 1) == text
	case "json", "jsonb":
		return sameJSON(text, shown)
	case "bpchar":
		return isString && str == strings.TrimRight(text, " ")
	}
	if strings.HasPrefix(col.typ, "_") {
		return sameJSON(text, shown)
	}
	return isString && str == text
}

// sameJSON reports whether a JSON text is a value of the API; 1.50 is 1.5.
func sameJSON(text string, shown any) bool {
	var want, got any
	again, err := json.Marshal(shown)
	return err == nil && json.Unmarshal([]byte(text), &want) == nil && json.Unmarshal(again, &got) == nil && reflect.DeepEqual(want, got)
}

// decoded returns the value of a JSON text; nil if it is none.
func decoded(text string) (v any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&v)
	return v
}

// nextPage matches the Link of a page.
var nextPage = regexp.MustCompile(`<([^>]*)>; rel="next"`)

// list returns all elements of a list, page by page. All pages but the last are full.
func (s *served) list(t *testing.T, r *core.Resource, args url.Values, limit int) (elements []any) {
	t.Helper()
	args.Set("limit", strconv.Itoa(limit))
	target := "/" + url.PathEscape(r.APIName()) + "?" + args.Encode()
	for {
		answer := s.request(t, "GET", target, "")
		if answer.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", unescaped(target), answer.Code, answer.Body)
		}
		page, _ := decoded(answer.Body.String()).([]any)
		elements = append(elements, page...)
		next := nextPage.FindStringSubmatch(answer.Header().Get("Link"))
		switch {
		case next == nil:
			return elements
		case len(page) != limit:
			t.Fatalf("%s: a page of %d, and it is not the last", unescaped(target), len(page))
		}
		target = next[1]
	}
}

func unescaped(target string) string {
	if plain, err := url.QueryUnescape(target); err == nil {
		return plain
	}
	return target
}

// query returns the first column of an SQL query.
func (s *served) query(t *testing.T, sql string, args ...any) []string {
	t.Helper()
	rows, err := s.conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return texts
}

// records compares every record, the relations that other tables store included.
func (c *comparison) records(t *testing.T) {
	t.Helper()
	key := c.key()
	var pairs []string
	for _, f := range c.resource.Fields() {
		if f.Stored() {
			col, ok := c.columns[f.Name()]
			if !ok {
				t.Fatalf("no column %s", f.Name())
			}
			pairs = append(pairs, fmt.Sprintf("%s, %s", literal(f.Name()), col.text()))
		}
	}
	for _, text := range c.query(t, "SELECT json_build_object("+strings.Join(pairs, ", ")+")::text FROM "+table(c.resource)+
		" ORDER BY "+key.ordered(c.resource.Key())) {
		row := make(map[string]string)
		members, _ := decoded(text).(map[string]any)
		for name, value := range members {
			if value != nil {
				row[name], _ = value.(string)
			}
		}
		id := row[c.resource.Key().Name()]
		c.keys, c.rows[id] = append(c.keys, id), row
	}

	elements := c.list(t, c.resource, url.Values{}, max(1, min(1000, len(c.keys)/3)))
	if len(elements) != len(c.keys) {
		t.Fatalf("the API lists %d records and SQL %d", len(elements), len(c.keys))
	}
	c.shown = make(map[string]map[string]any)
	for i, element := range elements {
		record, _ := element.(map[string]any)
		c.shown[c.keys[i]] = record
		for _, f := range c.resource.Fields() {
			if !f.Stored() {
				continue
			}
			text, set := c.rows[c.keys[i]][f.Name()]
			value, shown := record[f.APIName()]
			if set != shown || set && !c.columns[f.Name()].same(text, value) {
				t.Fatalf("%s of %s: the API shows %v and SQL %q", f.Name(), c.keys[i], value, text)
			}
		}
	}
	if n := min(3, len(c.keys)); n > 0 { // the same record by its id
		for _, id := range []string{c.keys[0], c.keys[len(c.keys)/2], c.keys[len(c.keys)-1]} {
			answer := c.request(t, "GET", "/"+url.PathEscape(c.resource.APIName())+"/"+url.PathEscape(id), "")
			if answer.Code != http.StatusOK || !reflect.DeepEqual(decoded(answer.Body.String()), any(c.shown[id])) {
				t.Errorf("%s: %d %s, and in the list %v", id, answer.Code, answer.Body, c.shown[id])
			}
		}
	}
	for _, f := range c.resource.Fields() {
		if f.Inverse() != nil && !f.Stored() {
			c.related(t, f)
		}
	}
}

// shownIDs is the number of ids that a list side shows at most.
const shownIDs = 1000

// related compares a relation that another table stores.
func (c *comparison) related(t *testing.T, f *core.Field) {
	t.Helper()
	other := c.compare(t, f.Target())
	stored, key := other.columns[f.Inverse().Name()], other.key()
	children := make(map[string][]string)
	for _, pair := range c.query(t, "SELECT json_build_array("+stored.text()+", "+key.text()+")::text FROM "+table(f.Target())+
		" WHERE "+stored.name+" IS NOT NULL ORDER BY "+key.ordered(f.Target().Key())) {
		texts, _ := decoded(pair).([]any)
		parent, _ := texts[0].(string)
		child, _ := texts[1].(string)
		children[parent] = append(children[parent], child)
	}
	for id, record := range c.shown {
		value, shown := record[f.APIName()]
		ids, _ := value.([]any)
		want := children[id]
		if !f.Many() {
			if shown != (len(want) == 1) || shown && !key.same(want[0], value) {
				t.Errorf("%s of %s: the API shows %v and SQL %v", f.Name(), id, value, want)
			}
			continue
		}
		if _, more := record[f.APIName()+"@next"]; more != (len(want) > shownIDs) {
			t.Errorf("%s of %s has %d ids, and a link to more: %v", f.Name(), id, len(want), more)
		}
		want = want[:min(len(want), shownIDs)]
		if !slices.EqualFunc(want, ids, key.same) {
			t.Errorf("%s of %s: the API shows %v and SQL %v", f.Name(), id, ids, want)
		}
	}
}

// ids compares a list of ids with the result of an SQL query.
func (c *comparison) ids(t *testing.T, args url.Values, limit int, sql string) {
	t.Helper()
	args.Set("depth", "0")
	got, want := c.list(t, c.resource, args, limit), c.query(t, sql)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !c.key().same(want[i], got[i]) {
			t.Errorf("%s: the API lists %d records and SQL %d, which differ from position %d on: %v and %v\n%s",
				unescaped(args.Encode()), len(got), len(want), i, got[i:min(i+5, len(got))], want[i:min(i+5, len(want))], sql)
			return
		}
	}
}

// sorts compares both directions of a sort by the field, in pages.
func (c *comparison) sorts(t *testing.T, f *core.Field) {
	t.Helper()
	if !f.Ordered() {
		c.refusesOrder(t, f)
		return
	}
	col, key := c.columns[f.Name()], c.key().ordered(c.resource.Key())
	limit := max(1, min(1000, len(c.keys)/2))
	from := "SELECT " + c.key().text() + " AS id_ FROM " + table(c.resource) + " ORDER BY "
	for _, sort := range []struct{ field, order string }{
		{f.APIName(), col.ordered(f) + " ASC NULLS LAST, " + key}, {"-" + f.APIName(), col.ordered(f) + " DESC NULLS FIRST, " + key},
	} {
		if f.Key() {
			sort.order = strings.TrimSuffix(sort.order, ", "+key)
		}
		names, err := json.Marshal([]string{sort.field})
		if err != nil {
			t.Fatal(err)
		}
		c.ids(t, url.Values{"sort": {string(names)}}, limit, from+sort.order)
	}
}

// refusesOrder checks that queries cannot sort by the field or compare it by order.
func (c *comparison) refusesOrder(t *testing.T, f *core.Field) {
	t.Helper()
	name, err := json.Marshal(f.APIName())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []url.Values{
		{"sort": {"[" + string(name) + "]"}}, {"filter": {"{" + string(name) + `: {"lt": "x"}}`}}, {"filter": {"{" + string(name) + `: {"ge": "x"}}`}},
	} {
		answer := c.request(t, "GET", "/"+url.PathEscape(c.resource.APIName())+"?"+args.Encode(), "")
		if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "SEARCH_FORBIDDEN") {
			t.Errorf("%s: %d %s", unescaped(args.Encode()), answer.Code, answer.Body)
		}
	}
}

// filters compares conditions on the field, with values of the first, middle and last record and null.
func (c *comparison) filters(t *testing.T, f *core.Field) {
	t.Helper()
	col := c.columns[f.Name()]
	from := "SELECT " + c.key().text() + " AS id_ FROM " + table(c.resource) + " WHERE "
	order := " ORDER BY " + c.key().ordered(c.resource.Key())
	filter := func(operator string, value any, condition string) {
		t.Helper()
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(map[string]any{f.APIName(): map[string]any{operator: value}}); err != nil {
			t.Fatal(err)
		}
		c.ids(t, url.Values{"filter": {strings.TrimSpace(b.String())}}, 1000, from+condition+order)
	}
	filter("eq", nil, col.name+" IS NULL")
	filter("ne", nil, col.name+" IS NOT NULL")
	if !core.FilterEq.Fits(f.Type()) {
		return
	}
	var texts []string
	for _, i := range []int{0, len(c.keys) / 2, len(c.keys) - 1} {
		if i < 0 || i >= len(c.keys) {
			continue
		}
		text, set := c.rows[c.keys[i]][f.Name()]
		if !set || slices.Contains(texts, text) {
			continue
		}
		texts = append(texts, text)
		value := c.shown[c.keys[i]][f.APIName()]
		name, same := col.comparable(text)
		if spelled(f, col) { // equal if spelled alike
			filter("eq", value, col.text()+" = "+literal(text))
			continue
		}
		filter("eq", value, name+" = "+same)
		filter("in", []any{value, nil}, "("+name+" = "+same+" OR "+name+" IS NULL)")
		filter("ne", value, name+" IS DISTINCT FROM "+same)
		if !f.Ordered() {
			continue
		}
		for operator, sign := range map[string]string{"lt": "<", "le": "<=", "gt": ">", "ge": ">="} {
			filter(operator, value, col.ordered(f)+" "+sign+" "+same)
		}
		if str, isText := value.(string); isText && f.Type() == core.Text {
			prefix := str[:min(len(str), 1)]
			if prefix < "\x80" {
				filter("prefix", prefix, "starts_with("+col.name+", "+literal(prefix)+")")
			}
		}
	}
}

// literal returns a string of SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
