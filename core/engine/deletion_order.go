package engine

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// deletionOrder returns the indexes of the resources so that referring resources come before the resources they
// point at. A database may check references with every statement, and may itself delete referrers that cascade. In
// a circle of resources, the ones that cascade come first, because references without cascade can be set to null.
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

// reachability[from][to] is true if references lead from one resource to the other, by index.
type reachability [][]bool

func (r reachability) oneWay(from, to int) bool { return r[from][to] && !r[to][from] }

// reachable follows the references that counts selects, over any number of resources.
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
