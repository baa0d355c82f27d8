package importer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// A write through the API changes the rows that the same change in SQL changes: it succeeds or fails as in SQL, and leaves the
// same checksum of every table.
func TestImportedDatabaseChangesAsInSQL(t *testing.T) {
	for _, sample := range samples(t) {
		t.Run(sample.name, func(t *testing.T) {
			template := sample.load(t)
			w := &writes{served: sample.serve(t, newDatabase(t, template)), copied: connect(t, newDatabase(t, template))}
			w.agree(t, "before the first write")
			resources := slices.Clone(w.model.Resources())
			slices.SortStableFunc(resources, func(a, b *core.Resource) int { // views first: later writes may repeat their named keys
				return strings.Compare(strconv.FormatBool(b.ReadOnly()), strconv.FormatBool(a.ReadOnly()))
			})
			for _, r := range resources {
				t.Run(r.Name(), func(t *testing.T) { w.resource(t, r) })
				if t.Failed() {
					return // the databases differ from here on
				}
			}
			t.Logf("note: %s: %d writes as in SQL, and %d that both refuse", sample.name, w.done, w.refused)
		})
	}
}

// Relations and requests that the test above does not reach.
func TestRelationsOfTheFixtureChangeAsInSQL(t *testing.T) {
	sample := samples(t)[0]
	template := sample.load(t)
	w := &writes{served: sample.serve(t, newDatabase(t, template)), copied: connect(t, newDatabase(t, template))}
	const ada, bob = "00000000-0000-4000-8000-000000000003", "00000000-0000-4000-8000-000000000001"
	for _, c := range []struct {
		scenario, method, path, body, sql string
		refused                           bool
	}{
		{
			"several records", "POST", "/item", `[{"order":2,"line":7,"label":"a"},{"order":2,"line":8}]`,
			`INSERT INTO item ("order", line, label) VALUES (2, 7, 'a'), (2, 8, NULL)`, false,
		},
		{
			"a record with a new target", "POST", "/remark", `{"body":"n","item":{"order":1,"line":9,"price":"2.5"}}`,
			`WITH i AS (INSERT INTO item ("order", line, price) VALUES (1, 9, 2.5) RETURNING id) INSERT INTO remark (body, item) SELECT 'n', id FROM i`, false,
		},
		{
			"a record of a chosen key", "PUT", "/passport/10000000-0000-4000-8000-000000000000", `{"customer":3,"expires":"2031-05-06"}`,
			`INSERT INTO passport (id, customer, expires) VALUES ('10000000-0000-4000-8000-000000000000', 3, '2031-05-06')`, false,
		},
		{
			"another parent", "PATCH", "/item/2", `{"order":6}`,
			`UPDATE item SET "order" = 6 WHERE id = 2`, false,
		},
		{
			"a parent with such a line", "PATCH", "/item/1", `{"order":2}`,
			`UPDATE item SET "order" = 2 WHERE id = 1`, true,
		},
		{
			"a parent that does not exist", "PATCH", "/item/1", `{"order":99}`,
			`UPDATE item SET "order" = 99 WHERE id = 1`, true,
		},
		{
			"a taken partner", "PATCH", "/passport/" + ada, `{"customer":2}`,
			`UPDATE passport SET customer = 2 WHERE id = '` + ada + `'`, true,
		},
		{
			"a second record of a partner", "POST", "/passport", `{"customer":2}`,
			`INSERT INTO passport (customer) VALUES (2)`, true,
		},
		{
			"no partner", "PATCH", "/passport/" + bob, `{"customer":null}`,
			`UPDATE passport SET customer = NULL WHERE id = '` + bob + `'`, false,
		},
		{
			"a free partner", "PATCH", "/passport/" + ada, `{"customer":2}`,
			`UPDATE passport SET customer = 2 WHERE id = '` + ada + `'`, false,
		},
		{
			"a record that refers to itself", "PATCH", "/customer/2", `{"invited_by":2}`,
			`UPDATE customer SET invited_by = 2 WHERE id = 2`, false,
		},
		{
			"a replacement keeps records of other tables", "PUT", "/customer/2", `{"name":"Bob"}`,
			`UPDATE customer SET country = NULL, invited_by = NULL, since = NULL WHERE id = 2`, false,
		},
		{
			"a delete that RESTRICT forbids", "DELETE", "/country/DE", ``,
			`DELETE FROM country WHERE code = 'DE'`, true,
		},
		{
			"a delete that NO ACTION forbids", "DELETE", "/customer/1", ``,
			`DELETE FROM customer WHERE id = 1`, true,
		},
		{
			"a delete that a read-only table forbids", "DELETE", "/customer/6", ``,
			`DELETE FROM customer WHERE id = 6`, true,
		},
		{
			"a record of another partition", "POST", "/visit", `{"page":"/c","tariff":"b"}`,
			`INSERT INTO visit (page, tariff) VALUES ('/c', 'b')`, false,
		},
		{
			"a delete sets null in all partitions", "DELETE", "/tariff/b", ``,
			`DELETE FROM tariff WHERE code = 'b'`, false,
		},
		{
			"a delete cascades and sets null behind it", "DELETE", "/order/3", ``,
			`DELETE FROM "order" WHERE id = 3`, false,
		},
		{
			"a delete sets null", "DELETE", "/item/1", ``,
			`DELETE FROM item WHERE id = 1`, false,
		},
		{
			"a delete cascades by a shared key", "DELETE", "/customer/7", ``,
			`DELETE FROM customer WHERE id = 7`, false,
		},
		{
			"first order of a customer", "DELETE", "/order/1", ``,
			`DELETE FROM "order" WHERE id = 1`, false,
		},
		{
			"a customer with one order left", "DELETE", "/customer/1", ``,
			`DELETE FROM customer WHERE id = 1`, true,
		},
		{
			"last order of a customer", "DELETE", "/order/2", ``,
			`DELETE FROM "order" WHERE id = 2`, false,
		},
		{
			"a customer with invitations and an account", "DELETE", "/customer/1", ``,
			`DELETE FROM customer WHERE id = 1`, false,
		},
		{
			"all or nothing", "POST", "/item", `[{"order":5,"line":7},{"order":5,"line":7}]`,
			`INSERT INTO item ("order", line) VALUES (5, 7), (5, 7)`, true,
		},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			before := w.refused
			w.apply(t, c.method, c.path, c.body, c.sql)
			if refused := w.refused > before; refused != c.refused {
				t.Errorf("refused: %v", refused)
			}
		})
	}
}

