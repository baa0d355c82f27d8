package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

const secret = "0123456789abcdef0123456789abcdef"

func write(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sign(t *testing.T, method jwt.SigningMethod, key any, kid string, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims returns the claims of a valid token with changes, as names and values. A nil value removes the claim.
func claims(changes ...any) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix(), "iss": "bakery", "aud": []string{"cookies", "cakes"}}
	for i := 0; i < len(changes); i += 2 {
		if c[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(c, changes[i].(string))
		}
	}
	return c
}

// status returns the status and the body of GET /cookie with a header Authorization.
func status(t *testing.T, h http.Handler, authorization string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/cookie", nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func handler(t *testing.T, s settings) http.Handler {
	t.Helper()
	verify, err := s.verifier()
	if err != nil {
		t.Fatal(err)
	}
	store, err := compose(t.Context(), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: verify.principal})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// checkTokens sends requests with headers Authorization that must pass and that must be rejected.
func checkTokens(t *testing.T, h http.Handler, good, bad map[string]string) {
	t.Helper()
	for name, authorization := range good {
		if code, body := status(t, h, authorization); code != http.StatusOK {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	for name, authorization := range bad {
		if code, body := status(t, h, authorization); code != http.StatusUnauthorized || body != `{"error":{"code":"UNAUTHORIZED","message":"This needs credentials, and the request has none that are accepted.","details":{}}}` {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}

func TestTokensOfTheSecret(t *testing.T) {
	hs := func(c jwt.MapClaims) string {
		return "Bearer " + sign(t, jwt.SigningMethodHS256, []byte(secret), "", c)
	}
	good := hs(claims())
	parts := strings.Split(good, ".")
	critical := jwt.NewWithClaims(jwt.SigningMethodHS256, claims())
	critical.Header["crit"] = []string{"exp"}
	extended, err := critical.SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	later, earlier := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	checkTokens(t, handler(t, settings{secret: write(t, secret+"\n"), issuer: "bakery", audience: "cookies"}), map[string]string{
		"good": good, "another spelling of the scheme": "bearer" + strings.TrimPrefix(good, "Bearer"), "good since an hour": hs(claims("nbf", earlier)),
		"written by hand": raw(`{"sub": "alice", "exp": 4000000000, "iss": "bakery", "aud": "cookies"}`),
	}, map[string]string{
		"none at all":         "",
		"no token":            "Bearer ",
		"garbage":             "Bearer a.b.c",
		"another scheme":      "Basic YWxpY2U6YWxpY2U=",
		"token without it":    strings.TrimPrefix(good, "Bearer "),
		"alg none":            "Bearer " + sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", claims()),
		"signature cut off":   parts[0] + "." + parts[1] + ".",
		"another secret":      "Bearer " + sign(t, jwt.SigningMethodHS256, []byte(strings.ToUpper(secret)), "", claims()),
		"another algorithm":   "Bearer " + sign(t, jwt.SigningMethodHS512, []byte(secret), "", claims()),
		"unknown extension":   "Bearer " + extended,
		"another's claims":    parts[0] + "." + strings.Split(hs(claims("sub", "bob")), ".")[1] + "." + parts[2],
		"expired":             hs(claims("exp", earlier)),
		"no expiry":           hs(claims("exp", nil)),
		"expiry of text":      hs(claims("exp", "never")),
		"not good yet":        hs(claims("nbf", later)),
		"no subject":          hs(claims("sub", nil)),
		"empty subject":       hs(claims("sub", "")),
		"subject of a number": hs(claims("sub", 1)),
		"another issuer":      hs(claims("iss", "mill")),
		"no issuer":           hs(claims("iss", nil)),
		"another audience":    hs(claims("aud", "cakes")),
		"no audience":         hs(claims("aud", nil)),
		"good after all time": hs(claims("nbf", json.Number("1e300"))),
		"good before all":     hs(claims("nbf", -1)),
		"issued after it":     hs(claims("iat", 1e12)),
		"a lone surrogate":    raw(`{"sub": "\ud800", "exp": 4000000000, "iss": "bakery", "aud": "cookies"}`),
		"two subjects":        raw(`{"sub": "bob", "sub": "alice", "exp": 4000000000, "iss": "bakery", "aud": "cookies"}`),
		"text after claims":   raw(`{"sub": "alice", "exp": 4000000000, "iss": "bakery", "aud": "cookies"} {}`),
		"loose base64":        loose(raw(`{"sub": "alice", "exp": 4000000000, "iss": "bakery", "aud": "cookies"}`)),
	})
}

// raw returns a bearer token with a text as claims, signed with the secret.
func raw(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	signature, err := jwt.SigningMethodHS256.Sign(text, []byte(secret))
	if err != nil {
		panic(err)
	}
	return "Bearer " + text + "." + encode(signature)
}

// loose returns the token with an unused bit of the signature set: 32 bytes fill 43 characters, and the last one has two
// unused bits.
func loose(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])|1])
}

