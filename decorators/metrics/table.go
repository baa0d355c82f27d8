package metrics

import "github.com/larder-go/larder/core"

// table has the series of a model by resource and kind, that of transactions
// last.
type table struct {
	model *core.Model
	all   []*series
}

var kinds = len(core.Kinds()) + 1 // they count from 1

// table returns the series of a model, and makes those that there are not.
func (f *families) table(m *core.Model) table {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := table{m, make([]*series, len(m.Resources())*kinds+1)}
	for _, r := range m.Resources() {
		for _, k := range core.Kinds() {
			if k != core.Tx {
				t.all[r.Index()*kinds+int(k)] = f.of(k, r.Name())
			}
		}
	}
	t.all[len(t.all)-1] = f.of(core.Tx, "")
	return t
}

// of returns the series of an op; nil for one that the store will refuse,
// because a decorator has spoiled it.
func (t *table) of(kind core.Kind, r *core.Resource) *series {
	switch {
	case kind == core.Tx:
		return t.all[len(t.all)-1]
	case r == nil || r.Model() != t.model || kind < 1 || int(kind) >= kinds:
		return nil
	default:
		return t.all[r.Index()*kinds+int(kind)]
	}
}