// Relations of several columns: shared, nullable, generated, MATCH FULL and deferrable ones, to a key in another order and to a unique
// constraint that is no key.
func TestRelationsOfSeveralColumnsChangeAsInSQL(t *testing.T) {
	sample := samples(t)[0]
	template := sample.load(t)
	w := &writes{served: sample.serve(t, newDatabase(t, template)), copied: connect(t, newDatabase(t, template))}
	const shelf1, shelf9, shelfEmpty = "2,a%252Cb,1", "2,a%252Cb,9", "10,b," // in URLs
	const no = "SELECT 1/0"
	for _, c := range []struct {
		scenario, method, path, body, sql string
		refused                           bool
	}{
		{
			"a new record by its relation", "POST", "/parcel", `{"shelf":"10,b,","weight":9}`,
			`INSERT INTO parcel (weight, depot, site, code) VALUES (9, 10, 'b', '')`, false,
		},
		{
			"a new record by its columns", "POST", "/parcel", `{"depot":10,"site":"A","code":"é,"}`,
			`INSERT INTO parcel (depot, site, code) VALUES (10, 'A', 'é,')`, false,
		},
		{
			"a new target", "POST", "/parcel", `{"shelf":{"depot":3,"site":"","code":"new","label":"n"}}`,
			`INSERT INTO shelf (depot, site, code, label) VALUES (3, '', 'new', 'n'); INSERT INTO parcel (depot, site, code) VALUES (3, '', 'new')`, false,
		},
		{
			"a target that does not exist", "POST", "/parcel", `{"depot":10,"site":"A","code":"x"}`,
			`INSERT INTO parcel (depot, site, code) VALUES (10, 'A', 'x')`, true,
		},
		{
			"no target", "PATCH", "/parcel/1", `{"shelf":null}`,
			`UPDATE parcel SET depot = NULL, site = NULL, code = NULL WHERE id = 1`, false,
		},
		{
			"MATCH FULL with one null", "PATCH", "/parcel/2", `{"code":null}`,
			`UPDATE parcel SET code = NULL WHERE id = 2`, true,
		},
		{
			"another target by its columns", "PATCH", "/parcel/2", `{"depot":10,"site":"b","code":""}`,
			`UPDATE parcel SET depot = 10, site = 'b', code = '' WHERE id = 2`, false,
		},
		{
			"a column that leads nowhere", "PATCH", "/parcel/2", `{"depot":2}`,
			`UPDATE parcel SET depot = 2 WHERE id = 2`, true,
		},
		{
			"a record of the same depot", "PATCH", "/shelf/" + shelf9, `{"shelf_by_next_code":"2,a%2Cb,1"}`,
			`UPDATE shelf SET next_code = '1' WHERE (depot, site, code) = (2, 'a,b', '9')`, false,
		},
		{"a record of another depot", "PATCH", "/shelf/" + shelf9, `{"shelf_by_next_code":"10,b,"}`, no, true},
		{"another key", "PATCH", "/shelf/" + shelf9, `{"code":"8"}`, no, true},
		{
			"itself", "PATCH", "/shelf/" + shelfEmpty, `{"next_code":""}`,
			`UPDATE shelf SET next_code = '' WHERE (depot, site, code) = (10, 'b', '')`, false,
		},
		{
			"a second record with the key of another one", "POST", "/shelf_detail", `{"shelf":"2,a%2Cb,9","width":"3.5"}`,
			`INSERT INTO shelf_detail (depot, site, code, width) VALUES (2, 'a,b', '9', 3.5)`, false,
		},
		{
			"a taken partner", "POST", "/shelf_detail", `{"shelf":"2,a%2Cb,1"}`,
			`INSERT INTO shelf_detail (depot, site, code) VALUES (2, 'a,b', '1')`, true,
		},
		{
			"the key in its own order", "PUT", "/shelf_detail/%25252C,b,10", `{"width":"1.25"}`,
			`INSERT INTO shelf_detail (depot, site, code, width) VALUES (10, 'b', '%2C', 1.25)`, false,
		},
		{
			"a nullable column beside one that is not", "PATCH", "/route/2", `{"to":null}`,
			`UPDATE route SET "to" = NULL WHERE id = 2`, false,
		},
		{
			"a shared column is null for both", "PATCH", "/route/3", `{"site":null}`,
			`UPDATE route SET site = NULL WHERE id = 3`, false,
		},
		{"another site than that of the other relation", "PATCH", "/route/5", `{"depot_by_from":"2,a%2Cb"}`, no, true},
		{
			"a site that fits one of two relations", "PATCH", "/route/5", `{"from":2,"site":"a,b"}`,
			`UPDATE route SET "from" = 2, site = 'a,b' WHERE id = 5`, true,
		},
		{
			"both relations and their site", "PATCH", "/route/5", `{"from":2,"to":2,"site":"a,b"}`,
			`UPDATE route SET "from" = 2, "to" = 2, site = 'a,b' WHERE id = 5`, false,
		},
		{"a NOT NULL column of a relation", "PATCH", "/route/5", `{"from":null}`, `UPDATE route SET "from" = NULL WHERE id = 5`, true},
		{
			"no target beside a NOT NULL column", "PATCH", "/trip/2", `{"depot_by_depot_site":null}`,
			`UPDATE trip SET site = NULL WHERE id = 2`, false,
		},
		{
			"a target without one of two columns", "POST", "/trip", `{"depot_by_depot_site":null,"depot":9}`,
			`INSERT INTO trip (depot) VALUES (9)`, false,
		},
		{
			"a delete that sets the columns to null that may be", "DELETE", "/depot/4,c", ``,
			`DELETE FROM depot WHERE (number, site) = (4, 'c')`, false,
		},
		{
			"a generated column", "POST", "/box", `{"serial":201,"site":"a,b"}`,
			`INSERT INTO box (serial, site) VALUES (201, 'a,b')`, false,
		},
		{
			"a generated column that leads nowhere", "POST", "/box", `{"serial":9900,"site":"a,b"}`,
			`INSERT INTO box (serial, site) VALUES (9900, 'a,b')`, true,
		},
		{
			"a relation with a generated column", "PATCH", "/box/201", `{"site":"é%"}`,
			`UPDATE box SET site = 'é%' WHERE serial = 201`, false,
		},
		{"a relation with a generated column by its name", "PATCH", "/box/201", `{"depot_by_depot_site":"2,a%2Cb"}`, no, true},
		{
			"a unique constraint that is no key", "PATCH", "/box/201", `{"depot_name":"x"}`,
			`UPDATE box SET depot_name = 'x' WHERE serial = 201`, false,
		},
		{
			"a unique constraint that is no key, and leads nowhere", "PATCH", "/box/201", `{"depot_name":"y"}`,
			`UPDATE box SET depot_name = 'y' WHERE serial = 201`, true,
		},
		{
			"a value that such a constraint needs", "PATCH", "/depot/2,é%2525", `{"name":"z"}`,
			`UPDATE depot SET name = 'z' WHERE (number, site) = (2, 'é%')`, true,
		},
		{
			"a link of two relations", "POST", "/shelf_item", `{"shelf":"2,a%2Cb,9","item":3}`,
			`INSERT INTO shelf_item (depot, site, code, item) VALUES (2, 'a,b', '9', 3)`, false,
		},
		{
			"the same link again", "POST", "/shelf_item", `{"depot":2,"site":"a,b","code":"9","item":3,"amount":7}`,
			`INSERT INTO shelf_item (depot, site, code, item, amount) VALUES (2, 'a,b', '9', 3, 7)`, true,
		},
		{
			"the same link by its URL keeps nothing of it", "PUT", "/shelf_item/2,a%252Cb,9,3", `{}`,
			`UPDATE shelf_item SET amount = DEFAULT WHERE (depot, site, code, item) = (2, 'a,b', '9', 3)`, false,
		},
		{
			"a friend", "POST", "/friend", `{"a":1,"b":1}`,
			`INSERT INTO friend VALUES (1, 1)`, false,
		},
		{
			"a key of a date and an instant", "POST", "/offer", `{"day":"2025-12-30","at":"2025-12-30T22:30:00.5Z","item":3,"rate":"2.25","stage":"open"}`,
			`INSERT INTO offer (day, at, item, rate, stage) VALUES ('2025-12-30', '2025-12-30 22:30:00.5+00', 3, 2.25, 'open')`, false,
		},
		{
			"a delete that a deferrable relation to itself permits", "DELETE", "/shelf/" + shelfEmpty, ``,
			`DELETE FROM shelf WHERE (depot, site, code) = (10, 'b', '')`, false,
		},
		{
			"a delete that sets null, all or some columns, and cascades", "DELETE", "/shelf/" + shelf1, ``,
			`DELETE FROM shelf WHERE (depot, site, code) = (2, 'a,b', '1')`, false,
		},
		{
			"a delete that NO ACTION refuses", "DELETE", "/depot/2,a%252Cb", ``,
			`DELETE FROM depot WHERE (number, site) = (2, 'a,b')`, true,
		},
		{
			"a delete that cascades twice", "DELETE", "/depot/3,", ``,
			`DELETE FROM depot WHERE (number, site) = (3, '')`, false,
		},
		{
			"a delete that cascades to both sides of a join table", "DELETE", "/customer/5", ``,
			`DELETE FROM customer WHERE id = 5`, false,
		},
		{
			"a delete of a part of a key", "DELETE", "/item/2", ``,
			`DELETE FROM item WHERE id = 2`, false,
		},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			before := w.refused
			w.apply(t, c.method, c.path, c.body, c.sql)
			if refused := w.refused > before; refused != c.refused {
				t.Errorf("refused: %v", refused)
			}
		})
	}
}

