package main

import (
	"flag"
	"net/http"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

var auth = flag.Bool("auth", false, "take bearer tokens, for demonstration: alice, bob and admin; each user sees her own records, admin sees all")

// principals by bearer token, for a demonstration: the tokens are public. The recipe authentication shows real ones.
var principals = map[string]*core.Principal{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"user"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"user"}},
	"admin": {ID: core.TextValue("admin"), Roles: []string{"admin"}},
}

// authenticate returns the principal of a request: nil, which means anonymous, for a request without a token, and an error
// for an unknown token.
func authenticate(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") && principals[token] != nil {
		return principals[token], nil
	}
	return nil, core.Unauthorized
}

// forAdmin answers requests without the token of an admin with 401.
func forAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, err := authenticate(r); err != nil || p == nil || !slices.Contains(p.Roles, "admin") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token of admin is missing", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
