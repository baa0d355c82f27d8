package readonly

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Resources returns a decorator that refuses writes to the resources with these
// names, the ones that the program uses. [core.New] fails with it if it names
// nothing, or a resource that the model does not have; the error says which ones
// there are.
func Resources(names ...string) core.Decorator {
	names = slices.Clone(names)
	named := func(r *core.Resource) bool { return slices.Contains(names, r.Name()) }
	return decorator(named, strings.Join(names, ", "), func(m *core.Model, next core.Handler) (core.Handler, error) {
		closed, err := closedOf(m, names)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind != core.Tx && op.Kind.Writes() && (op.Resource == nil || closed[op.Resource.Index()]) {
				return core.Result{}, refusal(op)
			}
			return next(ctx, op)
		}, nil
	})
}

// closedOf tells of each resource of the model, by its index, whether it is named.
func closedOf(m *core.Model, names []string) ([]bool, error) {
	if len(names) == 0 {
		return nil, errors.New("names no resource; use readonly.Store for all of them")
	}
	closed := make([]bool, len(m.Resources()))
	for _, name := range names {
		r := m.Resource(name)
		if r == nil {
			return nil, fmt.Errorf("there is no resource %q; the model %q has %s", name, m.Name(), listOf(m))
		}
		closed[r.Index()] = true
	}
	return closed, nil
}

func listOf(m *core.Model) string {
	var names []string
	for _, r := range m.Resources() {
		names = append(names, r.Name())
	}
	return strings.Join(names, ", ")
}
