package servertest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// Recorder is a tracer that keeps the last statement.
type Recorder struct {
	// LooksFor is a part of the statement to keep; empty for the last one that was sent alone.
	LooksFor string
	// SQL is the text of the statement.
	SQL string

	mu   sync.Mutex
	args []any
}

// RecordedPool returns a pool of serializable connections that keeps its last statement.
func RecordedPool(tb testing.TB) (*pgxpool.Pool, *Recorder) {
	tb.Helper()
	config, err := pgxpool.ParseConfig(With(tb, With(tb, pgtest.URL(tb), "default_transaction_isolation", "serializable"), "jit", "off"))
	Must(tb, err)
	last := &Recorder{}
	config.ConnConfig.Tracer = last
	p, err := pgxpool.NewWithConfig(tb.Context(), config)
	Must(tb, err)
	tb.Cleanup(p.Close)
	return p, last
}

// Args returns the arguments of the last statement.
func (r *Recorder) Args() []any { return r.args }

// Plan returns the plan of the last statement.
func (r *Recorder) Plan(tb testing.TB, p *pgxpool.Pool) string {
	tb.Helper()
	return r.Explain(tb, p, "EXPLAIN ")
}

// Explain returns the lines that EXPLAIN, with options, prints for the last statement.
func (r *Recorder) Explain(tb testing.TB, p *pgxpool.Pool, explain string) string {
	tb.Helper()
	looksFor := r.LooksFor
	r.LooksFor = explain + r.SQL + "?" // keeps the statement
	rows, err := p.Query(tb.Context(), explain+r.SQL, r.args...)
	Must(tb, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	Must(tb, err)
	r.LooksFor = looksFor
	return strings.Join(lines, "\n")
}

// Buffers returns the number of buffers that the last statement touches, and its plan.
func (r *Recorder) Buffers(tb testing.TB, p *pgxpool.Pool) (n int, plan string) {
	tb.Helper()
	plan = r.Explain(tb, p, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, FORMAT JSON) ")
	var explained []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		} `json:"Plan"`
	}
	Must(tb, json.Unmarshal([]byte(plan), &explained))
	return explained[0].Plan.Hit + explained[0].Plan.Read, plan
}

// TraceQueryStart keeps statements that are sent alone.
func (r *Recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Contains(data.SQL, r.LooksFor) {
		r.SQL, r.args = data.SQL, data.Args
	}
	return ctx
}

// TraceQueryEnd does nothing.
func (*Recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart does nothing.
func (*Recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery keeps statements with the text that the test looks for.
func (r *Recorder) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.LooksFor != "" && strings.Contains(data.SQL, r.LooksFor) {
		r.SQL, r.args = data.SQL, data.Args
	}
}

// TraceBatchEnd does nothing.
func (*Recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
