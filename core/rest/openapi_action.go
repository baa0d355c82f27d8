package rest

import (
	"cmp"
	"net/http"
)

// addActions adds the paths of the actions, and the schemas of their inputs and outputs.
func (n schemaNames) addActions(paths, schemas object, opts Options, actions []*action) {
	for _, a := range actions {
		r := n.api.Model().ResourceByAPIName(a.Resource)
		name := n.nameOf(r) + "_" + a.Name
		input := uniqueName(name+"_input", n.used)
		schemas[input] = n.shapeSchema(a.input, true)
		op := n.operation("action_"+name, r, object{
			"summary":     "Run the action " + a.Name + " of " + r.APIName(),
			"description": cmp.Or(a.Description, "Runs the action in one transaction."),
			"requestBody": bodyOf(ref("schemas", input), nil, plainJSON),
		})
		failures := writeFailures(http.StatusUnsupportedMediaType)
		done := object{}
		path := object{"post": op}
		if !a.Whole {
			path["parameters"] = []any{idParameter(r)}
			op["parameters"] = append(n.shown(r), parameterRefs("If-Match", "If-None-Match")...)
			failures = append(failures, http.StatusPreconditionFailed)
			if opts.RequireIfMatch {
				failures = append(failures, http.StatusPreconditionRequired)
			}
		}
		switch {
		case a.output != nil:
			output := uniqueName(name+"_output", n.used)
			schemas[output] = n.shapeSchema(a.output, false)
			done["200"] = response("The result of the action.", ref("schemas", output))
		case a.Whole:
			done["204"] = object{"description": "The action is done."}
		default:
			done["200"] = response("The record after the action.", n.answer(r, n.depth), "ETag")
			done["204"] = object{"description": "The action is done, and the record is gone or can no longer be read."}
		}
		op["responses"] = responses(done, failures...)
		paths[a.path()] = path
	}
}

// shapeSchema describes the objects of a shape. A body may have null for a member that is not required, and has the rules for
// values; an output has no null.
func (n schemaNames) shapeSchema(s *shape, body bool) object {
	properties, required := object{}, []string{}
	for _, f := range s.fields {
		schema, words := typeSchema(f.Type()), ""
		if target := s.targets[f]; target != nil {
			schema, words = typeSchema(target.Key().Type()), "The id of a record of "+target.APIName()+"."
		} else if f.Spec().Schema == nil {
			schema, words = n.ruled(f, schema)
		}
		hasDefault := f.HasDefaultFunc() || f.ConstantDefault().IsSet()
		switch {
		case f.Required() && !(body && hasDefault):
			required = append(required, f.APIName())
		case body && !f.Required():
			schema = orNull(schema)
		}
		properties[f.APIName()] = describe(schema, f.Description(), words)
	}
	described := object{"type": "object", "properties": properties}
	if body {
		described["additionalProperties"] = false
	}
	if len(required) > 0 {
		described["required"] = required
	}
	return described
}
