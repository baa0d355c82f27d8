package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/golang-jwt/jwt/v5/request"

	"github.com/larder-go/larder/core"
)

var (
	secretFile = flag.String("secret", "", "`file` with the secret that signs tokens (HS256)")
	jwksFile   = flag.String("jwks", "", "`file` with the public keys of the issuer of tokens, a JSON Web Key Set (RS256, ES256)")
	issuer     = flag.String("issuer", "", "`name` that tokens must have as iss; default: any")
	audience   = flag.String("audience", "", "`name` that tokens must have in aud; default: any")
)

// settings name the key that signs trusted tokens, as a file with a secret or a file with public keys, and the claims that
// the tokens must have.
type settings struct{ secret, jwks, issuer, audience string }

func fromFlags() *settings { return &settings{*secretFile, *jwksFile, *issuer, *audience} }

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
		secret, err := readSecret(s.secret)
		return s.verify(func(*jwt.Token) (any, error) { return secret, nil }, "HS256"), err
	}
	keys, err := readKeys(s.jwks)
	if err != nil {
		return nil, fmt.Errorf("-jwks: %w", err)
	}
	return s.verify(keys.of, "RS256", "ES256"), nil
}

// leastSecret is the length in bytes of the shortest secret for HS256 (RFC 7518, section 3.2).
const leastSecret = 32

// readSecret reads a secret from a file, with or without a line end after it.
func readSecret(file string) ([]byte, error) {
	secret, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-secret: %w", err)
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) < leastSecret {
		return nil, fmt.Errorf("-secret: %s holds fewer than %d bytes", file, leastSecret)
	}
	return secret, nil
}

// verify returns a verifier for these algorithms. The program chooses them: a token with another algorithm, or none, is
// rejected before its signature is checked (RFC 8725, section 3.1).
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

// principal returns the principal of a request: nil, which means anonymous, for a request without a token, and an error,
// which becomes a 401, for an invalid token.
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
	if token.Header["crit"] != nil { // extensions that a verifier must understand (RFC 7515, section 4.1.11); this one knows none
		return nil, errors.New("the token has extensions that have to be understood")
	}
	sub, err := claims.GetSubject()
	if err != nil || sub == "" {
		return nil, errors.New("the token names no subject")
	}
	return &core.Principal{ID: core.TextValue(sub), Claims: claims}, nil
}

// latest is the last second of the year 9999.
const latest = 253_402_300_799

// wellFormed rejects a token that two parsers of JSON may read differently. encoding/json takes all lone surrogates for one
// character, the last of two equal names, and the text before trailing text (RFC 8725, section 2.4). Times after the year
// 9999 overflow.
func wellFormed(token *jwt.Token) error {
	for part := range strings.SplitSeq(token.Raw[:strings.LastIndexByte(token.Raw, '.')], ".") {
		text, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return err
		}
		members, err := core.ParseJSON(text, 0)
		if err != nil {
			// Not wrapped: the code of the error would decide the answer, which must be 401.
			return errors.New("the token is not strict JSON: " + err.Error())
		}
		claims, ok := members.(map[string]any)
		if !ok {
			return errors.New("a part of the token is not a JSON object")
		}
		if err := checkTimes(claims); err != nil {
			return err
		}
	}
	return nil
}

func checkTimes(claims map[string]any) error {
	for _, name := range []string{"exp", "nbf", "iat"} {
		raw, given := claims[name]
		if !given {
			continue
		}
		number, _ := raw.(json.Number)
		if at, err := number.Float64(); err != nil || at < 0 || at > latest {
			return fmt.Errorf("the claim %s is not a time up to the year 9999", name)
		}
	}
	return nil
}
