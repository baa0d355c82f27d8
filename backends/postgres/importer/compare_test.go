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
			if left := leftOut(s.imported); left != nil {
				t.Errorf("left out:\n\t%s", strings.Join(left, "\n\t"))
			}
			for _, r := range s.model.Resources() {
				t.Run(r.Name(), func(t *testing.T) {
					c := s.compare(t, r)
					c.records(t)
					records += len(c.keys)
					for _, f := range r.Columns() {
						c.sorts(t, f)
						if f.Parts() == nil {
							c.filters(t, f)
						} else {
							c.filtersParts(t, f)
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

// keyParts returns the fields of the resource's key.
func keyParts(r *core.Resource) []*core.Field {
	if parts := r.Key().Parts(); parts != nil {
		return parts
	}
	return []*core.Field{r.Key()}
}

// columnsOf returns the columns of fields.
func (c *comparison) columnsOf(fields []*core.Field) []column {
	columns := make([]column, len(fields))
	for i, f := range fields {
		columns[i] = c.columns[f.Name()]
	}
	return columns
}

// keyOrder is SQL that orders by the key.
func (c *comparison) keyOrder() string { return c.ordered(keyParts(c.resource), "") }

// ordered is SQL that orders by the fields, in the direction.
func (c *comparison) ordered(fields []*core.Field, direction string) string {
	terms := make([]string, len(fields))
	for i, f := range fields {
		terms[i] = c.columns[f.Name()].ordered(f) + direction
	}
	return strings.Join(terms, ", ")
}

// orderedUnless is like ordered, but the records with the condition are equal.
func (c *comparison) orderedUnless(condition string, fields []*core.Field, direction string) string {
	terms := make([]string, len(fields))
	for i, f := range fields {
		terms[i] = "CASE WHEN NOT " + condition + " THEN " + c.columns[f.Name()].ordered(f) + " END" + direction
	}
	return strings.Join(terms, ", ")
}

// keyText is an SQL expression for a key as text.
func (c *comparison) keyText() string { return textOf(c.columnsOf(keyParts(c.resource))) }

// textOf is an SQL expression for a value as text, or for several values as the text of a JSON array.
func textOf(columns []column) string {
	if len(columns) == 1 {
		return columns[0].text()
	}
	texts := make([]string, len(columns))
	for i, col := range columns {
		texts[i] = col.text()
	}
	return "json_build_array(" + strings.Join(texts, ", ") + ")::text"
}

// textsOf returns the values in a text of textOf.
func textsOf(text string, n int) []string {
	if n == 1 {
		return []string{text}
	}
	texts := make([]string, 0, n)
	elements, _ := decoded(text).([]any)
	for _, element := range elements {
		text, _ := element.(string)
		texts = append(texts, text)
	}
	return texts
}

var unescapePart = strings.NewReplacer("%2C", ",", "%25", "%")

// sameKey reports whether an id of the API is the key that SQL spells as text.
func (c *comparison) sameKey(text string, shown any) bool {
	parts := keyParts(c.resource)
	if len(parts) == 1 {
		return c.columnsOf(parts)[0].same(text, shown)
	}
	id, isText := shown.(string)
	shownParts, texts := strings.Split(id, ","), textsOf(text, len(parts))
	if !isText || len(shownParts) != len(parts) || len(texts) != len(parts) {
		return false
	}
	for i, col := range c.columnsOf(parts) {
		if !col.same(texts[i], asShown(c.resource.Key().ElementTypes()[i], unescapePart.Replace(shownParts[i]))) {
			return false
		}
	}
	return true
}

// asShown returns the text of a part of a key as a body shows the value.
func asShown(t core.Type, text string) any {
	switch t {
	case core.Int:
		return json.Number(text)
	case core.Bool:
		return text == "true"
	}
	return text
}

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
	var pairs []string
	for _, f := range c.resource.Columns() {
		if f.Parts() != nil {
			continue
		}
		col, ok := c.columns[f.Name()]
		if !ok {
			t.Fatalf("no column %s", f.Name())
		}
		pairs = append(pairs, fmt.Sprintf("%s, %s", literal(f.Name()), col.text()))
	}
	for _, pair := range c.query(t, "SELECT json_build_array("+c.keyText()+", json_build_object("+strings.Join(pairs, ", ")+"))::text FROM "+table(c.resource)+
		" ORDER BY "+c.keyOrder()) {
		row := make(map[string]string)
		both, _ := decoded(pair).([]any)
		id, _ := both[0].(string)
		members, _ := both[1].(map[string]any)
		for name, value := range members {
			if value != nil {
				row[name], _ = value.(string)
			}
		}
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
	}
	for _, f := range c.resource.Columns() {
		c.column(t, f)
	}
	if n := min(3, len(c.keys)); n > 0 { // the same record by its id
		for _, key := range []string{c.keys[0], c.keys[len(c.keys)/2], c.keys[len(c.keys)-1]} {
			answer := c.request(t, "GET", c.target(key), "")
			if answer.Code != http.StatusOK || !reflect.DeepEqual(decoded(answer.Body.String()), any(c.shown[key])) {
				t.Errorf("%s: %d %s, and in the list %v", key, answer.Code, answer.Body, c.shown[key])
			}
		}
	}
	for _, f := range c.resource.Fields() {
		switch near, _ := f.Through(); {
		case near != nil:
			c.through(t, f)
		case f.Inverse() != nil && !f.Stored():
			c.related(t, f)
		}
	}
}

// column compares a field in every record.
func (c *comparison) column(t *testing.T, f *core.Field) {
	t.Helper()
	same := c.columns[f.Name()].same
	if f.Key() {
		same = c.sameKey
	} else if f.Parts() != nil {
		same = c.compare(t, f.Target()).sameKey
	}
	for _, key := range c.keys {
		text, set := c.text(key, f)
		value, shown := c.shown[key][f.APIName()]
		if set != shown || set && !same(text, value) {
			t.Fatalf("%s of %s: the API shows %v and SQL %q", f.Name(), key, value, text)
		}
	}
}

// text returns the value of a field in a record, as SQL spells it; false for null.
func (c *comparison) text(key string, f *core.Field) (text string, set bool) {
	if f.Parts() == nil {
		text, set = c.rows[key][f.Name()]
		return text, set
	}
	texts := make([]string, len(f.Parts()))
	for i, part := range f.Parts() {
		if texts[i], set = c.rows[key][part.Name()]; !set {
			return "", false
		}
	}
	if len(texts) == 1 {
		return texts[0], true
	}
	list, _ := json.Marshal(texts)
	return string(list), true
}

// shownIDs is the number of ids that a list side shows at most.
const shownIDs = 1000

// related compares a relation that another table stores.
func (c *comparison) related(t *testing.T, f *core.Field) {
	t.Helper()
	other := c.compare(t, f.Target())
	owners := other.columnsOf(stored(f.Inverse()))
	c.lists(t, f, other, c.pairs(t, len(owners), "SELECT json_build_array("+textOf(owners)+", "+other.keyText()+")::text FROM "+table(f.Target())+
		" WHERE NOT "+isNull(owners)+" ORDER BY "+other.keyOrder()))
}

// through compares a list through a join table.
func (c *comparison) through(t *testing.T, f *core.Field) {
	t.Helper()
	near, far := f.Through()
	links, other := c.compare(t, near.Resource()), c.compare(t, f.Target())
	var fars, keys, on []string
	for i, col := range links.columnsOf(stored(far)) {
		fars = append(fars, fmt.Sprintf("%s AS f%d", col.name, i))
		keys = append(keys, fmt.Sprintf("%s AS k%d", other.columnsOf(keyParts(f.Target()))[i].name, i))
		on = append(on, fmt.Sprintf("f%d = k%d", i, i))
	}
	owners := links.columnsOf(stored(near))
	c.lists(t, f, other, c.pairs(t, len(owners), "SELECT json_build_array(owner, id)::text"+
		" FROM (SELECT "+textOf(owners)+" AS owner, "+strings.Join(fars, ", ")+" FROM "+table(near.Resource())+" WHERE NOT "+isNull(owners)+") l"+
		" JOIN (SELECT "+other.keyText()+" AS id, row_number() OVER (ORDER BY "+other.keyOrder()+") AS n, "+strings.Join(keys, ", ")+" FROM "+table(f.Target())+") t"+
		" ON "+strings.Join(on, " AND ")+" ORDER BY n"))
}

// stored returns the fields that hold a relation.
func stored(f *core.Field) []*core.Field {
	if parts := f.Parts(); parts != nil {
		return parts
	}
	return []*core.Field{f}
}

// pairs returns the second values of the pairs that a query has, by the first ones: keys of n columns.
func (c *comparison) pairs(t *testing.T, n int, sql string) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for _, pair := range c.query(t, sql) {
		texts, _ := decoded(pair).([]any)
		parent, _ := texts[0].(string)
		child, _ := texts[1].(string)
		if n > 1 { // spelled as in the keys
			list, _ := json.Marshal(textsOf(parent, n))
			parent = string(list)
		}
		all[parent] = append(all[parent], child)
	}
	return all
}

// lists compares the other side of a relation with the keys of its records.
func (c *comparison) lists(t *testing.T, f *core.Field, other *comparison, children map[string][]string) {
	t.Helper()
	for id, record := range c.shown {
		value, shown := record[f.APIName()]
		ids, _ := value.([]any)
		key, _ := c.text(id, c.resource.Key())
		want := children[key]
		if !f.Many() {
			if shown != (len(want) == 1) || shown && !other.sameKey(want[0], value) {
				t.Errorf("%s of %s: the API shows %v and SQL %v", f.Name(), id, value, want)
			}
			continue
		}
		if _, more := record[f.APIName()+"@next"]; more != (len(want) > shownIDs) {
			t.Errorf("%s of %s has %d ids, and a link to more: %v", f.Name(), id, len(want), more)
		}
		want = want[:min(len(want), shownIDs)]
		if !slices.EqualFunc(want, ids, other.sameKey) {
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
		if i >= len(got) || i >= len(want) || !c.sameKey(want[i], got[i]) {
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
	fields := f.Parts()
	if fields == nil {
		fields = []*core.Field{f}
	}
	limit := max(1, min(1000, len(c.keys)/2))
	null := isNull(c.columnsOf(fields))
	for _, sort := range []struct{ field, order string }{
		{f.APIName(), null + ", " + c.orderedUnless(null, fields, " ASC")}, {"-" + f.APIName(), null + " DESC, " + c.orderedUnless(null, fields, " DESC")},
	} {
		names, err := json.Marshal([]string{sort.field})
		if err != nil {
			t.Fatal(err)
		}
		c.ids(t, url.Values{"sort": {string(names)}}, limit, "SELECT "+c.keyText()+" AS id_ FROM "+table(c.resource)+" ORDER BY "+sort.order+", "+c.keyOrder())
	}
}

// isNull is an SQL condition: one of the columns is null.
func isNull(columns []column) string {
	conditions := make([]string, len(columns))
	for i, col := range columns {
		conditions[i] = col.name + " IS NULL"
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
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
	filter := func(operator string, value any, condition string) {
		t.Helper()
		c.filter(t, f, operator, value, condition)
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

// filtersParts compares conditions on a key of several fields, or on a relation with parts.
func (c *comparison) filtersParts(t *testing.T, f *core.Field) {
	t.Helper()
	null := isNull(c.columnsOf(f.Parts()))
	c.filter(t, f, "eq", nil, null)
	c.filter(t, f, "ne", nil, "NOT "+null)
	var known []string
	for _, i := range []int{0, len(c.keys) / 2, len(c.keys) - 1} {
		if i < 0 || i >= len(c.keys) {
			continue
		}
		text, set := c.text(c.keys[i], f)
		if !set || slices.Contains(known, text) {
			continue
		}
		known = append(known, text)
		value := c.shown[c.keys[i]][f.APIName()]
		var names, values []string
		for j, text := range textsOf(text, len(f.Parts())) {
			part := f.Parts()[j]
			col := c.columns[part.Name()]
			_, same := col.comparable(text)
			if spelled(part, col) {
				same = literal(text)
			}
			names, values = append(names, col.ordered(part)), append(values, same)
		}
		row, same := "ROW("+strings.Join(names, ", ")+")", "ROW("+strings.Join(values, ", ")+")"
		c.filter(t, f, "eq", value, row+" = "+same)
		c.filter(t, f, "in", []any{value, nil}, "("+row+" = "+same+" OR "+null+")")
		c.filter(t, f, "ne", value, "("+row+" = "+same+") IS NOT TRUE")
		for operator, sign := range map[string]string{"lt": "<", "le": "<=", "gt": ">", "ge": ">="} {
			c.filter(t, f, operator, value, "NOT "+null+" AND "+row+" "+sign+" "+same)
		}
	}
}

// filter compares a condition of the API with one of SQL.
func (c *comparison) filter(t *testing.T, f *core.Field, operator string, value any, condition string) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any{f.APIName(): map[string]any{operator: value}}); err != nil {
		t.Fatal(err)
	}
	c.ids(t, url.Values{"filter": {strings.TrimSpace(b.String())}}, 1000,
		"SELECT "+c.keyText()+" AS id_ FROM "+table(c.resource)+" WHERE "+condition+" ORDER BY "+c.keyOrder())
}

// literal returns a string of SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
