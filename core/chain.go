package core

import (
	"errors"
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
		next, err := d.wrap(m, handler)
		if err != nil {
			return nil, fmt.Errorf("decorator %q: %w", d.Name, err)
		}
		handler = next
	}
	return handler, nil
}

// wrap returns the handler of the decorator around next.
func (d Decorator) wrap(m *Model, next Handler) (Handler, error) {
	if d.Observe != nil {
		o, err := d.Observe(m)
		if err != nil || o == nil {
			return next, err
		}
		return observe(o, next), nil
	}
	handler, err := d.Wrap(m, next)
	if err == nil && handler == nil {
		err = errors.New("returned no handler")
	}
	return handler, err
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
