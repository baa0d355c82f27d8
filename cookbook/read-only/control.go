package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/decorators/readonly"
)

// control turns a switch over HTTP: GET tells whether it is on, PUT sets it to the
// true or false of its body.
type control struct {
	credentials []byte
	maintenance *readonly.Switch
}

func newControl(file string, s *readonly.Switch) (*control, error) {
	secret, err := program.Secret("-admin", file, 16)
	return &control{append([]byte("Bearer "), secret...), s}, err
}

// setting reads a body that is true or false and nothing else.
func setting(body io.Reader) (bool, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return false, err
	}
	var on *bool
	if err := json.Unmarshal(text, &on); err != nil {
		return false, err
	}
	if on == nil {
		return false, errors.New("null is neither true nor false")
	}
	return *on, nil
}

// ServeHTTP answers a PUT of true when the last write that was on its way has ended:
// from then on nothing changes, and whatever needs that can begin.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), c.credentials) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "this takes the secret of the administrator", http.StatusUnauthorized)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPut:
		on, err := setting(http.MaxBytesReader(w, r.Body, 16))
		if err != nil {
			http.Error(w, "the body is true or false", http.StatusBadRequest)
			return
		}
		c.maintenance.Set(on)
		if on && c.maintenance.Wait(r.Context()) != nil {
			http.Error(w, "the switch is on, but writes are still on their way", http.StatusServiceUnavailable)
			return
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		http.Error(w, "GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	fmt.Fprintln(w, c.maintenance.On()) //nolint:errcheck // a client that has left cannot be told
}
