package rest

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// A client that has sent a value in the wrong form learns the right one: the example of each type is a value of the type.
func TestMessageOfAValueHasAnExample(t *testing.T) {
	for _, typ := range core.Types() {
		text := message(&core.Error{Code: core.BadFieldValue, Resource: "jar", Field: "f", Type: typ, Value: "x"})
		start, example, found := strings.Cut(strings.TrimSuffix(text, "."), ", such as ")
		if start != `The value of the field "f" of jar is not valid; accepted: a value of the type `+typ.String() {
			t.Error(text)
		}
		if free := typ == core.Text || typ == core.JSON || typ == core.List; found == free { // their values have no form to learn
			t.Error(text)
		}
		value, err := core.ParseJSON([]byte(example), 0)
		if !found {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		v, err := typ.Convert(value)
		if shown := string(v.AppendJSON(nil)); err != nil || shown != example {
			t.Errorf("%s: an answer shows the value as %s: %v", text, shown, err)
		}
	}
}
