package main

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
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
		var on *bool
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16)).Decode(&on); err != nil || on == nil {
			http.Error(w, "the body is true or false", http.StatusBadRequest)
			return
		}
		c.maintenance.Set(*on)
		if *on && c.maintenance.Wait(r.Context()) != nil {
			return // who asked has gone; the switch is on
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		http.Error(w, "GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	fmt.Fprintln(w, c.maintenance.On()) //nolint:errcheck // a client that has left cannot be told
}
