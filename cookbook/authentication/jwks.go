package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

// keys are public ones by their kid, each for one algorithm.
type keys map[string]publicKey

type publicKey struct {
	alg string
	key any
}

// of returns the key that a token says it is signed with.
func (k keys) of(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	key, known := k[kid]
	if !known || key.alg != token.Method.Alg() {
		return nil, errors.New("the key set has no such key for this algorithm")
	}
	return key.key, nil
}

// jwk is a JSON Web Key (RFC 7517, section 4; RFC 7518, section 6).
type jwk struct{ Kty, Kid, Use, Crv, N, E, X, Y string }

func readKeys(file string) (keys, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-jwks: %w", err)
	}
	var set struct{ Keys []jwk }
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("-jwks %s: %w", file, err)
	}
	found := make(keys)
	for _, j := range set.Keys {
		if j.Use == "enc" {
			continue
		}
		key, err := j.public()
		if err != nil {
			return nil, fmt.Errorf("-jwks %s: key %q: %w", file, j.Kid, err)
		}
		if _, twice := found[j.Kid]; twice {
			return nil, fmt.Errorf("-jwks %s: two keys are called %q", file, j.Kid)
		}
		found[j.Kid] = key
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("-jwks %s: has no key to verify signatures with", file)
	}
	return found, nil
}

func (j jwk) public() (publicKey, error) {
	number := base64.RawURLEncoding.DecodeString
	switch j.Kty + j.Crv {
	case "RSA":
		n, errN := number(j.N)
		e, errE := number(j.E)
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		if errN != nil || errE != nil || key.N.BitLen() < 2048 || key.E < 3 || len(e) > 4 {
			return publicKey{}, errors.New("is no RSA key of at least 2048 bits")
		}
		return publicKey{"RS256", key}, nil
	case "ECP-256":
		x, errX := number(j.X)
		y, errY := number(j.Y)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		return publicKey{"ES256", key}, errors.Join(errX, errY, err)
	}
	return publicKey{}, fmt.Errorf("is of kind %q, which is neither RSA nor EC with the curve P-256", j.Kty+" "+j.Crv)
}
