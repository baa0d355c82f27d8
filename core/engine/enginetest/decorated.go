package enginetest

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// Decorated is a backend with decorators. A [NewBackend] that returns one has the rules of this package and of package resttest
// checked through the decorators, which stand outside those of a case. They must permit everything to everyone and change nothing.
type Decorated struct {
	core.Backend

	Decorators []core.Decorator // outermost first
}

// Composed returns the backend and the decorators of a store for a case: those of a [Decorated] backend and then the inner ones.
func Composed(backend core.Backend, inner []core.Decorator) (core.Backend, []core.Decorator) {
	if d, ok := backend.(Decorated); ok {
		return d.Backend, slices.Concat(d.Decorators, inner)
	}
	return backend, inner
}
