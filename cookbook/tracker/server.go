package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/golang-jwt/jwt/v5/request"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/audit"
	"github.com/larder-go/larder/decorators/limit"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/softdelete"
	"github.com/larder-go/larder/decorators/stamp"
	"github.com/larder-go/larder/decorators/tracing"
)

var origins = flag.String("cors", "", "`origins` of browser applications that may send requests, separated by commas, such as https://app.example")

// open returns the store, with the decorators in the order that the cookbook recommends.
func open(ctx context.Context, backend core.Backend, registry *prometheus.Registry, spans trace.TracerProvider) (*core.Store, error) {
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return nil, err
	}
	return core.New(ctx, model, backend,
		tracing.New(spans.Tracer("tracker"), tracing.Options{}),
		logging.NewSlog(slog.Default(), logging.Options{}),
		metrics.New(registry, metrics.Options{}),
		limit.New(
			limit.Rule{Name: "rate", Requests: 1000, Window: 10 * time.Second},
			limit.Rule{Name: "at once", Concurrent: 8, Total: 64, Wait: 2 * time.Second},
			limit.Rule{Name: "time", Time: 10 * time.Second}),
		access.New(policy, access.Options{}),
		softdelete.New("deleted", softdelete.Options{}),
		stamp.New(stamp.Options{
			Created: "created", CreatedBy: "author", Updated: "updated", Touch: map[string][]string{"comment": {"issue"}, "issue_label": {"issue"}},
		}),
		audit.New(audit.Options{Resource: "entry", Omit: []string{"issue.created", "issue.updated", "comment.created"}, DeletedAt: "deleted"}),
		assigneeIsMember, labelIsOwn,
	)
}

// handlerOf returns the REST interface of the store, with /metrics for operators beside it.
func handlerOf(store *core.Store, secret []byte, registry *prometheus.Registry, spans trace.TracerProvider) (http.Handler, error) {
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
	traced := otelhttp.NewHandler(forBrowsers(mux), "request", otelhttp.WithTracerProvider(spans), otelhttp.WithPropagators(propagation.TraceContext{}))
	return rest.WithRequestID(traced), nil
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
