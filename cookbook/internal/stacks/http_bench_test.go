package stacks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

const (
	taskCount   = 10_000
	connections = 16
	burst       = 10 // requests of a connection in a round
)

// task is a record of the benchmark, as the services by hand see it.
type task struct {
	ID    int64 `json:"id"`
	owner int64
	Title string  `json:"title"`
	State string  `json:"state"`
	Rank  int64   `json:"rank"`
	Cost  float64 `json:"cost"`
}

func tasks() *core.Model {
	return core.MustModel("tasks",
		core.ResourceSpec{Name: "task", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int, Hidden: true, Indexed: true}, {Name: "title", Type: core.Text},
			{Name: "state", Type: core.Text}, {Name: "rank", Type: core.Int}, {Name: "cost", Type: core.Float},
		}},
		core.ResourceSpec{Name: "unit", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	)
}

// authenticate accepts the number of a user as a bearer token.
func authenticate(r *http.Request) (*core.Principal, error) {
	id, err := userOf(r)
	return &core.Principal{ID: core.IntValue(id), Roles: []string{"worker"}}, err
}

func userOf(r *http.Request) (int64, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return strconv.ParseInt(token, 10, 64)
}

// fiveOfTasks are the five decorators of this project, for tasks.
func fiveOfTasks() []core.Decorator {
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel))
	return []core.Decorator{
		logging.New(logger, logging.Options{}), metrics.New(prometheus.NewRegistry(), metrics.Options{}),
		readonly.New(readonly.Options{Resources: []string{"unit"}}), ownership.New("owner", ownership.Options{Shared: []string{"unit"}}),
		access.New(access.Policy{{Roles: []string{"worker"}, Resource: "task", Operations: access.Read | access.Insert | access.Update | access.Delete}}, access.Options{}),
	}
}

// taskHandler serves the tasks of a store.
func taskHandler(b *testing.B, store *core.Store) http.Handler {
	b.Helper()
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// fillTasks inserts the tasks of the users 1 to 10.
func fillTasks(b *testing.B, store *core.Store) {
	b.Helper()
	r := store.Model().Resource("task")
	records := make([]core.Record, taskCount)
	for i := range records {
		var err error
		records[i], err = r.NewRecord(map[string]any{"owner": 1 + i%10, "title": "task " + strconv.Itoa(i), "state": "open", "rank": i, "cost": 1.5})
		if err != nil {
			b.Fatal(err)
		}
	}
	for chunk := range slices.Chunk(records, 1000) {
		if _, err := store.Insert(core.System(b.Context()), r, chunk...); err != nil {
			b.Fatal(err)
		}
	}
}

// storage is what a service by hand needs.
type storage interface {
	get(ctx context.Context, owner, id int64) (task, error)
	list(ctx context.Context, owner int64, limit int) ([]task, error)
	insert(ctx context.Context, t task) (task, error)
	update(ctx context.Context, owner, id int64, change map[string]any) (task, error)
}

var errNoTask = errors.New("no such task")

// handler serves tasks by hand: the owner is checked in the storage, and nothing is logged or counted.
func handler(s storage) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, status int, v any, err error) {
		if err != nil {
			http.Error(w, `{"error":{}}`, http.StatusNotFound)
			return
		}
		body, _ := json.Marshal(v)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
	authenticated := func(serve func(w http.ResponseWriter, r *http.Request, user int64)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			user, err := userOf(r)
			if err != nil {
				http.Error(w, `{"error":{}}`, http.StatusUnauthorized)
				return
			}
			serve(w, r, user)
		}
	}
	mux.HandleFunc("GET /task/{id}", authenticated(func(w http.ResponseWriter, r *http.Request, user int64) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			answer(w, 0, nil, err)
			return
		}
		t, err := s.get(r.Context(), user, id)
		answer(w, http.StatusOK, t, err)
	}))
	mux.HandleFunc("GET /task", authenticated(func(w http.ResponseWriter, r *http.Request, user int64) {
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		all, err := s.list(r.Context(), user, limit)
		answer(w, http.StatusOK, all, err)
	}))
	mux.HandleFunc("POST /task", authenticated(func(w http.ResponseWriter, r *http.Request, user int64) {
		t := task{owner: user}
		if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
			answer(w, 0, nil, err)
			return
		}
		t, err := s.insert(r.Context(), t)
		answer(w, http.StatusCreated, t, err)
	}))
	mux.HandleFunc("PATCH /task/{id}", authenticated(func(w http.ResponseWriter, r *http.Request, user int64) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		change := make(map[string]any)
		if err == nil {
			err = json.NewDecoder(r.Body).Decode(&change)
		}
		if err != nil {
			answer(w, 0, nil, err)
			return
		}
		t, err := s.update(r.Context(), user, id, change)
		answer(w, http.StatusOK, t, err)
	}))
	return mux
}

