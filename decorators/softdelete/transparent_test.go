package softdelete_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/decorators/softdelete"
)

// TestDeletedRecordsAreAsAbsentAsRemovedOnes runs random requests on an engine with the decorator and on one without. As long as
// nothing is restored and no request names the id of a deleted record for a new one, the answers are equal.
func TestDeletedRecordsAreAsAbsentAsRemovedOnes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var apis [2]*engine.Engine
		for i, decorators := range [][]core.Decorator{nil, {softdelete.New(deletedAt, softdelete.Options{})}} {
			s, err := core.New(t.Context(), issues(), memory.New(), decorators...)
			if err != nil {
				t.Fatal(err)
			}
			r.Cleanup(func() { _ = s.Close() })
			fill(t, s)
			apis[i] = engine.New(s, engine.Options{})
		}
		r.Repeat(map[string]func(*rapid.T){"request": func(r *rapid.T) {
			text, send := drawRequest(r)
			removed, kept := send(t.Context(), apis[0]), send(t.Context(), apis[1])
			r.Logf("%s: %s", text, removed)
			if removed != kept {
				r.Fatalf("%s\nwithout the decorator: %s\nwith the decorator:    %s", text, removed, kept)
			}
		}})
	})
}

// drawRequest returns a request as text, and a function that sends it and returns the answer as text.
func drawRequest(r *rapid.T) (string, func(ctx context.Context, api *engine.Engine) string) {
	resource := rapid.SampledFrom([]string{"project", "user", "issue", "comment", "label", "issue_label"}).Draw(r, "resource")
	anID := rapid.IntRange(1, 6)
	id, depth := anID.Draw(r, "id"), rapid.IntRange(0, 3).Draw(r, "depth")
	answer := func(err error, views ...engine.View) string {
		if err != nil {
			return err.Error()
		}
		var b strings.Builder
		for _, v := range views {
			b.WriteString(json(v) + " ")
		}
		return b.String()
	}
	switch rapid.SampledFrom([]string{"get", "list", "list", "related", "count", "create", "patch", "patch", "delete", "delete", "delete many"}).Draw(r, "request") {
	case "get":
		return fmt.Sprintf("get %s %d at depth %d", resource, id, depth), func(ctx context.Context, api *engine.Engine) string {
			v, err := api.Get(ctx, resource, id, depth)
			return answer(err, v)
		}
	case "list":
		q := engine.Query{Depth: depth, Filter: drawFilter(r, resource), Limit: rapid.IntRange(0, 2).Draw(r, "limit"), Count: true}
		if sort, ok := map[string]string{"issue": "-project.name", "comment": "issue.title", "issue_label": "label.name"}[resource]; ok && rapid.Bool().Draw(r, "sorted") {
			q.Sort = []string{sort}
		}
		if resource == "comment" && rapid.Bool().Draw(r, "searches") {
			q.Search = "o"
		}
		return fmt.Sprintf("list %s %+v", resource, q), func(ctx context.Context, api *engine.Engine) string {
			page, err := api.List(ctx, resource, q)
			return fmt.Sprint(page.Count, page.Next != "", answer(err, page.Views...))
		}
	case "related":
		relation := rapid.SampledFrom([]string{"comments", "labels"}).Draw(r, "relation")
		return fmt.Sprintf("list %s of issue %d", relation, id), func(ctx context.Context, api *engine.Engine) string {
			page, err := api.Related(ctx, "issue", id, relation, engine.Query{Depth: 1})
			return answer(err, page.Views...)
		}
	case "count":
		return "count issues by project", func(ctx context.Context, api *engine.Engine) string {
			groups, err := api.Aggregate(ctx, "issue", engine.Aggregation{Group: []string{"project.name"}, Count: true})
			if err != nil {
				return answer(err)
			}
			var text []byte
			for _, g := range groups {
				text = g.AppendJSON(text)
			}
			return string(text)
		}
	case "create":
		body := drawBody(r, resource, anID)
		return fmt.Sprintf("create %s %v", resource, body), func(ctx context.Context, api *engine.Engine) string {
			views, err := api.Create(ctx, resource, engine.Write{Depth: 2}, body)
			return answer(err, views...)
		}
	case "patch":
		body := drawBody(r, resource, anID)
		return fmt.Sprintf("patch %s %d %v", resource, id, body), func(ctx context.Context, api *engine.Engine) string {
			v, err := api.Update(ctx, resource, id, engine.Write{Depth: depth}, body)
			return answer(err, v)
		}
	case "delete":
		return fmt.Sprintf("delete %s %d", resource, id), func(ctx context.Context, api *engine.Engine) string {
			return answer(api.Delete(ctx, resource, id, engine.Write{}))
		}
	}
	b := engine.Bulk{Filter: drawFilter(r, resource), Max: 3}
	return fmt.Sprintf("delete many %s %v", resource, b.Filter), func(ctx context.Context, api *engine.Engine) string {
		n, err := api.DeleteAll(ctx, resource, b)
		return fmt.Sprint(n, answer(err))
	}
}