// Lists through join tables, opened for writing, insert and delete the rows that the same change in SQL does.
func TestOpenedListsThroughJoinTablesChangeAsInSQL(t *testing.T) {
	lists := map[string][2][2]string{ // resource and list of both sides
		"chinook": {{"playlist", "track"}, {"track", "playlist"}}, "pagila": {{"film", "actor"}, {"actor", "film"}},
		"fixture": {{"shelf", "item"}, {"item", "shelf"}},
	}
	for _, sample := range samples(t) {
		sides, ok := lists[sample.name]
		if !ok {
			continue
		}
		t.Run(sample.name, func(t *testing.T) {
			template := sample.load(t)
			sample.open = sides[:]
			w := &writes{served: sample.serve(t, newDatabase(t, template)), copied: connect(t, newDatabase(t, template))}
			for _, side := range sides {
				t.Run(side[0]+" "+side[1], func(t *testing.T) { w.list(t, w.model.Resource(side[0]).Field(side[1])) })
				if t.Failed() {
					return
				}
			}
			t.Logf("note: %s: %d writes of lists as in SQL, and %d that both refuse", sample.name, w.done, w.refused)
		})
	}
}

// list sets a list through a join table in several ways.
func (w *writes) list(t *testing.T, f *core.Field) {
	c, other := w.compare(t, f.Resource()), w.compare(t, f.Target())
	c.records(t)
	other.records(t)
	near, far := f.Through()
	links := w.compare(t, near.Resource())
	var owners, long []string // long: of lists that an answer shows in part
	for _, key := range c.keys {
		if _, more := c.shown[key][f.APIName()+"@next"]; more {
			long = append(long, key)
		} else {
			owners = append(owners, key)
		}
	}
	some := []string{other.keys[0], other.keys[len(other.keys)/2], other.keys[len(other.keys)-1]}
	columns := append(links.columnsOf(stored(near)), links.columnsOf(stored(far))...)
	var names []string
	for _, col := range columns {
		names = append(names, col.name)
	}
	values := func(key string, c *comparison) string {
		var literals []string
		for _, text := range textsOf(key, len(keyParts(c.resource))) {
			literals = append(literals, literal(text))
		}
		return strings.Join(literals, ", ")
	}
	row := func(owner, key string) string { return "(" + values(owner, c) + ", " + values(key, other) + ")" }
	ids := func(keys []string) (ids []any) {
		ids = []any{}
		for _, key := range keys {
			ids = append(ids, other.shown[key][f.Target().Key().APIName()])
		}
		return ids
	}
	set := func(owner string, keys []string) string { // the SQL that leaves these links, and their other columns
		var nears, rows []string
		for i, col := range links.columnsOf(stored(near)) {
			nears = append(nears, col.name+" = "+literal(textsOf(owner, len(keyParts(c.resource)))[i]))
		}
		for _, key := range keys {
			rows = append(rows, row(owner, key))
		}
		sql := "DELETE FROM " + table(near.Resource()) + " WHERE " + strings.Join(nears, " AND ")
		if rows == nil {
			return sql
		}
		list := strings.Join(rows, ", ")
		return sql + " AND (" + strings.Join(names, ", ") + ") NOT IN (" + list + "); INSERT INTO " + table(near.Resource()) +
			" (" + strings.Join(names, ", ") + ") VALUES " + list + " ON CONFLICT DO NOTHING"
	}
	patch := func(owner string, keys []string) {
		t.Helper()
		w.apply(t, "PATCH", c.target(owner), object(t, map[string]any{f.APIName(): ids(keys)}), set(owner, keys))
	}
	for _, owner := range []string{owners[len(owners)/2], owners[0]} {
		before := decoded(w.request(t, "GET", c.target(owner), "").Body.String()).(map[string]any)[f.APIName()]
		w.apply(t, "PATCH", c.target(owner), object(t, map[string]any{f.APIName(): before}), "SELECT") // what was read
		patch(owner, some)
		patch(owner, some[1:])
		patch(owner, append(slices.Clone(some[:2]), other.keys[1]))
		w.apply(t, "PATCH", c.target(owner), object(t, map[string]any{f.APIName(): append(ids(some), ids(some)...)}), set(owner, some))
		patch(owner, nil)
		patch(owner, some[:1])
	}
	for _, owner := range long {
		w.apply(t, "PATCH", c.target(owner), object(t, map[string]any{f.APIName(): ids(some)}), "SELECT 1/0")
	}
	missing := any(json.Number("-7")) // the key of no record, and no key of the type
	w.apply(t, "PATCH", c.target(owners[0]), object(t, map[string]any{f.APIName(): append(ids(some[:1]), missing)}), "SELECT 1/0")
	// A record that is deleted leaves no links.
	w.apply(t, "DELETE", other.target(some[0]), "", "DELETE FROM "+table(f.Target())+other.where(some[0]))
}

