package rest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/rest"
)

type contextKey struct{}

// serve runs Serve on a free port until stop is called.
func serve(t *testing.T, h http.Handler) (url string, stop context.CancelFunc, stopped <-chan error) {
	t.Helper()
	return serveOn(t, listen(t), h)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// serveOn runs Serve on a listener until stop is called.
func serveOn(t *testing.T, ln net.Listener, h http.Handler) (url string, stop context.CancelFunc, stopped <-chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "value"))
	done := make(chan error, 1)
	go func() { done <- rest.Serve(ctx, ln, h) }()
	t.Cleanup(stop)
	return "http://" + ln.Addr().String(), stop, done
}

func TestServeWaitsForRequestsAtShutdown(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	url, stop, stopped := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request's context: %v", err)
		}
		_, _ = io.WriteString(w, "whole")
	}))
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-entered
	stop()
	select {
	case err := <-stopped:
		t.Fatalf("ended before its request: %v", err)
	default:
	}
	close(leave)
	if got := <-answer; got != "whole" {
		t.Errorf("answer %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("error %v", err)
	}
	if res, err := http.Get(url); err == nil {
		res.Body.Close()
		t.Error("it still serves")
	}
}

func TestServePassesContextValuesToRequests(t *testing.T) {
	url, _, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, _ := r.Context().Value(contextKey{}).(string)
		_, _ = io.WriteString(w, value)
	}))
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "value" {
		t.Errorf("value %q", body)
	}
}

func TestServeReturnsTheErrorOfTheListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := rest.Serve(t.Context(), ln, http.NotFoundHandler()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestServeLimitsHeaders(t *testing.T) {
	url, _, _ := serve(t, http.NotFoundHandler())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 100<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}
