package strictjson_test

import (
	"encoding/json"
	"fmt"

	"github.com/larder-go/larder/core/internal/strictjson"
)

func ExampleParse() {
	v, err := strictjson.Parse([]byte(`{"name": "jar", "price": 1.50}`), 0)
	fmt.Println(v, err)

	_, err = strictjson.Parse([]byte(`{"owner": 1, "owner": 2}`), 0)
	fmt.Println(err)
	// Output:
	// map[name:jar price:1.50] <nil>
	// invalid JSON at byte 13: duplicate name in an object
}

func ExampleAppendCanonical() {
	text, err := strictjson.AppendCanonical(nil, map[string]any{"b": json.Number("1.50"), "a": []any{"<é>", 100.0}})
	fmt.Println(string(text), err)
	// Output: {"a":["<é>",100],"b":1.5} <nil>
}

func ExampleCanonicalNumber() {
	for _, lit := range []string{"1e2", "-0.0", "1.5E-3", "0.00000015", "12345678901234567890123"} {
		text, err := strictjson.CanonicalNumber(lit)
		fmt.Println(text, err)
	}
	// Output:
	// 100 <nil>
	// 0 <nil>
	// 0.0015 <nil>
	// 1.5e-7 <nil>
	// 1.2345678901234567890123e+22 <nil>
}

func ExampleAppendString() {
	fmt.Println(string(strictjson.AppendString(nil, "<b>\"1\"\n</b>")))
	// Output: "<b>\"1\"\n</b>"
}
