package main

import (
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
)

// The tokens are the names themselves: good for a demonstration and for nothing
// else. The recipe authentication shows the real thing.
var demo = map[string]*core.Principal{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"user"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"user"}},
	"admin": {ID: core.TextValue("admin"), Roles: []string{"admin"}},
}

// authenticate says who a request runs for.
func authenticate(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil // nobody, which the layers answer
	}
	if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") && demo[token] != nil {
		return demo[token], nil
	}
	return nil, core.Unauthorized
}