// writes is a database that the API changes, and a copy that SQL changes.
type writes struct {
	*served
	copied        *pgx.Conn
	sums          string // query of the checksums
	done, refused int
}

// agree compares the checksums of all tables.
func (w *writes) agree(t *testing.T, when string) {
	t.Helper()
	if w.sums == "" {
		w.sums = w.query(t, `
			SELECT string_agg(format('SELECT %L || '' '' || count(*) || '' '' || coalesce(sum(hashtextextended(x, 0)), 0) FROM (SELECT row(%s)::text AS x FROM %s) t',
				c.relname, columns, c.oid::regclass), ' UNION ALL ')
			FROM pg_class c, LATERAL (
				-- The columns of pagila that get the time or a random number of a write are left out, and 1.0 is 1, in JSON, too.
				SELECT string_agg(format(CASE atttypid
					WHEN 'numeric'::regtype THEN 'trim_scale(%I)' WHEN 'jsonb'::regtype THEN 'jsonb_hash_extended(%I, 0)' ELSE '%I' END, attname), ', ' ORDER BY attnum) AS columns
				FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('last_update', 'uuid')
			) a
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`)[0] + " ORDER BY 1"
	}
	got, want := w.query(t, w.sums), (&served{conn: w.copied}).query(t, w.sums)
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: the checksums differ, %s by the API and %s in SQL", when, got[i], want[i])
		}
	}
}

