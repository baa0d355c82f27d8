package postgres_test

import (
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
)

// TestReplicaIsReadWithinItsLargestLag has another program change a record that the standby
// does not get.
func TestReplicaIsReadWithinItsLargestLag(t *testing.T) {
	t.Parallel()
	p := replicated(t, ways[0])
	for _, c := range []struct {
		most time.Duration
		want string
	}{{0, "old"}, {time.Hour, "old"}, {time.Nanosecond, "new"}} {
		t.Run(c.most.String(), func(t *testing.T) {
			p.elsewhere(t, "old")
			p.catchUp(t)
			p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{p.standby.URL()}, MaxLag: c.most})
			p.pause(t)
			defer p.resume(t)
			p.elsewhere(t, "new")
			p.await(t, c.want)
			if got := p.kindIn(t, core.TxOptions{ReadOnly: true}); c.want == "new" && got != "new" {
				t.Errorf("a read-only transaction saw %q", got)
			}
		})
	}
	p.catchUp(t)
	p.open(t, p.primary.URL(), postgres.Options{Replicas: []string{p.standby.URL()}, MaxLag: time.Nanosecond})
	for range 10 {
		p.elsewhere(t, "one")
		if got := p.kind(t.Context(), t, p.store); got != "one" {
			t.Errorf("saw %q", got)
		}
		p.elsewhere(t, "two")
		if got := p.kind(t.Context(), t, p.store); got != "two" {
			t.Errorf("saw %q", got)
		}
	}
}
