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
	var h horizon
	if !h.settle(t.Context(), mute{}) {
		t.Error("nothing was lost, and the primary was asked")
	}
	h.lose()
	h.lose()
	if h.settle(t.Context(), mute{}) {
		t.Error("settled without an answer")
	}
	if !h.settle(t.Context(), conn) || h.position.Load() == 0 {
		t.Errorf("not settled: position %d", h.position.Load())
	}
	if !h.settle(t.Context(), mute{}) {
		t.Error("the primary was asked twice")
	}
	h.lose()
	if h.settle(t.Context(), mute{}) {
		t.Error("settled although another position was lost")
	}
}
