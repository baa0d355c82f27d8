package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/core"
)

// latest is the last second of the year 9999.
const latest = 253_402_300_799

// wellFormed refuses a token that readers of JSON understand differently: encoding/json
// takes lone surrogates for one character, the last of two equal names, and what stands
// before trailing text (RFC 8725, section 2.4). Times beyond the year 9999 overflow.
func wellFormed(token *jwt.Token) error {
	for part := range strings.SplitSeq(token.Raw[:strings.LastIndexByte(token.Raw, '.')], ".") {
		text, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return err
		}
		members, err := core.ParseJSON(text, 0)
		if err != nil {
			return errors.New("the token is not strict JSON: " + err.Error()) // whose own code would be the answer
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