// inMaps keeps tasks in a map and in lists by owner.
type inMaps struct {
	mu      sync.RWMutex
	tasks   map[int64]task
	byOwner map[int64][]int64
}

func newInMaps() *inMaps {
	s := &inMaps{tasks: make(map[int64]task), byOwner: make(map[int64][]int64)}
	for i := range int64(taskCount) {
		_, _ = s.insert(context.Background(), task{0, 1 + i%10, "task " + strconv.FormatInt(i, 10), "open", i, 1.5})
	}
	return s
}

func (s *inMaps) get(_ context.Context, owner, id int64) (task, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.tasks[id]
	if !ok || t.owner != owner {
		return task{}, errNoTask
	}
	return t, nil
}

func (s *inMaps) list(_ context.Context, owner int64, limit int) ([]task, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := s.byOwner[owner]
	page := make([]task, 0, limit)
	for _, id := range ids[:min(limit, len(ids))] {
		page = append(page, s.tasks[id])
	}
	return page, nil
}

func (s *inMaps) insert(_ context.Context, t task) (task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.ID = int64(len(s.tasks)) + 1
	s.tasks[t.ID] = t
	s.byOwner[t.owner] = append(s.byOwner[t.owner], t.ID)
	return t, nil
}

func (s *inMaps) update(_ context.Context, owner, id int64, change map[string]any) (task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tasks[id]
	if !ok || t.owner != owner {
		return task{}, errNoTask
	}
	if rank, ok := change["rank"].(float64); ok {
		t.Rank = int64(rank)
	}
	s.tasks[id] = t
	return t, nil
}

// inPostgreSQL keeps tasks in the table of the backend.
type inPostgreSQL struct {
	pool  *pgxpool.Pool
	table string
}

const taskColumns = `"id", "title", "state", "rank", "cost"`

func scanTask(row pgx.Row) (t task, err error) {
	err = row.Scan(&t.ID, &t.Title, &t.State, &t.Rank, &t.Cost)
	return t, err
}

func (s inPostgreSQL) get(ctx context.Context, owner, id int64) (task, error) {
	return scanTask(s.pool.QueryRow(ctx, "SELECT "+taskColumns+" FROM "+s.table+" WHERE id = $1 AND owner = $2", id, owner))
}

func (s inPostgreSQL) list(ctx context.Context, owner int64, limit int) ([]task, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+taskColumns+" FROM "+s.table+" WHERE owner = $1 ORDER BY id LIMIT $2", owner, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (task, error) { return scanTask(row) })
}

func (s inPostgreSQL) insert(ctx context.Context, t task) (task, error) {
	return scanTask(s.pool.QueryRow(ctx, "INSERT INTO "+s.table+" (owner, title, state, rank, cost) VALUES ($1, $2, $3, $4, $5) RETURNING "+taskColumns,
		t.owner, t.Title, t.State, t.Rank, t.Cost))
}

func (s inPostgreSQL) update(ctx context.Context, owner, id int64, change map[string]any) (task, error) {
	rank, _ := change["rank"].(float64)
	return scanTask(s.pool.QueryRow(ctx, "UPDATE "+s.table+" SET rank = $3 WHERE id = $1 AND owner = $2 RETURNING "+taskColumns, id, owner, int64(rank)))
}

