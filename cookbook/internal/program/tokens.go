package program

import (
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
)

// Tokens are bearer tokens and whom they stand for. They are for a demonstration and
// for nothing else: everybody knows them. The recipe authentication shows the real
// thing.
type Tokens map[string]*core.Principal

// Principal returns whom a request is from: nil, nobody, if it has no Authorization,
// and core.Unauthorized if that is none of the tokens.
func (t Tokens) Principal(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") && t[token] != nil {
		return t[token], nil
	}
	return nil, core.Unauthorized
}
