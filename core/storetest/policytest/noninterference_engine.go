package policytest

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// engineDriver sends requests to engines over the stores of both worlds.
type engineDriver struct {
	inA, inB *engine.Engine
	next     *listRequest // the request for the page after the last one
	handlers map[*engine.Engine]http.Handler
	sent     []*writeRequest // writes with a key
}

// listRequest is a request for a list of a resource, or of a to-many relation of one of its records.
type listRequest struct {
	resource string
	id       any
	relation string // empty for the list of the resource
	query    engine.Query
}

// newEngineDriver draws a limit of records for the engines. Hidden records must not count against the limit.
func newEngineDriver(d kit.Drawer, w *worlds) driver {
	opts := engine.Options{MaxRecords: []int{0, 20, 5}[d.UpTo(2, "limit of records")]}
	e := &engineDriver{inA: engine.New(w.a.store, opts), inB: engine.New(w.b.store, opts)}
	e.handlers = map[*engine.Engine]http.Handler{e.inA: w.newHandler(e.inA), e.inB: w.newHandler(e.inB)}
	return e
}

// reply is the answer to a request.
type reply struct {
	body  []byte
	next  core.Cursor
	prev  core.Cursor
	count int
	err   error
	ids   []core.Value
}

func (e *engineDriver) act(d kit.Drawer, w *worlds) int {
	r := d.AnyResource(w.Model)
	s := &requester{driver: e, d: d, w: w, r: r}
	kinds := []func(){s.get, s.list, s.list, s.aggregate, s.related, s.nextPage, s.create, s.create, s.update, s.update, s.replace, s.sendBack, s.sendBack, s.delete, s.updateAll, s.deleteAll, s.together, s.batch, s.repeat, s.repeat}
	if r.Field(w.DeletedAt) != nil {
		kinds = append(kinds, s.getDeleted, s.restore, s.restore)
	}
	kinds[d.UpTo(len(kinds)-1, "kind")]()
	return 1
}

// requester draws one request and sends it to both engines.
type requester struct {
	driver *engineDriver
	d      kit.Drawer
	w      *worlds
	r      *core.Resource
}

// sendBoth sends the request to both engines and compares the answers.
func (s *requester) sendBoth(send func(ctx context.Context, api *engine.Engine) reply) reply {
	here, there := send(s.w.ctx(s.w.a), s.driver.inA), send(s.w.ctx(s.w.b), s.driver.inB)
	s.d.Logf("answer: %s %s", here.body, kit.FullText(here.err))
	switch {
	case kit.FullText(here.err) != kit.FullText(there.err):
		failDifferent(s.d, "the answer is %s in one world and %s in the other", kit.FullText(here.err), kit.FullText(there.err))
	case !bytes.Equal(here.body, there.body):
		failDifferent(s.d, "the answer is %s in one world and %s in the other", here.body, there.body)
	case here.next != there.next || here.prev != there.prev:
		failDifferent(s.d, "the cursors are %q and %q in one world and %q and %q in the other", here.next, here.prev, there.next, there.prev)
	case here.count != there.count:
		failDifferent(s.d, "the count is %d in one world and %d in the other", here.count, there.count)
	}
	for _, id := range here.ids {
		s.w.insertedKeys = append(s.w.insertedKeys, ofType(core.Int, id)...)
	}
	return here
}

func replyOf(err error, views ...engine.View) reply {
	p := reply{err: err}
	for _, v := range views {
		p.body = append(v.AppendJSON(p.body), '\n')
		p.ids = append(p.ids, v.Key())
	}
	return p
}

// id draws an id. Its record may be readable, hidden or absent.
func (s *requester) id() any { return s.d.Value(s.r.Key()).Any() }

func (s *requester) depth() int { return s.d.UpTo(3, "depth") }

func (s *requester) get() {
	id, depth := s.id(), s.depth()
	s.d.Logf("get %v %v at depth %d", s.r, id, depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		v, err := api.Get(ctx, s.r.APIName(), id, depth)
		return replyOf(err, v)
	})
}

func (s *requester) list() { s.page(listRequest{resource: s.r.APIName(), query: s.query()}) }

