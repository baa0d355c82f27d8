package main

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/larder-go/larder/decorators/readonly"
)

// control turns a switch over HTTP. GET returns whether the switch is on, and PUT sets it to the true or false of the body.
type control struct {
	credentials []byte
	maintenance *readonly.Switch
}

// leastSecret is the length in bytes of the shortest secret that is accepted.
const leastSecret = 16

// newControl reads the secret of the administrator from a file, with or without a line end after it.
func newControl(file string, s *readonly.Switch) (*control, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-admin: %w", err)
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) < leastSecret {
		return nil, fmt.Errorf("-admin: %s holds fewer than %d bytes", file, leastSecret)
	}
	return &control{append([]byte("Bearer "), secret...), s}, nil
}

// setting reads a body that holds true or false.
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

// ServeHTTP answers a PUT of true when the last running write has ended. From then on no record changes until the switch is
// turned off.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), c.credentials) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "the secret of the administrator is missing or wrong", http.StatusUnauthorized)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPut:
		on, err := setting(http.MaxBytesReader(w, r.Body, 16))
		if err != nil {
			http.Error(w, "the body must be true or false", http.StatusBadRequest)
			return
		}
		c.maintenance.Set(on)
		if on && c.maintenance.Wait(r.Context()) != nil {
			http.Error(w, "the switch is on, but writes are still running", http.StatusServiceUnavailable)
			return
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		http.Error(w, "use GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	fmt.Fprintln(w, c.maintenance.On()) //nolint:errcheck // the client may have left
}
