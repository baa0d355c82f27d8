package rest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// decisions turns the bytes of a fuzzer into choices.
type decisions []byte

// below returns a number below n; 0 after the last byte.
func (c *decisions) below(n int) int {
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
func (c *decisions) request() (method, target, body string) {
	method, target = fuzzMethods[c.below(len(fuzzMethods))], fuzzOnes[c.below(len(fuzzOnes))]
	if method == http.MethodPost {
		target = fuzzLists[c.below(len(fuzzLists))]
	}
	return method, target + "?depth=" + string(rune('0'+c.below(6))), c.record(3)
}

func (c *decisions) record(depth int) string {
	var members []string
	used := make(map[string]bool)
	for range c.below(4) {
		if name := fuzzNames[c.below(len(fuzzNames))]; !used[name] {
			used[name] = true
			members = append(members, `"`+name+`":`+c.value(depth))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (c *decisions) value(depth int) string {
	kind := c.below(4)
	switch {
	case kind == 1 && depth > 0:
		return c.record(depth - 1)
	case kind == 2 && depth > 0:
		items := make([]string, c.below(4))
		for i := range items {
			items[i] = c.value(depth - 1)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return fuzzValues[c.below(len(fuzzValues))]
}

// FuzzRequests sends plausible requests one after another, and checks after each that both sides of every relation
// agree.
func FuzzRequests(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 0, 0, 1, 1, 2, 2, 1, 0, 1})
	f.Add([]byte{1, 0, 2, 3, 1, 2, 3, 1, 2, 1, 1, 1, 1, 0, 0, 2, 5, 5, 5})
	f.Add([]byte{2, 0, 0, 1, 3, 1, 2, 3, 1, 1, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte("0120012001200120012012012000102010201010102020101010101"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, c := fuzzHandler(t), decisions(data)
		for range 8 {
			method, target, body := c.request()
			checkAnswer(t, h, method, target, body)
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
		if _, body := request(h, http.MethodGet, target, ""); json.Unmarshal(body, into) != nil {
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
		t.Fatalf("the sides of a relation differ: %v\n%v", as, bs)
	}
}