// aggregate draws an aggregation, with groups by fields of related records.
func (s *requester) aggregate() {
	a := engine.Aggregation{Filter: s.filter(s.r, 1), Count: true}
	for range s.d.UpTo(2, "groups") {
		path, f := s.path(s.r, "grouped")
		a.Group = append(a.Group, path+f.APIName())
	}
	for _, names := range []*[]string{&a.Sum, &a.Min, &a.Max, &a.Avg} {
		if f := s.r.Fields()[s.d.UpTo(len(s.r.Fields())-1, "measured")]; s.d.UpTo(2, "measure") == 0 {
			*names = append(*names, f.APIName())
		}
	}
	s.d.Logf("aggregate %v %+v", s.r, a)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		groups, err := api.Aggregate(ctx, s.r.APIName(), a)
		p := reply{err: err}
		for _, g := range groups {
			p.body = append(g.AppendJSON(p.body), '\n')
		}
		return p
	})
}

// query draws the query of a list.
func (s *requester) query() engine.Query {
	q := engine.Query{
		Filter: s.filter(s.r, 2), Limit: s.d.UpTo(4, "limit"), Depth: s.depth(), Count: s.d.Bool("count"), Offset: max(0, s.d.UpTo(5, "offset")-3),
	}
	q.Deleted = s.r.Field(s.w.DeletedAt) != nil && s.d.UpTo(3, "deleted") == 0
	if searched := s.r.Searchable(); len(searched) > 0 && s.d.UpTo(3, "searches") == 0 {
		q.Search = s.d.Value(searched[s.d.UpTo(len(searched)-1, "searched")]).Text()
	}
	if q.Depth == 1 && s.d.UpTo(2, "names fields") == 0 {
		for range 1 + s.d.UpTo(2, "fields") {
			path, f := s.path(s.r, "shown")
			q.Fields = append(q.Fields, path+f.APIName())
		}
	}
	for range s.d.UpTo(2, "sort") {
		path, f := s.path(s.r, "by")
		q.Sort = append(q.Sort, map[bool]string{true: "-"}[s.d.Bool("descending")]+path+f.APIName())
	}
	return q
}

// related lists the records of a to-many relation. Its record may be readable, hidden or absent.
func (s *requester) related() {
	var relations []*core.Field
	for _, r := range s.w.Model.Resources() {
		for _, f := range r.Fields() {
			if f.Many() {
				relations = append(relations, f)
			}
		}
	}
	if len(relations) == 0 {
		s.list()
		return
	}
	f := relations[s.d.UpTo(len(relations)-1, "relation")]
	of := requester{driver: s.driver, d: s.d, w: s.w, r: f.Target()}
	s.page(listRequest{f.Resource().APIName(), s.d.Value(f.Resource().Key()).Any(), f.APIName(), of.query()})
}

func (s *requester) nextPage() {
	if s.driver.next == nil {
		s.list()
		return
	}
	s.page(*s.driver.next)
}

func (s *requester) page(l listRequest) {
	s.d.Logf("list %s %v %s %+v", l.resource, l.id, l.relation, l.query)
	answer := s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		read := func() (engine.List, error) { return api.List(ctx, l.resource, l.query) }
		if l.relation != "" {
			read = func() (engine.List, error) { return api.Related(ctx, l.resource, l.id, l.relation, l.query) }
		}
		page, err := read()
		p := replyOf(err, page.Views...)
		p.next, p.prev, p.count, p.ids = page.Next, page.Prev, page.Count, nil
		return p
	})
	l.query.After, l.query.Before, l.query.Offset = answer.next, "", 0
	if answer.prev != "" && s.d.Bool("back") {
		l.query.After, l.query.Before = "", answer.prev
	}
	if l.query.After != "" || l.query.Before != "" {
		s.driver.next = &l
	}
}

var operators = []string{"eq", "ne", "lt", "le", "gt", "ge", "in", "prefix", "contains", "icontains"}

