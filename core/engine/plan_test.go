package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// kitchen has relations of every kind and a setter.
func kitchen() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	return core.MustModel("kitchen",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			id,
			{Name: "note", Type: core.Text},
			{Name: "meta", Type: core.JSON},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
			{Name: "shout", Computed: &core.Computed{
				Get: func(context.Context, core.Record) (any, error) { return nil, nil },
				Set: func(context.Context, core.Record, any) (map[string]any, error) { return nil, nil },
			}},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id,
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
			{Name: "like", ToMany: "cookie"},
		}},
	)
}

// drafts reads bodies without a store.
func drafts(t *testing.T, resource string, create bool, bodies ...string) []*draft {
	t.Helper()
	m := kitchen()
	e := &Engine{opts: Options{}.filled()}
	for _, r := range m.Resources() {
		e.resources = append(e.resources, newResourceInfo(r, core.KeySource{}))
	}
	r := e.bodyReader(t.Context(), create, e.opts.MaxWritten)
	r.merge = true
	all := make([]*draft, len(bodies))
	for i, text := range bodies {
		parsed, err := core.ParseJSON([]byte(text), 0)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := parsed.(map[string]any)
		if all[i], err = r.read(e.info(m.Resource(resource)), body, 1); err != nil {
			t.Fatal(err)
		}
		all[i].element = i + 1
	}
	return all
}

func checkPlan(t *testing.T, p *plan, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line+"\n")
		}
	}
	if got := p.String(); got != strings.Join(lines, "") {
		t.Errorf("plan is\n%s", got)
	}
}

func TestPlanCreate(t *testing.T) {
	for _, c := range []struct {
		name, resource string
		bodies         []string
		want           string
	}{
		{"plain records share an insert", "cookie", []string{`{"type": "a", "jar": 3}`, `{}`}, `
			check jar 3
			begin cookie #0
			set cookie #0 type="a"
			link cookie #0 jar 3
			begin cookie #1
			insert cookie #0 #1`},
		{"a target precedes the record that points at it", "cookie", []string{`{"type": "a", "jar": {"note": "n"}}`, `{}`}, `
			begin cookie #0
			set cookie #0 type="a"
			begin jar #2
			set jar #2 note="n"
			insert jar #2
			link cookie #0 jar #2
			insert cookie #0
			begin cookie #1
			insert cookie #1`},
		{"nested members follow their owner", "jar", []string{`{"cookies": [7, {"type": "a"}, {}]}`}, `
			check cookie 7
			begin jar #0
			insert jar #0
			begin cookie #1 jar=#0
			set cookie #1 type="a"
			begin cookie #2 jar=#0
			insert cookie #1 #2
			members jar #0 cookies 7 #1 #2`},
		{"a setter runs before the insert, its relations after it", "jar", []string{`{"shout": "x", "cookies": []}`}, `
			begin jar #0
			setter jar #0 shout
			insert jar #0
			members jar #0 cookies
			setter relations jar #0 shout`},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkPlan(t, planCreate(drafts(t, c.resource, true, c.bodies...), preset{}), c.want)
		})
	}
}

func TestPlanUpdate(t *testing.T) {
	for _, c := range []struct {
		name, resource, body string
		replace              bool
		want                 string
	}{
		{"columns, then relations", "jar", `{"note": "n", "meta": {"a": 1}, "cookies": [7, 8]}`, false, `
			check cookie 7
			check cookie 8
			set jar #0 note="n"
			merge jar #0 meta={"a":1}
			update jar #0
			members jar #0 cookies 7 8`},
		{"nested members precede the columns of an existing owner", "jar", `{"note": "n", "cookies": [{"like": [7, {}]}]}`, false, `
			check cookie 7
			set jar #0 note="n"
			begin cookie #1 jar=#0
			begin cookie #2
			insert cookie #2
			link cookie #1 like 7 #2
			insert cookie #1
			update jar #0
			members jar #0 cookies #1`},
		{"a replacement clears relations first", "jar", `{"note": null}`, true, `
			set jar #0 note=null
			clear jar #0
			update jar #0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkPlan(t, planUpdate(drafts(t, c.resource, false, c.body)[0], c.replace), c.want)
		})
	}
}

func TestPlanSetterDefersRelationsOfOtherRecords(t *testing.T) {
	d := drafts(t, "jar", false, `{"note": "n", "cookies": [{}]}`)[0]
	for isNew, want := range map[bool]string{
		false: "set jar #0 note=\"n\"\nbegin cookie #1 jar=#0\ninsert cookie #1\n",
		true:  "set jar #0 note=\"n\"\n",
	} {
		p := planSetter(d, isNew)
		now := *p
		now.steps = p.steps[:p.deferred]
		checkPlan(t, &now, want)
		if last := p.stepText(p.steps[len(p.steps)-1]); last != "members jar #0 cookies #1" {
			t.Errorf("new %t: the last step is %q", isNew, last)
		}
	}
}

func TestPlanStepsKnowTheirBody(t *testing.T) {
	p := planCreate(drafts(t, "cookie", true, `{"jar": {}}`, `{"type": "a"}`, `{"type": "b"}`), preset{})
	for _, s := range p.steps {
		want := 2
		switch text := p.stepText(s); {
		case strings.Contains(text, "#0") || strings.Contains(text, "jar #"):
			want = 1
		case s.kind == stepInsert:
			want = 0 // of several bodies
		case s.record == 2:
			want = 3
		}
		if s.element != want {
			t.Errorf("%s: body %d, want %d", p.stepText(s), s.element, want)
		}
	}
}
