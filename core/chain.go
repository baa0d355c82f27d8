package core

import (
	"fmt"
	"slices"
)

// chain wraps the decorators around the innermost handler, the first outermost.
func chain(m *Model, decorators []Decorator, innermost Handler) (Handler, error) {
	if err := checkOrder(decorators); err != nil {
		return nil, err
	}
	handler := innermost
	var watching watchers // around handler, not yet in it
	for _, d := range slices.Backward(decorators) {
		if d.Watch != nil {
			w, err := d.Watch(m)
			if err != nil {
				return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
			}
			if w != nil {
				watching = slices.Insert(watching, 0, w)
			}
			continue
		}
		next, err := d.Wrap(m, watching.around(handler))
		if err != nil {
			return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
		}
		if next == nil {
			return nil, fmt.Errorf("decorator %q: returned no handler", d.Name)
		}
		handler, watching = next, nil
	}
	return watching.around(handler), nil
}

// checkOrder refuses stacks whose order breaks a promise and says which order
// keeps it.
func checkOrder(decorators []Decorator) error {
	seen := make(map[string]bool, len(decorators))
	var answer string
	for _, d := range decorators {
		switch {
		case d.Name == "" || (d.Wrap == nil) == (d.Watch == nil):
			return fmt.Errorf("decorator %q: has no name, or not one of Wrap and Watch", d.Name)
		case d.Layer < Observe || d.Layer > Answer:
			return fmt.Errorf("decorator %q: has no layer", d.Name)
		case d.Wrap != nil && d.Layer == Observe:
			return fmt.Errorf("decorator %q: is of the layer %s and has a Wrap; an observer has a Watch, and a decorator with a Wrap is of the layer %s or %s",
				d.Name, Observe, Policy, Answer)
		case d.Watch != nil && d.Layer != Observe:
			return fmt.Errorf("decorator %q: has a Watch and is of the layer %s; what only looks on is of the layer %s", d.Name, d.Layer, Observe)
		case seen[d.Name] && !d.Repeatable:
			return fmt.Errorf("decorator %q: stands twice in the stack, which has no meaning; keep one", d.Name)
		case d.Layer == Policy && answer != "":
			return fmt.Errorf("decorator %q: stands inside %q, which would answer operations that it never sees; put %q before %q",
				d.Name, answer, d.Name, answer)
		}
		seen[d.Name] = true
		if d.Layer == Answer && answer == "" {
			answer = d.Name
		}
	}
	return nil
}
