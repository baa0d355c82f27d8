package explorer

import (
	"net/http"

	"github.com/larder-go/larder/core"
)

// explainPage is the content of the page about the decisions of the policy.
type explainPage struct {
	Heading    string
	Operations []decided
	Fields     []decidedField
}

// decided is the decision about an operation.
type decided struct {
	Name string
	Decision
}

// decidedField holds the decisions about reading, setting in a new record, and changing a field.
type decidedField struct {
	Name      string
	Decisions []Decision
}

// explained are the operations that the page explains, the ones with fields first.
var explained = []struct {
	kind core.Kind
	name string
}{{core.Select, "read"}, {core.Insert, "create"}, {core.Update, "change"}, {core.Delete, "delete"}}

// explain shows the decisions of the policy about the caller, the operations and the fields. It reads no records.
func (v *visit) explain() error {
	if v.opts.Explain == nil {
		return v.missing()
	}
	shown := explainPage{Heading: "What you may do with " + v.resource.APIName()}
	for _, o := range explained {
		decision, err := v.decide(o.kind, v.resource)
		if err != nil {
			return err
		}
		shown.Operations = append(shown.Operations, decided{o.name, decision})
	}
	for _, f := range v.resource.Fields() {
		if f.Hidden() || !f.Stored() || f.Parts() != nil {
			continue
		}
		to := decidedField{Name: f.APIName()}
		for _, o := range explained[:3] {
			decision, err := v.decide(o.kind, v.resource, f.Name())
			if err != nil {
				return err
			}
			if !settable(f) && o.kind != core.Select {
				decision = Decision{Reason: "The model does not let clients set the field."}
			}
			to.Decisions = append(to.Decisions, decision)
		}
		shown.Fields = append(shown.Fields, to)
	}
	return v.render(http.StatusOK, "explain", shown.Heading, shown)
}

// decide asks [Options.Explain], if the program has it. A write of a read-only resource is denied.
func (v *visit) decide(kind core.Kind, r *core.Resource, fields ...string) (Decision, error) {
	switch {
	case kind.Writes() && v.engine.ReadOnly(r.APIName()):
		return Decision{Reason: "The resource is read-only."}, nil
	case v.opts.Explain == nil:
		return Decision{Allowed: true}, nil
	}
	return v.opts.Explain(v.request(http.MethodGet, v.resourcePath(r), nil, nil), kind, r, fields...)
}

// permitted reports whether the caller may perform operations of the kind on the resource, as far as the model and
// [Options.Explain] tell.
func (v *visit) permitted(kind core.Kind, r *core.Resource, fields ...string) (bool, error) {
	decision, err := v.decide(kind, r, fields...)
	return decision.Allowed, err
}

// offered returns the URL if the caller may perform operations of the kind on the resource, otherwise an empty text.
func (v *visit) offered(kind core.Kind, r *core.Resource, to string) (string, error) {
	if permitted, err := v.permitted(kind, r); err != nil || !permitted {
		return "", err
	}
	return to, nil
}