// BenchmarkRequestsOverHTTP compares requests to a handler without decorators and with five of them with a service that is
// written by hand with net/http and encoding/json, on maps and on pgx. 16 connections send the requests of a round; the three
// servers take turns. It reports the time of a request by hand, and the ratios to it. With LARDER_README=1 it writes them to the
// README.
func BenchmarkRequestsOverHTTP(b *testing.B) {
	config, err := postgres.ParseConfig(pgtest.URL(b))
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	schema := pgtest.Schema(b)
	var table strings.Builder
	for _, name := range []string{"memory", "PostgreSQL"} {
		backend := func() core.Backend { return memory.New() }
		if name == "PostgreSQL" {
			backend = func() core.Backend { return postgres.New(pool, schema, postgres.Options{Migrate: true}) }
		}
		bare, guarded := open(b, tasks(), backend(), nil), open(b, tasks(), backend(), fiveOfTasks())
		fillTasks(b, bare)
		var byHand storage = inPostgreSQL{pool, pgx.Identifier{schema, "task"}.Sanitize()}
		if name == "memory" {
			fillTasks(b, guarded)
			byHand = newInMaps()
		}
		var urls []string
		for _, h := range []http.Handler{handler(byHand), taskHandler(b, bare), taskHandler(b, guarded)} {
			server := httptest.NewServer(h)
			b.Cleanup(server.Close)
			urls = append(urls, server.URL)
		}
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
		for _, request := range []struct{ name, method, path, body string }{
			{"get one", http.MethodGet, "/task/%d", ""}, {"list of 100", http.MethodGet, "/task?limit=100", ""},
			{"post", http.MethodPost, "/task", `{"title":"new","state":"open","rank":7,"cost":2.5}`}, {"patch", http.MethodPatch, "/task/%d", `{"rank":8}`},
		} {
			b.Run(name+"/"+request.name, func(b *testing.B) {
				var bursts []func()
				for _, url := range urls {
					bursts = append(bursts, func() { sendBurst(b, client, request.method, url+request.path, request.body) })
				}
				taken := rounds(b, bursts, 1)
				const requests = connections * burst
				hand := median(taken, func(round []float64) float64 { return round[0] / requests / 1000 })
				none := median(taken, func(round []float64) float64 { return round[1] / round[0] })
				five := median(taken, func(round []float64) float64 { return round[2] / round[0] })
				b.ReportMetric(hand, "by-hand-µs/op")
				b.ReportMetric(none, "none/by-hand")
				b.ReportMetric(five, "five/by-hand")
				fmt.Fprintf(&table, "| %s, %s | %.0f µs | %.2f | %.2f |\n", request.name, name, hand, none, five)
			})
		}
	}
	writeTable(b, table.String())
}

// writeTable writes the figures into the README, between the marks that the README has for them.
func writeTable(b *testing.B, rows string) {
	b.Helper()
	const file, first, last = "../../../README.md", "<!-- figures -->\n", "<!-- end of figures -->"
	if os.Getenv("LARDER_README") == "" {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), first)
	_, after, ends := strings.Cut(rest, last)
	if !begins || !ends {
		b.Fatalf("%s has no marks %q and %q", file, first, last)
	}
	figures := "| request | by hand | without decorators | with five |\n| --- | --- | --- | --- |\n" + rows + fmt.Sprintf(
		"\nMeasured on %s with %s on %d cores (%s), by\n`LARDER_README=1 go test ./cookbook/internal/stacks -run '^$' -bench RequestsOverHTTP -benchtime 40x`.\n",
		time.Now().Format("January 2, 2006"), runtime.Version(), runtime.NumCPU(), processor())
	if err := os.WriteFile(file, []byte(before+first+figures+last+after), 0o644); err != nil {
		b.Fatal(err)
	}
}

// processor returns the model of the processor, as Linux names it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	_, rest, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimLeft(line, "\t :")
}

var sent atomic.Int64

// sendBurst sends the requests of one round over all connections. A path may have the id of a task of user 1.
func sendBurst(b *testing.B, client *http.Client, method, url, body string) {
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for range burst {
				target := url
				if strings.Contains(url, "%d") {
					target = fmt.Sprintf(url, 1+sent.Add(1)*10%taskCount)
				}
				req, err := http.NewRequestWithContext(b.Context(), method, target, strings.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer 1")
				req.Header.Set("Content-Type", "application/json")
				res, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode >= 300 {
					b.Errorf("%s %s: %s %v", method, target, res.Status, err)
				}
				_ = res.Body.Close()
			}
		})
	}
	wg.Wait()
}
