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
	var pending observers // around handler, not yet in it
	for _, d := range slices.Backward(decorators) {
		if d.Observe != nil {
			o, err := d.Observe(m)
			if err != nil {
				return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
			}
			if o != nil {
				pending = slices.Insert(pending, 0, o)
			}
			continue
		}
		next, err := d.Wrap(m, pending.around(handler))
		if err != nil {
			return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
		}
		if next == nil {
			return nil, fmt.Errorf("decorator %q: returned no handler", d.Name)
		}
		handler, pending = next, nil
	}
	return pending.around(handler), nil
}

// checkOrder rejects stacks with an order that breaks a promise. Its error names an order that keeps the promise.
func checkOrder(decorators []Decorator) error {
	seen := make(map[string]bool, len(decorators))
	var answer string
	for _, d := range decorators {
		switch {
		case d.Name == "" || (d.Wrap == nil) == (d.Observe == nil):
			return fmt.Errorf("decorator %q: needs a name and exactly one of Wrap and Observe", d.Name)
		case d.Kind < KindObserve || d.Kind > KindAnswer:
			return fmt.Errorf("decorator %q: has no kind; set Kind to core.KindObserve, KindPolicy, KindEffect or KindAnswer", d.Name)
		case d.Wrap != nil && d.Kind == KindObserve:
			return fmt.Errorf("decorator %q: has the kind %s and a Wrap; an observer has an Observe function, and a decorator with a Wrap has the kind %s, %s or %s",
				d.Name, KindObserve, KindPolicy, KindEffect, KindAnswer)
		case d.Observe != nil && d.Kind != KindObserve:
			return fmt.Errorf("decorator %q: has an Observe function and the kind %s; the kind of an observer is %s", d.Name, d.Kind, KindObserve)
		case seen[d.Name] && !d.Repeatable:
			return fmt.Errorf("decorator %q: stands twice in the stack, which has no meaning; keep one", d.Name)
		case (d.Kind == KindPolicy || d.Kind == KindEffect) && answer != "":
			return fmt.Errorf("decorator %q: stands inside %q, which may answer operations before they reach %q; put %q before %q",
				d.Name, answer, d.Name, d.Name, answer)
		}
		seen[d.Name] = true
		if d.Kind == KindAnswer && answer == "" {
			answer = d.Name
		}
	}
	return nil
}