// filter draws conditions on up to two fields of the resource and of related ones, and combinations of conditions, which are
// nested at most depth times.
func (s *requester) filter(r *core.Resource, depth int) map[string]any {
	conditions := make(map[string]any)
	for range s.d.UpTo(2, "conditions") {
		if depth > 0 && s.d.UpTo(4, "combination") == 0 {
			part, other := s.filter(r, depth-1), s.filter(r, depth-1)
			switch s.d.UpTo(2, "of") {
			case 0:
				conditions["$not"] = part
			case 1:
				conditions["$or"] = []any{part, other}
			case 2:
				conditions["$and"] = []any{part, other}
			}
			continue
		}
		path, f := s.path(r, "on")
		if depth > 0 && f.Target() != nil && s.d.Bool("related") {
			quantifier := []string{"$any", "$all", "$none"}[s.d.UpTo(2, "quantifier")]
			conditions[path+f.APIName()] = map[string]any{quantifier: s.filter(f.Target(), depth-1)}
			continue
		}
		v := s.comparedValue(f)
		if s.d.Bool("an operator") {
			op := operators[s.d.UpTo(len(operators)-1, "operator")]
			if op == "in" {
				v = []any{v, s.comparedValue(f)}
			}
			v = map[string]any{op: v}
		}
		conditions[path+f.APIName()] = v
	}
	return conditions
}

func (s *requester) getDeleted() {
	id, depth := s.id(), s.depth()
	s.d.Logf("get deleted %v %v at depth %d", s.r, id, depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		v, err := api.GetDeleted(ctx, s.r.APIName(), id, depth)
		return replyOf(err, v)
	})
}

func (s *requester) restore() {
	id, write := s.id(), engine.Write{Depth: s.depth()}
	s.d.Logf("restore %v %v at depth %d", s.r, id, write.Depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		v, err := api.Restore(ctx, s.r.APIName(), id, write)
		return replyOf(err, v)
	})
}

// path draws a field to filter or sort by, and a path of up to two to-one relations to its resource, with a dot at its end.
func (s *requester) path(r *core.Resource, label string) (path string, f *core.Field) {
	for range s.d.UpTo(2, "path") {
		toOne := slices.DeleteFunc(slices.Clone(r.Fields()), func(f *core.Field) bool { return f.Target() == nil || f.Many() })
		if len(toOne) == 0 || s.d.Bool("no further") {
			break
		}
		over := toOne[s.d.UpTo(len(toOne)-1, "over")]
		path, r = path+over.APIName()+".", over.Target()
	}
	return path, r.Fields()[s.d.UpTo(len(r.Fields())-1, label)]
}

// comparedValue draws a value to compare the field with.
func (s *requester) comparedValue(f *core.Field) any {
	switch {
	case f.Stored():
		return s.d.Value(f).Any()
	case f.Target() != nil:
		return s.d.Value(f.Target().Key()).Any()
	}
	return nil
}

func (s *requester) create() {
	if s.r.Key().Type() != core.Int { // random keys cannot be compared
		s.replace()
		return
	}
	bodies := make([]map[string]any, 1+s.d.UpTo(1, "more bodies"))
	for i := range bodies {
		bodies[i] = s.body(s.r, 2)
	}
	write := engine.Write{Depth: s.depth()}
	s.d.Logf("post %v %v at depth %d", s.r, bodies, write.Depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		views, err := api.Create(ctx, s.r.APIName(), write, bodies...)
		return replyOf(err, views...)
	})
}

func (s *requester) update() {
	id, body, write := s.id(), s.body(s.r, 2), engine.Write{Depth: s.depth()}
	s.d.Logf("patch %v %v %v at depth %d", s.r, id, body, write.Depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		v, err := api.Update(ctx, s.r.APIName(), id, write, body)
		return replyOf(err, v)
	})
}

// replace sends a PUT for a readable record or for a key of the program.
func (s *requester) replace() {
	id, body, write := s.w.stored(s.d, s.r.Key()).Any(), s.body(s.r, 2), engine.Write{Depth: s.depth()}
	s.d.Logf("put %v %v %v at depth %d", s.r, id, body, write.Depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		v, created, err := api.Replace(ctx, s.r.APIName(), id, write, body)
		p := replyOf(err, v)
		if created {
			p.body = append(p.body, "created"...)
		}
		return p
	})
}

