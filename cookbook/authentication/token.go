package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/core"
)

// settings say whose tokens are believed.
type settings struct{ secret, jwks, issuer, audience string }

func tokenFlags(flags *flag.FlagSet) *settings {
	s := new(settings)
	flags.StringVar(&s.secret, "secret", "", "`file` with the secret that tokens are signed with (HS256)")
	flags.StringVar(&s.jwks, "jwks", "", "`file` with the public keys of those who sign tokens, a JSON Web Key Set (RS256, ES256)")
	flags.StringVar(&s.issuer, "issuer", "", "`name` that tokens must have as iss; default: any")
	flags.StringVar(&s.audience, "audience", "", "`name` that tokens must have in aud; default: any")
	return s
}

// verifier turns bearer tokens into principals.
type verifier struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
}

func (s *settings) verifier() (*verifier, error) {
	opts := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithJSONNumber()}
	if s.issuer != "" {
		opts = append(opts, jwt.WithIssuer(s.issuer))
	}
	if s.audience != "" {
		opts = append(opts, jwt.WithAudience(s.audience))
	}
	// The algorithms are ours to choose: a token that names another one, none
	// included, is refused before its signature is looked at (RFC 8725, section 3.1).
	switch {
	case (s.secret == "") == (s.jwks == ""):
		return nil, errors.New("say whose tokens to believe: -secret FILE or -jwks FILE")
	case s.secret != "":
		secret, err := readSecret(s.secret)
		opts = append(opts, jwt.WithValidMethods([]string{"HS256"}))
		return &verifier{jwt.NewParser(opts...), func(*jwt.Token) (any, error) { return secret, nil }}, err
	default:
		keys, err := readKeys(s.jwks)
		opts = append(opts, jwt.WithValidMethods([]string{"RS256", "ES256"}))
		return &verifier{jwt.NewParser(opts...), keys.of}, err
	}
}

// minSecret is the least length of an HS256 secret (RFC 7518, section 3.2).
const minSecret = 32

func readSecret(file string) ([]byte, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-secret: %w", err)
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) < minSecret {
		return nil, fmt.Errorf("-secret: %s holds fewer than %d bytes", file, minSecret)
	}
	return secret, nil
}

// principal returns who a request is from: nobody without a token, an error, which
// is a 401, for a token that is no good.
func (v *verifier) principal(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, errors.New("the Authorization is no bearer token")
	}
	claims := jwt.MapClaims{}
	if _, err := v.parser.ParseWithClaims(strings.TrimSpace(token), claims, v.key); err != nil {
		return nil, err
	}
	sub, err := claims.GetSubject()
	if err != nil || sub == "" {
		return nil, errors.New("the token names no subject")
	}
	return &core.Principal{ID: core.TextValue(sub), Claims: claims}, nil
}
