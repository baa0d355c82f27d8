package main

import (
	"fmt"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/decorators/access"
)

// operations are the kinds of operations that the pages ask about.
var operations = map[core.Kind]access.Operation{
	core.Select: access.Read, core.Insert: access.Insert, core.Update: access.Update, core.Delete: access.Delete,
}

// explainer returns the function by which the pages explain the policy of -policy to the caller, with its rules; nil without
// -policy.
func explainer(model *core.Model) (func(*http.Request, core.Kind, *core.Resource, ...string) (explorer.Decision, error), error) {
	if *policyFile == "" {
		return nil, nil
	}
	policy, err := readPolicy(*policyFile)
	if err != nil {
		return nil, err
	}
	compiled, err := policy.Compile(model)
	if err != nil {
		return nil, err
	}
	return func(r *http.Request, kind core.Kind, resource *core.Resource, fields ...string) (explorer.Decision, error) {
		var caller *core.Principal
		if *auth {
			var err error
			if caller, err = authenticate(r); err != nil {
				return explorer.Decision{}, err
			}
		}
		decision := compiled.Explain(caller, operations[kind], resource.Name(), fields...)
		if decision.Err != nil && core.AsError(decision.Err).Code == core.ServerError {
			return explorer.Decision{}, fmt.Errorf("policy: %w", decision.Err)
		}
		return explorer.Decision{Allowed: decision.Allowed(), Reason: decision.String()}, nil
	}, nil
}
