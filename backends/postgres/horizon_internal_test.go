package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// mute is a server that does not answer.
type mute struct{}

func (mute) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, errors.New("mute") }

func TestAPositionThatIsNotKnownKeepsReadersFromReplicas(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var h writePosition
	if !h.resolve(t.Context(), mute{}) {
		t.Error("nothing was lost, and the primary was asked")
	}
	h.noteUnknown()
	h.noteUnknown()
	if h.resolve(t.Context(), mute{}) {
		t.Error("settled without an answer")
	}
	if !h.resolve(t.Context(), conn) || h.position.Load() == nil {
		t.Error("not settled")
	}
	if !h.resolve(t.Context(), mute{}) {
		t.Error("the primary was asked twice")
	}
	h.noteUnknown()
	if h.resolve(t.Context(), mute{}) {
		t.Error("settled although another position was lost")
	}
}

func TestHorizonNeverGoesBack(t *testing.T) {
	t.Parallel()
	var h writePosition
	for _, c := range []struct{ reached, want logPosition }{
		{logPosition{1, 10}, logPosition{1, 10}},
		{logPosition{1, 5}, logPosition{1, 10}},
		{logPosition{1, 20}, logPosition{1, 20}},
		{logPosition{2, 15}, logPosition{2, 15}}, // the promoted standby lacked some of the log
		{logPosition{1, 99}, logPosition{2, 15}},
		{logPosition{2, 16}, logPosition{2, 16}},
	} {
		if h.advance(c.reached); *h.position.Load() != c.want {
			t.Errorf("after %v: %v, want %v", c.reached, *h.position.Load(), c.want)
		}
	}
	for replayed, behind := range map[logPosition]bool{{2, 16}: false, {2, 15}: true, {1, 99}: true, {3, 99}: true, {0, 99}: true} {
		if got := replayed.behind(*h.position.Load()); got != behind {
			t.Errorf("%v behind: %v", replayed, got)
		}
	}
}