// writeKeySet writes a JWKS to a file. The keys of the map are the kid, and optionally a plus and the alg.
func writeKeySet(t *testing.T, public map[string]crypto.PublicKey) string {
	t.Helper()
	number := base64.RawURLEncoding.EncodeToString
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	for kid, key := range public {
		switch k := key.(type) {
		case *rsa.PublicKey:
			set.Keys = append(set.Keys, map[string]string{"kty": "RSA", "kid": kid, "use": "sig", "n": number(k.N.Bytes()), "e": "AQAB"})
		case *ecdsa.PublicKey:
			point, err := k.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			set.Keys = append(set.Keys, map[string]string{"kty": "EC", "kid": kid, "crv": "P-256", "x": number(point[1:33]), "y": number(point[33:])})
		}
	}
	set.Keys = append(set.Keys, map[string]string{"kty": "oct", "kid": "cipher", "use": "enc"})
	for _, k := range set.Keys {
		if _, alg, named := strings.Cut(k["kid"], "+"); named {
			k["alg"] = alg
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTokensOfAKeySet(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	rs := func(method jwt.SigningMethod, kid string) string {
		return "Bearer " + sign(t, method, rsaKey, kid, claims())
	}
	es := func(key *ecdsa.PrivateKey, kid string) string {
		return "Bearer " + sign(t, jwt.SigningMethodES256, key, kid, claims())
	}
	set := write(t, writeKeySet(t, map[string]crypto.PublicKey{
		"r": &rsaKey.PublicKey, "e": &ecKey.PublicKey, "s+RS256": &rsaKey.PublicKey,
	}))
	checkTokens(t, handler(t, settings{jwks: set}), map[string]string{
		"RS256": rs(jwt.SigningMethodRS256, "r"), "ES256": es(ecKey, "e"), "RS256 by name": rs(jwt.SigningMethodRS256, "s+RS256"),
	}, map[string]string{
		"alg none":                  "Bearer " + sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "r", claims()),
		"public key as a secret":    "Bearer " + sign(t, jwt.SigningMethodHS256, public, "r", claims()),
		"public DER as a secret":    "Bearer " + sign(t, jwt.SigningMethodHS256, der, "r", claims()),
		"a key outside the set":     es(other, "e"),
		"a kid outside the set":     es(ecKey, "x"),
		"no kid":                    es(ecKey, ""),
		"the kid of another key":    es(ecKey, "r"),
		"RSA with another kid":      rs(jwt.SigningMethodRS256, "e"),
		"RS512":                     rs(jwt.SigningMethodRS512, "r"),
		"PS256":                     rs(jwt.SigningMethodPS256, "r"),
		"a key that is not to sign": es(ecKey, "cipher"),
	})
}

func TestInvalidSettingsEndTheProgram(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := wide.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	number := base64.RawURLEncoding.EncodeToString
	good := `{"kty": "RSA", "kid": "r", "e": "AQAB", "n": "` + number(bytes.Repeat([]byte{255}, 256)) + `"}`
	set := func(keys string) []string { return []string{"-jwks", write(t, `{"keys": [`+keys+`]}`)} }
	for want, args := range map[string][]string{
		"say whose tokens to believe":      nil,
		"-secret FILE or -jwks FILE":       {"-secret", "a", "-jwks", "b"},
		"holds fewer than 32 bytes":        {"-secret", write(t, "hunter2")},
		"no such file":                     {"-secret", filepath.Join(t.TempDir(), "none")},
		"is no JSON Web Key Set: ":         {"-jwks", write(t, "secret")},
		"has no key":                       set(""),
		"neither RSA nor EC":               set(`{"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": "` + number(make([]byte, 32)) + `"}`),
		"no RSA key of at least 2048 bits": {"-jwks", write(t, writeKeySet(t, map[string]crypto.PublicKey{"r": &short.PublicKey}))},
		"unable to unmarshal":              set(`{"kty": "RSA", "kid": "r"}`),
		"unsupported key":                  set(`{"kty": "PQC", "kid": "q"}`),
		"symmetric key":                    set(`{"kty": "oct", "kid": "s", "k": "` + number([]byte(secret)) + `"}`),
		"P-256":                            set(`{"kty": "EC", "kid": "e", "crv": "P-384", "x": "` + number(long[1:49]) + `", "y": "` + number(long[49:]) + `"}`),
		`PS256 is no algorithm of`:         set(good[:len(good)-1] + `, "alg": "PS256"}`),
		`ES256 is no algorithm of`:         set(good[:len(good)-1] + `, "alg": "ES256"}`),
		"a key has no kid":                 set(strings.Replace(good, `"kid": "r", `, "", 1)),
		"its key_ops lack verify":          set(good[:len(good)-1] + `, "key_ops": ["encrypt"]}`),
		`two keys are called "r"`:          set(good + ", " + good),
		`key "e": `:                        set(`{"kty": "EC", "kid": "e", "crv": "P-256", "x": "AAAA", "y": "AAAA"}`),
		"no such file or directory":        {"-jwks", "/nothing"},
		"unknown kind of storage":          {"-secret", write(t, secret), "-store", "floppy"},
	} {
		if code, said := recipetest.Fail(t, args...); code != 1 || !strings.Contains(said, want) || strings.Count(said, "\n") != 1 || strings.Contains(said, "hunter2") {
			t.Errorf("%q: exit code %d, said %s", want, code, said)
		}
	}
}
