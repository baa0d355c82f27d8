//go:build ha

package pgtest_test

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

func TestPatroniSwitchesOver(t *testing.T) {
	p := pgtest.StartPatroni(t, "synchronous_mode: true")
	before, err := p.Role(t.Context(), "leader")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Switchover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitComplete(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := p.Role(t.Context(), "leader")
	if err != nil || after[0] == before[0] {
		t.Errorf("leaders %v, then %v: %v", before, after, err)
	}
}
