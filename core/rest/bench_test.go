package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/seed"
)

const (
	benchRecords = 10_000
	benchClients = 4
)

// plainHandler is a handler for one resource, written without a library.
type plainHandler struct {
	mu      sync.RWMutex
	cookies map[int64]plainCookie
}

type plainCookie struct {
	kind  string
	price int64
}

func (s *plainHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, ok := strings.CutPrefix(r.URL.Path, "/cookie/")
	id, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || r.Method != http.MethodGet {
		http.Error(w, `{"error":"bad request"}`, http.StatusBadRequest)
		return
	}
	s.mu.RLock()
	cookie, ok := s.cookies[id]
	s.mu.RUnlock()
	if !ok {
		http.Error(w, `{"error":"not found"}`, http.StatusNotFound)
		return
	}
	body := append(make([]byte, 0, 128), `{"id":`...)
	body = strconv.AppendInt(body, id, 10)
	body = append(body, `,"type":`...)
	body = strconv.AppendQuote(body, cookie.kind)
	body = append(body, `,"price":`...)
	body = strconv.AppendInt(body, cookie.price, 10)
	body = append(body, '}')
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// benchServers starts servers for a Handler and for a plainHandler with the same records.
func benchServers(b *testing.B) (ours, theirs string) {
	hand := &plainHandler{cookies: make(map[int64]plainCookie)}
	data := seed.Data{"cookie": {}}
	for i := range int64(benchRecords) {
		hand.cookies[i+1] = plainCookie{"muffin", i}
		data["cookie"][i+1] = map[string]any{"type": "muffin", "price": i}
	}
	store, err := core.New(b.Context(), cookieModel(), memory.NewWith(data))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	first, second := httptest.NewServer(h), httptest.NewServer(hand)
	b.Cleanup(first.Close)
	b.Cleanup(second.Close)
	return first.URL, second.URL
}

// fetchAll gets n records with all clients together, and returns the time.
func fetchAll(b *testing.B, client *http.Client, url string, n int) time.Duration {
	var wg sync.WaitGroup
	start := time.Now()
	for c := range benchClients {
		wg.Go(func() {
			for i := c; i < n; i += benchClients {
				if err := fetchOne(b.Context(), client, url+"/cookie/"+strconv.Itoa(i*7919%benchRecords+1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func fetchOne(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// BenchmarkGetOneOverHTTP compares a GET of one record with a plainHandler, over real connections, in alternating
// rounds. The metric ratio is the median of our throughput divided by that of the plainHandler.
func BenchmarkGetOneOverHTTP(b *testing.B) {
	const round = 2000
	ours, theirs := benchServers(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchClients}}
	defer client.CloseIdleConnections()
	fetchAll(b, client, ours, round)
	fetchAll(b, client, theirs, round)
	var ratios []float64
	var ourTime, theirTime time.Duration
	for b.Loop() {
		mine, other := fetchAll(b, client, ours, round), fetchAll(b, client, theirs, round)
		ourTime, theirTime = ourTime+mine, theirTime+other
		ratios = append(ratios, float64(other)/float64(mine))
	}
	slices.Sort(ratios)
	requests := float64(len(ratios) * round)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(ourTime.Nanoseconds())/requests, "ns/get")
	b.ReportMetric(float64(theirTime.Nanoseconds())/requests, "ns/get-by-hand")
}

// BenchmarkGetOne measures the handler without connections.
func BenchmarkGetOne(b *testing.B) {
	h, err := rest.New(newEngine(b, cookieModel()), rest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if status, body := request(h, http.MethodPut, "/cookie/1", `{"type": "muffin", "price": 1}`); status != http.StatusCreated {
		b.Fatalf("%d %s", status, body)
	}
	r := httptest.NewRequest(http.MethodGet, "/cookie/1", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := discardWriter{header: make(http.Header)}
		h.ServeHTTP(w, r)
	}
}

// discardWriter is a ResponseWriter that discards the body.
type discardWriter struct{ header http.Header }

func (s discardWriter) Header() http.Header         { return s.header }
func (s discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (s discardWriter) WriteHeader(int)             {}
