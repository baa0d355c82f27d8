package ownership_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/ownership"
)

// typed returns a model of one resource with an owner of that type.
func typed(typ core.Type) *core.Model {
	return core.MustModel("typed", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: typ, Hidden: true},
	}})
}

const uuid = "0d1f6a52-8d67-4b6e-9b6b-2d5f3a1c0e11"

func TestIDMustHaveTheTypeOfTheField(t *testing.T) {
	id, err := core.UUID.Convert(uuid)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]core.Value{
		"int": core.IntValue(1), "text": core.TextValue("1"), "uuid": id, "text of a uuid": core.TextValue(uuid),
		"bool": core.BoolValue(true), "float": core.FloatValue(1), "bytes": core.BytesValue([]byte("1")), "null": core.Null, "absent": {},
		"empty text": core.TextValue(""), "text with zero": core.TextValue("a\x00"), "zero text": core.TextValue("\x00"), "no UTF-8": core.TextValue("\xff"),
	}
	for typ, owners := range map[core.Type]map[string]bool{
		core.Int: {"int": true}, core.Text: {"text": true, "text of a uuid": true}, core.UUID: {"uuid": true},
	} {
		m := typed(typ)
		c := open(t, m, ownership.New("owner", ownership.Options{}))
		for name, id := range ids {
			err := c.as(&core.Principal{ID: id}).tryInsert(m.Resource("note"), nil)
			if owners[name] != (err == nil) || err != nil && !errors.Is(err, core.Forbidden) {
				t.Errorf("%s owns through %s: %v", name, typ, err)
			}
		}
	}
}

func TestClaimMustFitTheTypeOfTheField(t *testing.T) {
	claims := map[string]any{
		"7": json.Number("7"), "7.0": 7.0, "int": 7, "int64": int64(7), "value": core.IntValue(7),
		"largest float": float64(1<<53 - 1), "large number": json.Number("9223372036854775807"), "negative": -7.0,
		"least float": float64(-1<<53 + 1), "too small float": float64(-1 << 53), "too large float": float64(1 << 53), "1.5": 1.5, "huge": json.Number("9223372036854775808"), "exponent": 1e300, "1.5 as text": json.Number("1.5"),
		"text": "7", "uuid": uuid, "upper": "0D1F6A52-8D67-4B6E-9B6B-2D5F3A1C0E11", "empty": "", "zero byte": "a\x00", "no UTF-8": "\xff",
		"true": true, "list": []any{"7"}, "object": map[string]any{"7": 7}, "nil": nil, "null": core.Null, "text value": core.TextValue("7"),
	}
	for typ, owners := range map[core.Type]map[string]string{
		core.Int: {
			"7": "7", "7.0": "7", "int": "7", "int64": "7", "value": "7", "largest float": "9007199254740991", "least float": "-9007199254740991",
			"large number": "9223372036854775807", "negative": "-7",
		},
		core.Text: {"text": "7", "text value": "7", "uuid": uuid, "upper": "0D1F6A52-8D67-4B6E-9B6B-2D5F3A1C0E11"},
		core.UUID: {"uuid": uuid, "upper": uuid},
	} {
		m := typed(typ)
		c := open(t, m, ownership.New("owner", ownership.Options{Claim: "org"}))
		for name, claim := range claims {
			as := c.as(&core.Principal{ID: core.IntValue(1), Claims: map[string]any{"org": claim}})
			stored, err := as.querier.Insert(as.ctx, m.Resource("note"), as.record(m.Resource("note"), nil))
			switch want, ok := owners[name]; {
			case ok && (err != nil || stored[0].Get("owner").String() != want):
				t.Errorf("%s owns through %s as %v: %v", name, typ, stored, err)
			case !ok && !errors.Is(err, core.Forbidden):
				t.Errorf("%s owns through %s: %v", name, typ, err)
			}
		}
		if err := c.as(&core.Principal{ID: core.IntValue(7)}).tryInsert(m.Resource("note"), nil); !errors.Is(err, core.Forbidden) {
			t.Errorf("without claims: %v", err)
		}
	}
}

func TestCauseOfAMissingOwnerHasNoID(t *testing.T) {
	m := typed(core.Int)
	for want, options := range map[string]ownership.Options{
		`FORBIDDEN object_name="note": ownership: note.owner needs id of type int, which the principal lacks`:          {},
		`FORBIDDEN object_name="note": ownership: note.owner needs claim "org" of type int, which the principal lacks`: {Claim: "org"},
	} {
		c := open(t, m, ownership.New("owner", options))
		if err := c.as(&core.Principal{ID: core.TextValue("alice")}).tryInsert(m.Resource("note"), nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCauseOfAnotherOwnerHasNoID(t *testing.T) {
	c := stocked(t).as(&core.Principal{ID: core.IntValue(4711)})
	for want, err := range map[string]error{
		`FORBIDDEN object_name="cookie": ownership: the insert sets cookie.user_id to another owner than the principal`: c.tryInsert(cookie, map[string]any{"user_id": 815}),
		`FORBIDDEN object_name="cookie": ownership: the update sets cookie.user_id to another owner than the principal`: c.tryUpdate(cookie, map[string]any{"id": 1, "user_id": 815}),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