// sendBack reads a record and sends it back by PATCH or PUT. Random members replace some of the shown ones, and guess
// the values of unreadable fields.
func (s *requester) sendBack() {
	id := s.id()
	shown := s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		v, err := api.Get(ctx, s.r.APIName(), id, 1)
		return replyOf(err, v)
	})
	parsed, _ := core.ParseJSON(shown.body, 10)
	body, ok := parsed.(map[string]any)
	if shown.err != nil || !ok {
		return
	}
	if s.d.Bool("changes members") {
		maps.Copy(body, s.body(s.r, 0))
	}
	verb, write := "patch", engine.Write{Depth: s.depth()}
	if s.d.Bool("replaces") {
		verb = "put"
	}
	s.d.Logf("%s back %v %v %v at depth %d", verb, s.r, id, body, write.Depth)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		var v engine.View
		var err error
		if verb == "put" {
			v, _, err = api.Replace(ctx, s.r.APIName(), id, write, body)
		} else {
			v, err = api.Update(ctx, s.r.APIName(), id, write, body)
		}
		return replyOf(err, v)
	})
}

// delete deletes a record that no hidden record references.
func (s *requester) delete() {
	key := s.d.Value(s.r.Key())
	if s.w.pool.referenced[s.r.Index()][key] {
		return
	}
	s.d.Logf("delete %v %v", s.r, key)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		return reply{err: api.Delete(ctx, s.r.APIName(), key.Any(), engine.Write{})}
	})
}

// bulk draws the conditions of a change of many records.
func (s *requester) bulk() engine.Bulk {
	return engine.Bulk{Filter: s.filter(s.r, 2), Max: 1 + s.d.UpTo(9, "max"), Dry: s.d.UpTo(3, "dry") == 0}
}

func (s *requester) updateAll() {
	b, body := s.bulk(), s.body(s.r, 1)
	s.d.Logf("patch all %v %+v %v", s.r, b, body)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		n, err := api.UpdateAll(ctx, s.r.APIName(), b, body)
		return reply{count: n, err: err}
	})
}

// deleteAll deletes records, or counts them if hidden records reference records of the resource.
func (s *requester) deleteAll() {
	b := s.bulk()
	b.Dry = b.Dry || len(s.w.pool.referenced[s.r.Index()]) > 0
	s.d.Logf("delete all %v %+v", s.r, b)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) reply {
		n, err := api.DeleteAll(ctx, s.r.APIName(), b)
		return reply{count: n, err: err}
	})
}

// together changes a record and lists records in one transaction.
func (s *requester) together() {
	id, body, query, write := s.id(), s.body(s.r, 1), s.query(), engine.Write{Depth: s.depth(), Minimal: s.d.Bool("minimal")}
	s.d.Logf("patch %v %v %v and list %+v in one transaction", s.r, id, body, query)
	s.sendBoth(func(ctx context.Context, api *engine.Engine) (p reply) {
		p.err = api.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
			v, err := tx.Update(ctx, s.r.APIName(), id, write, body)
			if err != nil {
				return err
			}
			page, err := tx.List(ctx, s.r.APIName(), query)
			p = replyOf(nil, append(page.Views, v)...)
			p.count, p.ids = page.Count, nil
			return err
		})
		return p
	})
}

// body draws the body of a request. It refers to readable, hidden and absent records, and nests new records.
func (s *requester) body(r *core.Resource, depth int) map[string]any {
	body := make(map[string]any)
	for _, f := range r.Fields() {
		if s.d.UpTo(2, "sets "+f.Name()) > 0 || inKey(f) && s.d.UpTo(9, "sets the key") > 0 {
			continue
		}
		switch {
		case f.Target() != nil && f.Many():
			members := make([]any, s.d.UpTo(2, "members"))
			for i := range members {
				members[i] = s.member(f, depth)
			}
			body[f.APIName()] = members
		case f.Target() != nil:
			body[f.APIName()] = s.member(f, depth)
		case f.Computed() != nil:
			body[f.APIName()] = []any{nil, true, false}[s.d.UpTo(2, "computed")]
		default:
			body[f.APIName()] = s.w.stored(s.d, f).Any()
		}
	}
	return body
}

// member draws the target of a relation. Records with random keys are not nested, because the answer would show the
// keys.
func (s *requester) member(f *core.Field, depth int) any {
	r := f.Target()
	free := f
	if _, far := f.Through(); far != nil {
		free = far
	}
	if depth > 0 && r.Key().Type() == core.Int && s.d.UpTo(2, "nested") == 0 {
		return s.body(r, depth-1)
	}
	v := s.d.Value(r.Key())
	if isUnique(free) && s.w.pool.hiddenUniques[free][v] { // the conflict with the hidden row would show it
		return nil
	}
	return v.Any()
}