// drawFilter returns a condition that crosses relations.
func drawFilter(r *rapid.T, resource string) map[string]any {
	type f = map[string]any
	all := map[string][]f{
		"project":     {{"issues": f{"$any": f{"title": "x"}}}, {"issues": f{"$none": f{}}}},
		"issue":       {{"duplicates": nil}, {"duplicates": 1}, {"comments": f{"$any": f{"author.name": "ann"}}}, {"labels": f{"$all": f{"name": "bug"}}}, {"assignee.name": "ann"}},
		"comment":     {{"issue.title": f{"ne": "x"}}, {"issue": nil}, {"answers": nil}, {"$not": f{"issue.labels": f{"$any": f{"name": "bug"}}}}},
		"label":       {{"issues": f{"$any": f{"title": "x"}}}, {"issues": f{"$none": f{}}}},
		"issue_label": {{"issue.title": "x"}, {"label": 1}},
	}
	return rapid.SampledFrom(append(all[resource], f{})).Draw(r, "filter")
}

// drawBody returns some members of a body.
func drawBody(r *rapid.T, resource string, anID *rapid.Generator[int]) map[string]any {
	ids := func(label string) []any {
		all := []any{}
		for _, id := range rapid.SliceOfNDistinct(anID, 0, 2, rapid.ID[int]).Draw(r, label) {
			all = append(all, id)
		}
		return all
	}
	members := map[string]map[string]func() any{
		"project": {"name": func() any { return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "name") }},
		"user":    {"name": func() any { return "cat" }},
		"issue": {
			"title": func() any { return rapid.SampledFrom([]string{"x", "w"}).Draw(r, "title") }, "project": func() any { return anID.Draw(r, "project") },
			"duplicates": func() any { return anID.Draw(r, "duplicates") }, "assignee": func() any { return anID.Draw(r, "assignee") },
			"comments": func() any { return ids("comments") }, "labels": func() any { return ids("labels") },
		},
		"comment": {
			"text": func() any { return "foo" }, "issue": func() any { return anID.Draw(r, "issue") }, "answers": func() any { return anID.Draw(r, "answers") },
			"author": func() any { return anID.Draw(r, "author") },
		},
		"label":       {"name": func() any { return "new" }, "issues": func() any { return ids("issues") }},
		"issue_label": {"issue": func() any { return anID.Draw(r, "issue") }, "label": func() any { return anID.Draw(r, "label") }},
	}
	body := make(map[string]any)
	for _, name := range []string{"name", "title", "project", "duplicates", "assignee", "comments", "labels", "text", "issue", "answers", "author", "issues", "label"} {
		if draw := members[resource][name]; draw != nil && rapid.Bool().Draw(r, "sets "+name) {
			body[name] = draw()
		}
	}
	return body
}
