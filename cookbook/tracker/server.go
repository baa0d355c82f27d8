package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/golang-jwt/jwt/v5/request"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
)

var origins = flag.String("cors", "", "`origins` of browser applications that may send requests, separated by commas, such as https://app.example")

// open returns the store: logs and metrics outermost, then the policy, then the hooks, which see what the policy permits.
func open(ctx context.Context, backend core.Backend, registry *prometheus.Registry) (*core.Store, error) {
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return nil, err
	}
	return core.New(ctx, model, backend,
		logging.NewSlog(slog.Default(), logging.Options{}),
		metrics.New(registry, metrics.Options{}),
		access.New(policy, access.Options{}),
		assigneeIsMember, labelIsOwn,
	)
}

// handlerOf returns the REST interface of the store, with /metrics for operators beside it.
func handlerOf(store *core.Store, secret []byte, registry *prometheus.Registry) (http.Handler, error) {
	authenticate := verifier(secret)
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Title: "Tracker", Authenticate: authenticate, Actions: actions, Gzip: true})
	if err != nil {
		return nil, err
	}
	figures := promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if p, err := authenticate(r); err != nil || p == nil || !p.HasRole("operator") {
			api.WriteError(w, r, core.Unauthorized)
			return
		}
		figures.ServeHTTP(w, r)
	})
	return rest.WithRequestID(forBrowsers(mux)), nil
}

// forBrowsers permits browser applications of the origins in -cors to send requests, and to read the headers of answers.
func forBrowsers(next http.Handler) http.Handler {
	if *origins == "" {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: strings.Split(*origins, ","), AllowedMethods: rest.Methods(), AllowedHeaders: rest.RequestHeaders(),
		ExposedHeaders: rest.AnswerHeaders(), MaxAge: 600, // seconds between two preflights of a URL
	}).Handler(next)
}

// verifier returns a function that turns a bearer token into a principal: a JSON Web Token, signed with the secret, that expires,
// names the user as sub, and can list roles. A request without a token is anonymous.
func verifier(secret []byte) func(r *http.Request) (*core.Principal, error) {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithStrictDecoding())
	return func(r *http.Request) (*core.Principal, error) {
		if r.Header.Get("Authorization") == "" {
			return nil, nil
		}
		var claims struct {
			jwt.RegisteredClaims

			Roles []string `json:"roles"`
		}
		_, err := request.ParseFromRequest(r, request.BearerExtractor{}, func(*jwt.Token) (any, error) { return secret, nil },
			request.WithParser(parser), request.WithClaims(&claims))
		switch {
		case errors.Is(err, jwt.ErrTokenExpired):
			return nil, &core.Error{Code: core.Unauthorized, Message: "the token has expired"}
		case err != nil:
			return nil, err
		case claims.Subject == "":
			return nil, errors.New("the token has no sub")
		}
		return &core.Principal{ID: core.TextValue(claims.Subject), Roles: claims.Roles}, nil
	}
}
