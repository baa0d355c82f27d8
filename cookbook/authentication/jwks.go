package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// keySet holds public keys by their kid. Safe for concurrent use.
type keySet map[string]publicKey

// publicKey verifies signatures of one algorithm (RFC 8725, section 3.1).
type publicKey struct {
	algorithm string
	key       crypto.PublicKey
}

// of is a [jwt.Keyfunc] and returns the key that a token names. A missing or unknown kid is an error, and so is an
// algorithm that is not the key's.
func (s keySet) of(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	public, known := s[kid]
	if !known || public.algorithm != token.Method.Alg() {
		return nil, errors.New("the key set has no such key for this algorithm")
	}
	return public.key, nil
}

// readKeys reads a JSON Web Key Set (RFC 7517) from a file: RSA keys of at least 2048 bits, for RS256, and EC keys of the
// curve P-256, for ES256. Keys for encryption are left out. Any other key is an error, as are a key without a kid, two keys
// with one kid, a key whose key_ops lack verify, and a set without a key.
func readKeys(file string) (keySet, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("%s is no JSON Web Key Set: %w", file, err)
	}
	keys := make(keySet)
	for _, entry := range set.Keys {
		if entry.USE == jwkset.UseEnc {
			continue
		}
		if entry.KID == "" {
			return nil, fmt.Errorf("%s: a key has no kid, so it would verify tokens that name no key", file)
		}
		if _, twice := keys[entry.KID]; twice {
			return nil, fmt.Errorf("%s: two keys are called %q", file, entry.KID)
		}
		if keys[entry.KID], err = keyOf(entry); err != nil {
			return nil, fmt.Errorf("%s: key %q: %w", file, entry.KID, err)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: has no key to verify signatures with", file)
	}
	return keys, nil
}

func keyOf(entry jwkset.JWKMarshal) (publicKey, error) {
	if len(entry.KEYOPS) > 0 && !slices.Contains(entry.KEYOPS, jwkset.KeyOpsVerify) {
		return publicKey{}, errors.New("its key_ops lack verify")
	}
	// Without options, the library reads neither the private half of a pair nor a secret.
	parsed, err := jwkset.NewJWKFromMarshal(entry, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return publicKey{}, err
	}
	switch key := parsed.Key().(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return publicKey{}, errors.New("is no RSA key of at least 2048 bits")
		}
		return keyFor("RS256", entry, key)
	case *ecdsa.PublicKey:
		if entry.CRV == jwkset.CrvP256 {
			return keyFor("ES256", entry, key)
		}
	}
	return publicKey{}, errors.New("is neither RSA nor EC with the curve P-256")
}

// keyFor returns the key for an algorithm. The member alg of the entry must be absent or name this algorithm.
func keyFor(algorithm string, entry jwkset.JWKMarshal, key crypto.PublicKey) (publicKey, error) {
	if alg := string(entry.ALG); alg != "" && alg != algorithm {
		return publicKey{}, fmt.Errorf("%s is no algorithm of this key here; use %s", alg, algorithm)
	}
	return publicKey{algorithm, key}, nil
}
