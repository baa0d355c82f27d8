package main

import (
	"net/http"
	"slices"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
)

// The tokens are the names themselves: good for a demonstration and for nothing
// else. The recipe authentication shows the real thing.
var demo = program.Tokens{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"user"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"user"}},
	"admin": {ID: core.TextValue("admin"), Roles: []string{"admin"}},
}

// forAdmin serves h to the token of an admin, and 401 to everybody else.
func forAdmin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p, err := demo.Principal(r); err != nil || p == nil || !slices.Contains(p.Roles, "admin") {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "this takes the token of admin", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}
