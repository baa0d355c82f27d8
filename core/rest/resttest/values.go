package resttest

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

func testTypes(t *testing.T, newBackend NewBackend) {
	c := setup{model: things()}.start(t, newBackend)
	c.check(t, exchange{"PUT /thing/1", `{}`, 201, ""})
	for _, row := range []struct{ field, accepted, rejected string }{
		{"int", `1 "1"=1 1.0=1 -0=0 9223372036854775807 1e3=1000 null`, `"1.5"`},
		{"float", `1 1.5 "1.5"=1.5 -0.0=0 1e-7 null`, `[1]`},
		{"text", `"a" "" 5="5" 1.50="1.50" "\u20ac" "\ud83d\ude00" null`, `["a"]`},
		{"bool", `true false null`, `""`},
		{"time", `"2024-02-29T12:00:00Z" "2024-02-29T12:00:00.123456Z" "2024-02-29T13:00:00+01:00"="2024-02-29T12:00:00Z" "2024-02-29t12:00:00.5z"="2024-02-29T12:00:00.5Z" "2024-02-29t13:00:00+01:00"="2024-02-29T12:00:00Z" null`, `0 "2024-02-29T12:00:00.1234567Z"`},
		{"uuid", `"f47ac10b-58cc-4372-a567-0e02b2c3d479" "F47AC10B-58CC-4372-A567-0E02B2C3D479"="f47ac10b-58cc-4372-a567-0e02b2c3d479" null`, `true`},
		{"bytes", `"AQID" "" null`, `"AQI" "A" true`},
		{"json", `1 "a" true [] {} {"b":[1,null,{}]} null`, ``},
		{"list", `[] [1,"a",null,[2]] null`, `"a"`},
		{"date", `"2024-02-29" "0001-01-01" "9999-12-31" null`, `"2023-02-29" "2024-02-29T00:00:00Z" "infinity" 20240229 true`},
		{"decimal", `"10.5" "0" "-0"="0" 10.50="10.5" 1e3="1000" "1.5E-3"="0.0015" -12345678901234567890.123456789="-12345678901234567890.123456789" 1e-400="0.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001" null`, `"" "x" "1,5" "+1" "01" ".5" "NaN" "Infinity" true [1]`},
		{"localtime", `"2024-02-29T12:00:00" "2024-03-31T02:30:00.123456" "2024-02-29t12:00:00.500"="2024-02-29T12:00:00.5" "0001-01-01T00:00:00" "9999-12-31T23:59:59.999999" null`, `"2024-02-29T12:00:00Z" "2024-02-29T12:00:00+01:00" "2024-02-29_12:00:00" "2024-02-29T12:00:00.1234567" "2024-02-29" 0`},
	} {
		t.Run(row.field+" accepts and shows values", func(t *testing.T) {
			for value := range strings.FieldsSeq(row.accepted) {
				sent, shown, changed := strings.Cut(value, "=")
				if !changed {
					shown = sent
				}
				r := c.check(t, exchange{"PATCH /thing/1", `{"` + row.field + `": ` + sent + `}`, 200, ""})
				if got := r.field(row.field); !matches(parse(t, shown), parse(t, orNull(got))) {
					t.Errorf("%s shows as %s, want %s", sent, got, shown)
				}
			}
		})
		t.Run(row.field+" rejects other values", func(t *testing.T) {
			for value := range strings.FieldsSeq(row.rejected) {
				c.check(t, exchange{"PATCH /thing/1", `{"` + row.field + `": ` + value + `}`, 400,
					`BAD_FIELD_VALUE {"object_name": "thing", "field_name": "` + row.field + `", "type": "` + row.field + `", "value": ` + value + `}`})
			}
		})
	}
	for field, values := range map[string]string{
		"json":  `{"a":1e-400} 1e400 [1e-99999999999999999999] {"a":[-1e309]}`,
		"list":  `[1e-400] [1,[1e400]]`,
		"float": `1e-400 -1e400`,
		"text":  `1e-400 1e400`,
		"int":   `1e-400 1e400`,
	} {
		t.Run(field+" rejects numbers out of range", func(t *testing.T) {
			for value := range strings.FieldsSeq(values) {
				shown := string(core.TextValue(value).AppendJSON(nil))
				c.check(t, exchange{"PATCH /thing/1", `{"` + field + `": ` + value + `}`, 400,
					`BAD_FIELD_VALUE {"object_name": "thing", "field_name": "` + field + `", "type": "` + field + `", "value": ` + shown + `}`})
			}
			c.check(t, exchange{"GET /thing/1", "", 200, ""})
		})
	}
}

// orNull returns the JSON of a field; null for a field that is left out.
func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}
