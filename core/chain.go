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
	for _, d := range slices.Backward(decorators) {
		next, err := d.Wrap(m, handler)
		if err != nil {
			return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
		}
		if next == nil {
			return nil, fmt.Errorf("decorator %q: returned no handler", d.Name)
		}
		handler = next
	}
	return handler, nil
}

// checkOrder refuses stacks whose order breaks a promise and says which order
// keeps it.
func checkOrder(decorators []Decorator) error {
	seen := make(map[string]bool, len(decorators))
	var answer string
	for _, d := range decorators {
		switch {
		case d.Name == "" || d.Wrap == nil:
			return fmt.Errorf("decorator %q: has no name or no Wrap", d.Name)
		case d.Layer < Observe || d.Layer > Answer:
			return fmt.Errorf("decorator %q: has no layer", d.Name)
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