// apply sends a request and executes SQL on the copy. Both must have the same effect.
func (w *writes) apply(t *testing.T, method, target, body, sql string) {
	t.Helper()
	answer := w.request(t, method, target, body)
	w.same(t, fmt.Sprintf("%s %s %.300s", method, target, body), answer, sql)
}

// same executes SQL on the copy and compares its effect with that of a request that was answered.
func (w *writes) same(t *testing.T, request string, answer *httptest.ResponseRecorder, sql string) {
	t.Helper()
	_, refused := w.copied.Exec(t.Context(), sql)
	both := fmt.Sprintf("%s: %d %.300s; %.300s: %v", request, answer.Code, answer.Body, sql, refused)
	switch {
	case answer.Code >= 500, (answer.Code < 300) != (refused == nil):
		t.Fatal(both)
	case refused == nil:
		w.done++
	default:
		w.refused++
	}
	w.agree(t, both)
}

// object returns the text of a JSON object.
func object(t *testing.T, members map[string]any) string {
	t.Helper()
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// value returns an SQL expression for a value of the API that SQL spells as text.
func (col column) value(text string, shown any) string {
	switch {
	case strings.HasPrefix(col.typ, "_"):
		return fmt.Sprintf("CAST(ARRAY(SELECT e FROM jsonb_array_elements_text(%s) WITH ORDINALITY AS l (e, n) ORDER BY n) AS %s)", literal(text), col.declared)
	case col.typ == "bytea":
		return "decode(" + literal(text) + ", 'base64')"
	case col.typ == "json", col.typ == "jsonb": // the API does not keep the spelling of numbers
		again, _ := json.Marshal(shown)
		return literal(string(again))
	}
	return literal(text)
}

// resource makes writes of every kind to a resource.
func (w *writes) resource(t *testing.T, r *core.Resource) {
	c := w.compare(t, r)
	c.records(t)
	switch {
	case r.ReadOnly():
		w.refusesWrites(t, c)
		return
	case len(c.keys) == 0:
		return
	}
	var fields []*core.Field // that clients set
	for _, f := range r.Fields() {
		if f.Stored() && !f.Key() && !f.KeyPart() && f.Parts() == nil && !f.ReadOnly() {
			fields = append(fields, f)
		}
	}
	id := c.keys[len(c.keys)/2]
	for _, id := range []string{c.keys[0], id, c.keys[len(c.keys)-1]} { // a record that was read is sent back
		for _, method := range []string{"PATCH", "PUT"} {
			w.apply(t, method, c.target(id), object(t, c.shown[id]), "SELECT")
		}
	}
	for _, f := range fields {
		w.change(t, c, f, id)
	}
	w.replace(t, c, fields, id)
	w.create(t, c, fields, id)
	keys := slices.Clone(c.keys)
	for _, i := range slices.Compact([]int{len(keys) - 1, len(keys) / 2, 0}) {
		w.apply(t, "DELETE", c.target(keys[i]), "", "DELETE FROM "+table(r)+c.where(keys[i]))
	}
}

// refusesWrites checks that every write of a read-only resource is 405 and changes nothing.
func (w *writes) refusesWrites(t *testing.T, c *comparison) {
	t.Helper()
	requests := [][2]string{{"POST", "/" + url.PathEscape(c.resource.APIName())}}
	for _, id := range c.keys[:min(1, len(c.keys))] {
		requests = append(requests, [2]string{"PUT", c.target(id)}, [2]string{"PATCH", c.target(id)}, [2]string{"DELETE", c.target(id)})
	}
	for _, request := range requests {
		answer := w.request(t, request[0], request[1], `{}`)
		if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%v: %d %s, Allow %q", request, answer.Code, answer.Body, answer.Header().Get("Allow"))
		}
	}
	w.agree(t, "after refused writes")
}

