package logging

import (
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// line is what all lines about one kind of operation on one resource share.
type line struct {
	message string
	seen    atomic.Uint64 // lines for debugging, written or not
}

// take reports whether this one, of lines that are thinned, is to be written.
func (l *line) take(oneIn int) bool {
	return oneIn <= 1 || (l.seen.Add(1)-1)%uint64(oneIn) == 0
}

// lines has those of a model by resource and kind, the transaction's last.
type lines struct {
	model *core.Model
	all   []line
}

var kinds = len(core.Kinds()) + 1 // they count from 1

func newLines(m *core.Model) lines {
	all := make([]line, len(m.Resources())*kinds+1)
	for _, r := range m.Resources() {
		for _, k := range core.Kinds() {
			all[r.Index()*kinds+int(k)].message = k.String() + " " + r.Name()
		}
	}
	all[len(all)-1].message = "transaction"
	return lines{m, all}
}

// of returns the line of an op; a new one for an op that the store will refuse,
// because a decorator has spoiled it.
func (ls *lines) of(event *core.Event) *line {
	switch r := event.Resource; {
	case event.Kind == core.Tx:
		return &ls.all[len(ls.all)-1]
	case r == nil || r.Model() != ls.model || event.Kind < 1 || int(event.Kind) >= kinds:
		return &line{message: event.Kind.String()}
	default:
		return &ls.all[r.Index()*kinds+int(event.Kind)]
	}
}
