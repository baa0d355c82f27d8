package main

import (
	"errors"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
	"github.com/golang-jwt/jwt/v5/request"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/larder-go/larder/core"
)

// routes returns the handler of all paths. A request to a tenant's records names no tenant: its token does.
func (s *service) routes() http.Handler {
	figures := promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{Registry: s.registry})
	mux := http.NewServeMux()
	mux.Handle("/admin/", s.operator)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if p, err := s.authenticate(r); err != nil || !p.HasRole("operator") {
			s.operator.WriteError(w, r, core.Unauthorized)
			return
		}
		figures.ServeHTTP(w, r)
	})
	mux.HandleFunc("/", s.serveTenant)
	return mux
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *service) serveTenant(w http.ResponseWriter, r *http.Request) {
	p, err := s.authenticate(r)
	name := tenantOf(p)
	if err != nil || name == "" {
		s.operator.WriteError(w, r, &core.Error{Code: core.Unauthorized, Cause: err})
		return
	}
	o, err := s.acquire(r.Context(), name)
	if err != nil {
		s.operator.WriteError(w, r, err)
		return
	}
	defer s.leave(o)
	o.handler.ServeHTTP(w, r.WithContext(core.WithPrincipal(r.Context(), p)))
}

// tenantOf returns the name of the tenant that a user belongs to; "" for operators and anonymous callers.
func tenantOf(p *core.Principal) string {
	if p == nil {
		return ""
	}
	name, _ := p.Claims["tenant"].(string)
	return name
}

// authenticate turns a bearer token into a principal: a JSON Web Token, signed with the secret, that expires and names the user as
// sub. The token of a user names the tenant, that of an operator the role operator; a token with both is a mistake.
func (s *service) authenticate(r *http.Request) (*core.Principal, error) {
	if r.Header.Get("Authorization") == "" {
		return nil, nil
	}
	var claims struct {
		jwt.RegisteredClaims

		Tenant string   `json:"tenant"`
		Roles  []string `json:"roles"`
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithStrictDecoding())
	_, err := request.ParseFromRequest(r, request.BearerExtractor{}, func(*jwt.Token) (any, error) { return s.secret, nil },
		request.WithParser(parser), request.WithClaims(&claims))
	if err != nil {
		return nil, err
	}
	p := &core.Principal{ID: core.TextValue(claims.Subject), Roles: claims.Roles, Claims: map[string]any{"tenant": claims.Tenant}}
	if claims.Subject == "" || p.HasRole("operator") == (claims.Tenant != "") {
		return nil, errors.New("the token names no sub, or not either a tenant or the role operator")
	}
	return p, nil
}
