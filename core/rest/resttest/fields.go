package resttest

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

func testTypes(t *testing.T, newBackend NewBackend) {
	c := setup{model: things()}.start(t, newBackend)
	c.check(t, exchange{"PUT /thing/1", `{}`, 201, ""})
	for _, row := range []struct{ field, taken, refused string }{
		{"int", `1 "1"=1 1.0=1 -0=0 9223372036854775807 1e3=1000 null`, `"1_" "01" "+1" "1.5" 1.5 true [] {} 9223372036854775808 ""`},
		{"float", `1 1.5 "1.5"=1.5 -0.0=0 1e-7 null`, `"x" true [1] "NaN" "Infinity" 9007199254740993`},
		{"text", `"a" "" 5="5" 1.50="1.50" "\u20ac" "\ud83d\ude00" null`, `true [] {} ["a"]`},
		{"bool", `true false null`, `0 1 "true" "" [] {}`},
		{"time", `"2024-02-29T12:00:00Z" "2024-02-29T12:00:00.123456Z" "2024-02-29T13:00:00+01:00"="2024-02-29T12:00:00Z" "2024-02-29t12:00:00.5z"="2024-02-29T12:00:00.5Z" "2024-02-29t13:00:00+01:00"="2024-02-29T12:00:00Z" null`,
			`"2024-02-30T12:00:00Z" "2024-02-29" 0 true "2024-02-29T12:00:00.1234567Z"`},
		{"uuid", `"f47ac10b-58cc-4372-a567-0e02b2c3d479" "F47AC10B-58CC-4372-A567-0E02B2C3D479"="f47ac10b-58cc-4372-a567-0e02b2c3d479" null`,
			`"f47ac10b58cc4372a5670e02b2c3d479" "x" 1 true`},
		{"bytes", `"AQID" "" null`, `"AQI" "A" 1 true []`},
		{"json", `1 "a" true [] {} {"b":[1,null,{}]} null`, ``},
		{"list", `[] [1,"a",null,[2]] null`, `1 "a" {} true`},
	} {
		t.Run(row.field+" takes what loses nothing, and shows it in one spelling", func(t *testing.T) {
			for _, value := range words(row.taken) {
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
		t.Run(row.field+" refuses everything else by field, type and value", func(t *testing.T) {
			for _, value := range words(row.refused) {
				value = strings.ReplaceAll(value, "_", " ")
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
		t.Run(field+" refuses numbers that not every storage can spell", func(t *testing.T) {
			for _, value := range words(values) {
				shown := string(core.TextValue(value).AppendJSON(nil))
				c.check(t, exchange{"PATCH /thing/1", `{"` + field + `": ` + value + `}`, 400,
					`BAD_FIELD_VALUE {"object_name": "thing", "field_name": "` + field + `", "type": "` + field + `", "value": ` + shown + `}`})
			}
			c.check(t, exchange{"GET /thing/1", "", 200, ""})
		})
	}
}

// orNull is what a field that is left out stands for.
func orNull(text string) string {
	if text == "" {
		return "null"
	}
	return text
}

const bare = `"default": 7, "readonly": "fixed", "upper": "", "length": 0, "likes": []`

func testFields(t *testing.T, newBackend NewBackend) {
	unknown := func(name string) string {
		return `FIELD_DOES_NOT_EXIST {"object_name": "thing", "field_name": "` + name + `"}`
	}
	setup{model: things()}.check(t, newBackend, []rule{
		{"a hidden field answers exactly as an unknown one", []exchange{
			{"PUT /thing/1", `{}`, 201, `{"id": 1, ` + bare + `}`},
			{"PATCH /thing/1", `{"hidden": "x"}`, 400, unknown("hidden")},
			{"PATCH /thing/1", `{"nope": "x"}`, 400, unknown("nope")},
			{"PUT /thing/1", `{"hidden": "x"}`, 400, unknown("hidden")},
			{"POST /thing", `{"hidden": "x"}`, 400, unknown("hidden")},
			{`GET /thing?filter={"hidden": "ghost"}`, "", 400, unknown("hidden")},
			{`GET /thing?filter={"hidden": {"prefix": "g"}}`, "", 400, unknown("hidden")},
			{`GET /thing?filter={"nope": "ghost"}`, "", 400, unknown("nope")},
			{`GET /thing?sort=["hidden"]`, "", 400, unknown("hidden")},
			{`GET /thing?sort=["-hidden"]`, "", 400, unknown("hidden")},
			{`GET /thing?sort=["nope"]`, "", 400, unknown("nope")},
		}},
		{"a readonly field is shown and not settable", []exchange{
			{"POST /thing", `{"readonly": "x"}`, 400, `FIELD_IS_READONLY {"object_name": "thing", "field_name": "readonly"}`},
			{"PUT /thing/1", `{}`, 201, ""},
			{"PATCH /thing/1", `{"readonly": "x"}`, 400, `FIELD_IS_READONLY`},
			{`GET /thing?filter={"readonly": "fixed"}&depth=0`, "", 200, `[1]`},
		}},
		{"a default fills what is not named, and null is not it", []exchange{
			{"PUT /thing/1", `{}`, 201, `{"id": 1, ` + bare + `}`},
			{"PUT /thing/2", `{"default": null}`, 201, `{"id": 2, "readonly": "fixed", "upper": "", "length": 0, "likes": []}`},
		}},
		{"a field that is never writable is set once", []exchange{
			{"PUT /thing/1", `{"once": "a"}`, 201, ""},
			{"PATCH /thing/1", `{"once": "b"}`, 400, `FIELD_UPDATE_FORBIDDEN {"object_name": "thing", "field_name": "once"}`},
			{"GET /thing/1", "", 200, `{"id": 1, "once": "a", ` + bare + `}`},
		}},
		{"clients know a field by its API name alone", []exchange{
			{"PUT /thing/1", `{"outer": 5}`, 201, `{"id": 1, "outer": 5, ` + bare + `}`},
			{"PATCH /thing/1", `{"inner": 5}`, 400, unknown("inner")},
			{"PATCH /thing/1", `{"outer": "x"}`, 400, `BAD_FIELD_VALUE {"object_name": "thing", "field_name": "outer", "type": "int", "value": "x"}`},
			{`GET /thing?depth=0&filter={"outer": 5}&sort=["outer"]`, "", 200, `[1]`},
			{`GET /thing?filter={"inner": 5}`, "", 400, unknown("inner")},
			{`GET /thing?sort=["inner"]`, "", 400, unknown("inner")},
		}},
		{"a unique value that is taken is 409 by its field, without the value", []exchange{
			{"PUT /thing/1", `{"code": "x"}`, 201, ""},
			{"PUT /thing/2", `{"code": "x"}`, 409, `CONFLICT {"object_name": "thing", "field_name": "code"}`},
			{"POST /thing", `[{"code": "y"}, {"code": "y"}]`, 409, `CONFLICT {"object_name": "thing", "field_name": "code", "index": 1}`},
			{"PUT /thing/2", `{"code": null}`, 201, ""},
			{"PUT /thing/3", `{}`, 201, ""},
			{"PATCH /thing/2", `{"code": "x"}`, 409, `CONFLICT {"object_name": "thing", "field_name": "code"}`},
		}},
	})
}

func testComputed(t *testing.T, newBackend NewBackend) {
	setup{model: things()}.check(t, newBackend, []rule{
		{"a computed field shows what its getter says", []exchange{
			{"PUT /thing/1", `{"text": "muffin"}`, 201,
				`{"id": 1, "text": "muffin", "default": 7, "readonly": "fixed", "upper": "MUFFIN", "length": 6, "likes": []}`},
		}},
		{"a setter may write readonly fields", []exchange{
			{"PUT /thing/1", `{}`, 201, ""},
			{"PATCH /thing/1", `{"upper": "PIE"}`, 200,
				`{"id": 1, "text": "pie", "default": 7, "readonly": "PIE", "upper": "PIE", "length": 3, "likes": []}`},
		}},
		{"a setter's error reaches the client", []exchange{
			{"POST /thing", `{"upper": 5}`, 400, `BAD_REQUEST {"msg": "upper is a text"}`},
		}},
		{"a field without a setter cannot be set", []exchange{{"POST /thing", `{"length": 5}`, 400, ""}}},
		{"computed fields cannot be filtered or sorted by", []exchange{
			{`GET /thing?filter={"upper": "PIE"}`, "", 400, `SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "upper"}`},
			{`GET /thing?sort=["upper"]`, "", 400, `SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "upper"}`},
		}},
		{"fields are applied in the order of the model, not of the body", []exchange{
			{"PUT /thing/1", `{"upper": "PIE", "text": "muffin"}`, 201,
				`{"id": 1, "text": "pie", "default": 7, "readonly": "PIE", "upper": "PIE", "length": 3, "likes": []}`},
		}},
	})
}
