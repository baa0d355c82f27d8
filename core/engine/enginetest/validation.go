package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// issues has rules on the values of related resources.
func issues() *core.Model {
	return core.MustModel("issues",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			key(),
			{Name: "title", APIName: "headline", Type: core.Text, Required: true, MaxLength: 8},
			{Name: "state", Type: core.Text, Default: "open", Transitions: map[string][]string{"open": {"closed"}, "closed": {"open"}}},
			{Name: "first", Type: core.Int},
			{Name: "last", Type: core.Int},
			{Name: "secret", Type: core.Int, Hidden: true, Max: 9},
			{Name: "author", ToOne: "user"},
			{Name: "comments", ToMany: "comment", Inverse: "issue"},
			{Name: "double", Computed: &core.Computed{
				Get: func(context.Context, core.Record) (any, error) { return nil, nil },
				Set: func(_ context.Context, _ core.Record, value any) (map[string]any, error) {
					return map[string]any{"secret": value}, nil
				},
			}},
		}, Validate: func(_ context.Context, _, after core.Record) ([]core.Violation, error) {
			if first, last := after.Get("first"), after.Get("last"); first.IsSet() && last.IsSet() && last.Int() < first.Int() {
				return []core.Violation{{Path: []any{"last"}, Rule: "order", Accepted: "not below first"}}, nil
			}
			return nil, nil
		}},
		core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
			key(),
			{Name: "text", Type: core.Text, MaxLength: 5},
			{Name: "stars", Type: core.Int, Min: 0, Max: 5},
			{Name: "issue", ToOne: "issue", Required: true},
			{Name: "author", ToOne: "user"},
		}, Validate: func(_ context.Context, before, after core.Record) ([]core.Violation, error) {
			if was := before.Get("issue"); was.IsSet() && was != after.Get("issue") {
				return []core.Violation{{Path: []any{"issue"}, Rule: "stays", Accepted: "the same issue"}}, nil
			}
			return nil, nil
		}},
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text, Pattern: "^[a-z]+$"},
		}},
	)
}

