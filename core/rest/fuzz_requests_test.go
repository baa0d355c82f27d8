package rest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// choices turns the bytes of a fuzzer into decisions.
type choices []byte

// of returns a number below n, 0 when the bytes are used up.
func (c *choices) of(n int) int {
	if len(*c) == 0 {
		return 0
	}
	b := (*c)[0]
	*c = (*c)[1:]
	return int(b) % n
}

var (
	fuzzMethods = []string{http.MethodPatch, http.MethodPut, http.MethodPost, http.MethodDelete, http.MethodGet}
	fuzzLists   = []string{"/a", "/b", "/c"}
	fuzzOnes    = []string{"/a/1", "/a/2", "/a/3", "/b/x", "/b/y", "/c/f47ac10b-58cc-4372-a567-0e02b2c3d479"}
	fuzzNames   = []string{"parent", "children", "partner", "likes", "owner", "a", "int", "text", "json", "list", "code", "id", "ghost"}
	fuzzValues  = []string{"null", "1", "2", `"3"`, `"x"`, `"y"`, `"f47ac10b-58cc-4372-a567-0e02b2c3d479"`, "1.5", "true", "9"}
)

// request returns a method, a target and a body.
func (c *choices) request() (method, target, body string) {
	method, target = fuzzMethods[c.of(len(fuzzMethods))], fuzzOnes[c.of(len(fuzzOnes))]
	if method == http.MethodPost {
		target = fuzzLists[c.of(len(fuzzLists))]
	}
	return method, target + "?depth=" + string(rune('0'+c.of(6))), c.record(3)
}

func (c *choices) record(depth int) string {
	var members []string
	used := make(map[string]bool)
	for range c.of(4) {
		if name := fuzzNames[c.of(len(fuzzNames))]; !used[name] {
			used[name] = true
			members = append(members, `"`+name+`":`+c.value(depth))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (c *choices) value(depth int) string {
	kind := c.of(4)
	switch {
	case kind == 1 && depth > 0:
		return c.record(depth - 1)
	case kind == 2 && depth > 0:
		items := make([]string, c.of(4))
		for i := range items {
			items[i] = c.value(depth - 1)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return fuzzValues[c.of(len(fuzzValues))]
}

// FuzzRequests sends requests that make sense one after another, and checks that
// both sides of every relation agree after each.
func FuzzRequests(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 0, 0, 1, 1, 2, 2, 1, 0, 1})
	f.Add([]byte{1, 0, 2, 3, 1, 2, 3, 1, 2, 1, 1, 1, 1, 0, 0, 2, 5, 5, 5})
	f.Add([]byte{2, 0, 0, 1, 3, 1, 2, 3, 1, 1, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte("0120012001200120012012012000102010201010102020101010101"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, c := stocked(t), choices(data)
		for range 8 {
			method, target, body := c.request()
			hold(t, h, method, target, body)
			bothSidesAgree(t, h)
			if len(c) == 0 {
				return
			}
		}
	})
}

// bothSidesAgree compares the sides of the relations of the fuzzed model.
func bothSidesAgree(t *testing.T, h http.Handler) {
	t.Helper()
	var as []struct {
		ID, Parent int
		Children   []int
		Partner    *string
	}
	var bs []struct {
		ID      string
		Partner int
	}
	for target, into := range map[string]any{"/a": &as, "/b": &bs} {
		if _, body := ask(h, http.MethodGet, target, ""); json.Unmarshal(body, into) != nil {
			t.Fatalf("%s: %s", target, body)
		}
	}
	parents, children, wanted, partners := map[[2]int]bool{}, map[[2]int]bool{}, map[string]int{}, map[string]int{}
	for _, a := range as {
		if a.Parent != 0 {
			parents[[2]int{a.Parent, a.ID}] = true
		}
		for _, child := range a.Children {
			children[[2]int{a.ID, child}] = true
		}
		if a.Partner != nil {
			wanted[*a.Partner] = a.ID
		}
	}
	for _, b := range bs {
		if b.Partner != 0 {
			partners[b.ID] = b.Partner
		}
	}
	if !maps.Equal(parents, children) || !maps.Equal(wanted, partners) {
		t.Fatalf("relations are torn: %v\n%v", as, bs)
	}
}
