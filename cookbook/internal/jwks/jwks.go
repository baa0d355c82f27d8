// Package jwks verifies tokens by the public keys of whoever signs them, as identity
// providers publish them. It refuses keys that are too weak, and those for algorithms
// that no recipe has.
package jwks

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

// Keys are public keys by their kid. Safe for concurrent use.
type Keys map[string]key

// key is good for one algorithm, and for no other (RFC 8725, section 3.1).
type key struct {
	algorithm string
	public    crypto.PublicKey
}

// Of is a [jwt.Keyfunc]: it returns the key that a token says it is signed with. A kid
// that is missing or not known is an error, as is an algorithm that is not the key's.
func (k Keys) Of(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	key, known := k[kid]
	if !known || key.algorithm != token.Method.Alg() {
		return nil, errors.New("the key set has no such key for this algorithm")
	}
	return key.public, nil
}

// Read reads a file that holds a JSON Web Key Set (RFC 7517): RSA keys of at least 2048
// bits, for RS256, and EC keys of the curve P-256, for
// ES256. Keys for encryption are left out. Any other key is an error, as are a key
// without a kid, two of one kid, a key whose key_ops lack verify, and no key at all.
func Read(file string) (Keys, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("%s is no JSON Web Key Set: %w", file, err)
	}
	keys := make(Keys)
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

func keyOf(entry jwkset.JWKMarshal) (key, error) {
	if len(entry.KEYOPS) > 0 && !slices.Contains(entry.KEYOPS, jwkset.KeyOpsVerify) {
		return key{}, errors.New("its key_ops lack verify")
	}
	// Without options the private half of a pair is not read, and a secret is no key.
	parsed, err := jwkset.NewJWKFromMarshal(entry, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key{}, err
	}
	switch public := parsed.Key().(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 {
			return key{}, errors.New("is no RSA key of at least 2048 bits")
		}
		return keyFor("RS256", entry, public)
	case *ecdsa.PublicKey:
		if entry.CRV == jwkset.CrvP256 {
			return keyFor("ES256", entry, public)
		}
	}
	return key{}, errors.New("is neither RSA nor EC with the curve P-256")
}

// keyFor returns the key for an algorithm, which its alg must name if it names one.
func keyFor(algorithm string, entry jwkset.JWKMarshal, public crypto.PublicKey) (key, error) {
	if alg := string(entry.ALG); alg != "" && alg != algorithm {
		return key{}, fmt.Errorf("%s is no algorithm of this key here; use %s", alg, algorithm)
	}
	return key{algorithm, public}, nil
}