// headlines returns an effect that sets the headline of new issues without one. It declares to set the fields of sets.
func headlines(sets func(*core.Field) bool) core.Decorator {
	return core.Decorator{Name: "headlines", Kind: core.KindEffect, KnowsRelated: true, Sets: sets, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Insert && op.Resource.Name() == "issue" {
				title := op.Resource.Field("title")
				op.Records = slices.Clone(op.Records)
				for i, rec := range op.Records {
					if rec.Value(title).IsAbsent() {
						op.Records[i] = rec.With(title.Column(), core.TextValue("none"))
					}
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

func validationCases() []Case {
	return []Case{
		script("a record reports all violations", issues, `
			post issue {"headline": "much too long", "author": {"name": "Ann"}} => VALIDATION_FAILED {"violations": [{"object_name": "user", "path": ["author", "name"], "rule": "pattern", "accepted": "text that matches ^[a-z]+$"}, {"object_name": "issue", "path": ["headline"], "rule": "max_length", "accepted": "at most 8 characters"}]}
			list issue => []
			list user  => []`),
		script("a violation has its path in nested bodies", issues, `
			post issue {"headline": "a", "comments": [{"text": "fine"}]} => {"id": 1, "headline": "a", "state": "open", "comments": [1]}
			post issue {"headline": "a", "comments": [{"text": "fine"}, {"text": "longer", "author": {"name": "1"}}, {"stars": 6}]} => VALIDATION_FAILED {"violations": [{"object_name": "user", "path": ["comments", 1, "author", "name"], "rule": "pattern", "accepted": "text that matches ^[a-z]+$"}, {"object_name": "comment", "path": ["comments", 1, "text"], "rule": "max_length", "accepted": "at most 5 characters"}, {"object_name": "comment", "path": ["comments", 2, "stars"], "rule": "max", "accepted": "at most 5"}]}
			list issue depth=0   => [1]
			list comment depth=0 => [1]
			patch issue/1 {"comments": [1, {"text": "longer"}]} => VALIDATION_FAILED {"violations": [{"object_name": "comment", "path": ["comments", 1, "text"], "rule": "max_length", "accepted": "at most 5 characters"}]}`),
		script("a list of bodies has its positions in the paths", issues, `
			post issue [{"headline": "a"}, {"headline": "much too long"}, {}] => VALIDATION_FAILED {"violations": [{"object_name": "issue", "path": [1, "headline"], "rule": "max_length", "accepted": "at most 8 characters"}, {"object_name": "issue", "path": [2, "headline"], "rule": "required", "accepted": "a value other than null"}]}
			post issue [{"headline": "a", "comments": [{"stars": -1}]}, {"comments": [{"stars": 7}]}] => VALIDATION_FAILED {"violations": [{"object_name": "comment", "path": [0, "comments", 0, "stars"], "rule": "min", "accepted": "at least 0"}, {"object_name": "issue", "path": [1, "headline"], "rule": "required", "accepted": "a value other than null"}, {"object_name": "comment", "path": [1, "comments", 0, "stars"], "rule": "max", "accepted": "at most 5"}]}
			list issue => []`),
		scriptWith("required fields of later records are reported below a policy", issues, engine.Options{}, `
			as 1 post issue [{"headline": "a", "comments": [{"stars": -1}]}, {"author": {"name": "b"}, "comments": [{"text": "longer"}]}] => VALIDATION_FAILED {"violations": [{"object_name": "comment", "path": [0, "comments", 0, "stars"], "rule": "min", "accepted": "at least 0"}, {"object_name": "issue", "path": [1, "headline"], "rule": "required", "accepted": "a value other than null"}, {"object_name": "comment", "path": [1, "comments", 0, "text"], "rule": "max_length", "accepted": "at most 5 characters"}]}
			as 1 list issue => []`, headlines(nil)),
		scriptWith("a required field that a decorator sets is not reported", issues, engine.Options{}, `
			as 1 post issue [{"headline": "a", "comments": [{"stars": -1}]}, {"comments": [{}]}] => VALIDATION_FAILED {"violations": [{"object_name": "comment", "path": [0, "comments", 0, "stars"], "rule": "min", "accepted": "at least 0"}]}
			as 1 put issue/7 {} => created {"id": 7, "headline": "none", "state": "open", "comments": []}`, headlines(func(f *core.Field) bool { return f.Name() == "title" })),
		script("types are checked before rules", issues, `
			post issue [{}, {"headline": "a", "comments": [{"stars": "many"}]}] => BAD_FIELD_VALUE {"object_name": "comment", "field_name": "stars", "type": "int", "value": "many", "index": 1}`),
		script("a replacement sets required fields", issues, `
			post issue {"headline": "a", "last": 3}
			put issue/1 {"last": 4} => VALIDATION_FAILED {"violations": [{"object_name": "issue", "path": ["headline"], "rule": "required", "accepted": "a value other than null"}]}
			patch issue/1 {"headline": null} => VALIDATION_FAILED
			get issue/1 depth=0 => 1
			put issue/1 {"headline": ""} => replaced {"id": 1, "headline": "", "state": "open", "comments": []}
			put issue/7 {} => VALIDATION_FAILED
			put issue/7 {"headline": "b"} => created {"id": 7, "headline": "b", "state": "open", "comments": []}`),
		script("a change is checked against the stored record", issues, `
			post issue {"headline": "a", "first": 5}
			patch issue/1 {"last": 4} => VALIDATION_FAILED {"violations": [{"object_name": "issue", "path": ["last"], "rule": "order", "accepted": "not below first"}]}
			patch issue/1 {"state": "gone"} => VALIDATION_FAILED {"violations": [{"object_name": "issue", "path": ["state"], "rule": "transition", "accepted": "\"closed\""}]}
			patch issue/1 {"state": "closed", "last": 6} => {"id": 1, "headline": "a", "first": 5, "last": 6, "state": "closed", "comments": []}`),
		script("a required relation keeps its records", issues, `
			post comment {"text": "a"} => VALIDATION_FAILED {"violations": [{"object_name": "comment", "path": ["issue"], "rule": "required", "accepted": "a value other than null"}]}
			post issue {"headline": "a", "comments": [{}]}
			patch comment/1 {"issue": null} => VALIDATION_FAILED
			patch issue/1 {"comments": []}  => FIELD_UPDATE_FORBIDDEN
			put issue/1 {"headline": "b"}   => replaced {"id": 1, "headline": "b", "state": "open", "comments": [1]}
			delete issue/1                  => STILL_REFERENCED {"object_name": "issue", "field_name": "comments"}
			delete comment/1                => null
			delete issue/1                  => null`),
		script("a violation of a related record names the relation", issues, `
			post issue {"headline": "a", "comments": [{}]}
			post issue {"headline": "b", "comments": [1]} => VALIDATION_FAILED {"violations": [{"object_name": "comment", "path": ["comments"], "rule": "stays", "accepted": "the same issue"}]}
			list issue depth=0 => [1]`),
		code("a change of many records reports a violation once, with the keys", issues, func(t *testing.T, api *engine.Engine) {
			if _, err := api.Create(t.Context(), "issue", engine.Write{}, map[string]any{"headline": "a"}, map[string]any{"headline": "b", "state": "closed"}); err != nil {
				t.Fatal(err)
			}
			for _, test := range []struct {
				body map[string]any
				want string
			}{
				{map[string]any{"headline": "much too long"}, `[[headline] max_length at most 8 characters [1 2]]`},
				{map[string]any{"state": "lost"}, `[[state] transition "closed" [1] [state] transition "open" [2]]`},
				{map[string]any{"double": 1, "state": "open", "author": map[string]any{"name": "1"}}, `[[author name] pattern text that matches ^[a-z]+$ [1]]`},
			} {
				_, err := api.UpdateAll(t.Context(), "issue", engine.Bulk{Max: 9}, test.body)
				var got []string
				for _, v := range core.AsError(err).Violations {
					got = append(got, fmt.Sprint(v.Path, " ", v.Rule, " ", v.Accepted, " ", v.Keys))
				}
				if !errors.Is(err, core.ValidationFailed) || fmt.Sprint(got) != test.want {
					t.Errorf("%v: got %v %v, want %s", test.body, err, got, test.want)
				}
			}
		}),
		script("a violation of a hidden field does not name it", issues, `
			post issue {"headline": "a", "double": 10} => VALIDATION_FAILED {"violations": [{"object_name": "issue", "path": [], "rule": "invalid", "accepted": ""}]}
			post issue {"headline": "a", "double": 9}`),
	}
}