// target returns the path of a record.
func (c *comparison) target(key string) string {
	if id, isText := c.shown[key][c.resource.Key().APIName()].(string); isText && c.resource.Key().Parts() != nil {
		key = id
	}
	return "/" + url.PathEscape(c.resource.APIName()) + "/" + url.PathEscape(key)
}

// where returns an SQL condition for a record.
func (c *comparison) where(key string) string {
	columns := c.columnsOf(keyParts(c.resource))
	conditions := make([]string, len(columns))
	for i, text := range textsOf(key, len(columns)) {
		conditions[i] = columns[i].name + " = " + literal(text)
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// change sets a field to values of other records and to null.
func (w *writes) change(t *testing.T, c *comparison, f *core.Field, id string) {
	t.Helper()
	col := c.columns[f.Name()]
	update := "UPDATE " + table(c.resource) + " SET " + col.name + " = "
	before, set := c.rows[id][f.Name()]
	for _, other := range []string{c.keys[0], c.keys[len(c.keys)-1]} {
		if text, ok := c.rows[other][f.Name()]; ok && text != before {
			value := c.shown[other][f.APIName()]
			w.apply(t, "PATCH", c.target(id), object(t, map[string]any{f.APIName(): value}), update+col.value(text, value)+c.where(id))
		}
	}
	w.apply(t, "PATCH", c.target(id), object(t, map[string]any{f.APIName(): nil}), update+"NULL"+c.where(id))
	if set {
		value := c.shown[id][f.APIName()]
		w.apply(t, "PATCH", c.target(id), object(t, map[string]any{f.APIName(): value}), update+col.value(before, value)+c.where(id))
	}
}

// replace sends a record back, whole and without each of its fields. The relations that other tables store are not named.
func (w *writes) replace(t *testing.T, c *comparison, fields []*core.Field, id string) {
	t.Helper()
	body, columns, sets := make(map[string]any), make(map[string]string), make(map[string]string)
	for _, f := range fields {
		col := c.columns[f.Name()]
		columns[f.APIName()], sets[f.APIName()] = col.name, "NULL"
		if text, set := c.rows[id][f.Name()]; set {
			value := c.shown[id][f.APIName()]
			body[f.APIName()], sets[f.APIName()] = value, col.value(text, value)
		}
	}
	put := func() {
		t.Helper()
		var assignments []string
		for name, value := range sets {
			assignments = append(assignments, columns[name]+" = "+value)
		}
		sql := "SELECT" // a record of a key alone
		if assignments != nil {
			sql = "UPDATE " + table(c.resource) + " SET " + strings.Join(assignments, ", ") + c.where(id)
		}
		w.apply(t, "PUT", c.target(id), object(t, body), sql)
	}
	for _, f := range fields {
		name := f.APIName()
		value, set := body[name]
		if !set {
			continue
		}
		expression := sets[name]
		switch defaulted := c.hasDefault(t, f); {
		case f.Spec().Default != nil:
			sets[name] = "DEFAULT"
		case defaulted: // a default that only the server knows is for new records only
			sets[name] = columns[name]
		default:
			sets[name] = "NULL"
		}
		delete(body, name)
		put()
		body[name], sets[name] = value, expression
	}
	put()
}

// hasDefault reports whether the column of a field has a default in the database.
func (c *comparison) hasDefault(t *testing.T, f *core.Field) bool {
	t.Helper()
	return len(c.query(t, "SELECT column_default FROM information_schema.columns WHERE table_schema = 'public' AND table_name = "+
		literal(c.resource.Name())+" AND column_name = "+literal(f.Name())+" AND column_default IS NOT NULL")) > 0
}

// create creates a record like another one, first with its unique values and then without them.
func (w *writes) create(t *testing.T, c *comparison, fields []*core.Field, like string) {
	t.Helper()
	for _, unique := range []bool{true, false} {
		body := make(map[string]any)
		var columns, values []string
		for _, f := range fields {
			if text, set := c.rows[like][f.Name()]; set && (unique || !f.Unique()) {
				value := c.shown[like][f.APIName()]
				body[f.APIName()] = value
				columns, values = append(columns, c.columns[f.Name()].name), append(values, c.columns[f.Name()].value(text, value))
			}
		}
		key, parts := c.freeKey(t, w.done), keyParts(c.resource)
		if key == nil {
			t.Log("note: no key is free")
			return
		}
		method, target := "POST", "/"+url.PathEscape(c.resource.APIName())
		switch id := c.id(t, key); {
		case c.resource.Key().Parts() != nil && unique:
			for i, f := range parts {
				body[f.APIName()] = c.shownAs(f, key[i])
			}
		case c.resource.Key().Assigned():
			method, target = "PUT", target+"/"+url.PathEscape(id)
		}
		answer := w.request(t, method, target, object(t, body))
		if location := answer.Header().Get("Location"); answer.Code == http.StatusCreated && method == "POST" && len(key) == 1 {
			var err error
			if key[0], err = url.PathUnescape(location[strings.LastIndex(location, "/")+1:]); err != nil {
				t.Fatal(err)
			}
		}
		for i, col := range c.columnsOf(parts) {
			columns, values = append(columns, col.name), append(values, literal(key[i]))
		}
		w.same(t, fmt.Sprintf("%s %s %.300s", method, target, object(t, body)), answer, "INSERT INTO "+table(c.resource)+
			" ("+strings.Join(columns, ", ")+") OVERRIDING SYSTEM VALUE VALUES ("+strings.Join(values, ", ")+")")
	}
}

// shownAs returns the value of the API for a part of a key that SQL spells as text.
func (c *comparison) shownAs(f *core.Field, text string) any {
	for _, key := range c.keys {
		if c.rows[key][f.Name()] == text {
			return c.shown[key][f.APIName()]
		}
	}
	return asShown(f.Type(), text)
}

// id returns the id of the API for a key.
func (c *comparison) id(t *testing.T, key []string) string {
	t.Helper()
	if len(key) == 1 {
		return key[0]
	}
	values := make([]any, len(key))
	for i, f := range c.resource.Key().Parts() {
		values[i] = c.shownAs(f, key[i])
	}
	v, err := c.resource.KeyOf(values...)
	if err != nil {
		t.Fatal(err)
	}
	return v.String()
}

// freeKey returns the texts of a key that no record has; nil if there is none. Each n gives another one.
func (c *comparison) freeKey(t *testing.T, n int) []string {
	t.Helper()
	key := c.resource.Key()
	switch name := c.columnsOf(keyParts(c.resource))[0].name; {
	case key.Parts() != nil:
		return c.freeParts(t)
	case len(c.relationsOf(key)) > 0:
		f := c.relationsOf(key)[0]
		return c.query(t, "SELECT "+c.compare(t, f.Target()).keyText()+" AS id_ FROM "+table(f.Target())+" EXCEPT SELECT "+c.keyText()+" FROM "+table(c.resource)+" ORDER BY 1 LIMIT 1")
	case key.Type() == core.Int:
		return c.query(t, "SELECT (max("+name+") + 1)::text FROM "+table(c.resource))
	case key.Type() == core.UUID:
		return c.query(t, "SELECT gen_random_uuid()::text")
	}
	return []string{"n" + strconv.Itoa(n)}
}

// relationsOf returns the relations that the field is part of.
func (c *comparison) relationsOf(part *core.Field) (all []*core.Field) {
	for _, f := range c.resource.References() {
		if f == part || slices.Contains(f.Parts(), part) {
			all = append(all, f)
		}
	}
	return all
}

// freeParts returns the texts of a key of several columns that no record has: existing keys of the tables that they refer to, the next
// number, and values of other records.
func (c *comparison) freeParts(t *testing.T) []string {
	t.Helper()
	parts := c.resource.Key().Parts()
	names := make(map[*core.Field]string)
	var from []string
	for i, part := range parts {
		column, alias := c.columns[part.Name()].name, fmt.Sprintf("p%d", i)
		if names[part] != "" {
			continue
		}
		names[part] = alias + "." + column
		values := "SELECT DISTINCT " + column + " FROM " + table(c.resource)
		if related := c.relationsOf(part); len(related) > 0 {
			f := related[len(related)-1]
			other := c.compare(t, f.Target())
			columns := other.columnsOf(keyParts(f.Target()))
			values = "SELECT " + columns[0].name + " AS " + column + " FROM " + table(f.Target())
			if f.Parts() != nil {
				selected := make([]string, len(f.Parts()))
				for j, via := range f.Parts() {
					name := c.columns[via.Name()].name
					selected[j], names[via] = columns[j].name+" AS "+name, alias+"."+name
				}
				values = "SELECT " + strings.Join(selected, ", ") + " FROM " + table(f.Target())
			}
		} else if part.Type() == core.Int {
			values = "SELECT max(" + column + ") + 1 AS " + column + " FROM " + table(c.resource)
		}
		from = append(from, "("+values+") "+alias)
	}
	var texts, same []string
	for _, part := range parts {
		texts = append(texts, names[part]+"::text")
		same = append(same, names[part]+" = t."+c.columns[part.Name()].name)
	}
	found := c.query(t, "SELECT json_build_array("+strings.Join(texts, ", ")+")::text FROM "+strings.Join(from, ", ")+
		" WHERE NOT EXISTS (SELECT FROM "+table(c.resource)+" t WHERE "+strings.Join(same, " AND ")+") ORDER BY 1 LIMIT 1")
	if found == nil {
		return nil
	}
	return textsOf(found[0], len(parts))
}
