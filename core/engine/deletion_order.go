package engine

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// deletionOrder lists the resources, by index, so that those that point at others
// come before them: a database may check references with every statement, and may
// delete by itself what cascades. Where resources point at each other, those that
// cascade come first, because the others can let go of what they point at.
func deletionOrder(m *core.Model) []int {
	pointing := reachable(m, func(*core.Field) bool { return true })
	cascading := reachable(m, (*core.Field).Cascade)
	rest := make([]int, len(m.Resources()))
	for i := range rest {
		rest[i] = i
	}
	order := make([]int, 0, len(rest))
	for len(rest) > 0 {
		next := slices.IndexFunc(rest, func(to int) bool {
			return !slices.ContainsFunc(rest, func(from int) bool {
				return pointing.oneWay(from, to) || cascading.oneWay(from, to)
			})
		})
		order = append(order, rest[next])
		rest = slices.Delete(rest, next, next+1)
	}
	return order
}

// reach says which resources lead to which, by index.
type reachability [][]bool

func (r reachability) oneWay(from, to int) bool { return r[from][to] && !r[to][from] }

// paths follows the references that count, over any number of resources.
func reachable(m *core.Model, counts func(*core.Field) bool) reachability {
	r := make(reachability, len(m.Resources()))
	for i := range r {
		r[i] = make([]bool, len(r))
		next := []*core.Resource{m.Resources()[i]}
		for len(next) > 0 {
			here := next[0]
			next = next[1:]
			for _, f := range here.References() {
				if to := f.Target(); counts(f) && !r[i][to.Index()] {
					r[i][to.Index()] = true
					next = append(next, to)
				}
			}
		}
	}
	return r
}
