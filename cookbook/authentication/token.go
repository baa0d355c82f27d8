package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
	"github.com/golang-jwt/jwt/v5/request"

	"github.com/larder-go/larder/cookbook/internal/jwks"
	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
)

// settings say whose tokens are believed.
type settings struct{ secret, jwks, issuer, audience string }

func (s *settings) flags(flags *flag.FlagSet) {
	flags.StringVar(&s.secret, "secret", "", "`file` with the secret that tokens are signed with (HS256)")
	flags.StringVar(&s.jwks, "jwks", "", "`file` with the public keys of those who sign tokens, a JSON Web Key Set (RS256, ES256)")
	flags.StringVar(&s.issuer, "issuer", "", "`name` that tokens must have as iss; default: any")
	flags.StringVar(&s.audience, "audience", "", "`name` that tokens must have in aud; default: any")
}

// verifier turns bearer tokens into principals.
type verifier struct {
	parser *jwt.Parser
	key    jwt.Keyfunc
}

func (s *settings) verifier() (*verifier, error) {
	if (s.secret == "") == (s.jwks == "") {
		return nil, errors.New("say whose tokens to believe: -secret FILE or -jwks FILE")
	}
	if s.secret != "" {
		secret, err := program.Secret("-secret", s.secret, 32) // bytes, as RFC 7518 has it in section 3.2
		return s.verify(func(*jwt.Token) (any, error) { return secret, nil }, "HS256"), err
	}
	keys, err := jwks.Read(s.jwks)
	if err != nil {
		return nil, fmt.Errorf("-jwks: %w", err)
	}
	return s.verify(keys.Of, "RS256", "ES256"), nil
}

// verify returns a verifier for these algorithms. They are ours to choose: a token that
// names another, or none, is refused before its signature is looked at (RFC 8725, section 3.1).
func (s *settings) verify(key jwt.Keyfunc, algorithms ...string) *verifier {
	opts := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms), jwt.WithExpirationRequired(), jwt.WithIssuer(s.issuer), jwt.WithJSONNumber(),
		jwt.WithStrictDecoding(),
	}
	if s.audience != "" {
		opts = append(opts, jwt.WithAudience(s.audience))
	}
	return &verifier{jwt.NewParser(opts...), key}
}

// principal returns who a request is from: nobody without a token, an error, which
// is a 401, for a token that is no good.
func (v *verifier) principal(r *http.Request) (*core.Principal, error) {
	if r.Header.Get("Authorization") == "" {
		return nil, nil
	}
	claims := jwt.MapClaims{}
	token, err := request.ParseFromRequest(r, request.BearerExtractor{}, v.key, request.WithParser(v.parser), request.WithClaims(claims))
	if err != nil {
		return nil, err
	}
	if err := wellFormed(token); err != nil {
		return nil, err
	}
	if token.Header["crit"] != nil { // extensions, of which we know none (RFC 7515, section 4.1.11)
		return nil, errors.New("the token has extensions that have to be understood")
	}
	sub, err := claims.GetSubject()
	if err != nil || sub == "" {
		return nil, errors.New("the token names no subject")
	}
	return &core.Principal{ID: core.TextValue(sub), Claims: claims}, nil
}
