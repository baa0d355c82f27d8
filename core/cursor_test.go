package core_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestACursorWhosePositionWasTamperedWithIsRefused(t *testing.T) {
	s := open(t)
	ctx, r := t.Context(), s.Model().Resource("cookie")
	for range 2 {
		insert(t, s, r, map[string]any{"price": 2.5})
	}
	q := core.Query{Order: []string{"price"}, Limit: 1}
	page, err := s.Select(ctx, r, q)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(page.Next))
	if err != nil {
		t.Fatal(err)
	}
	const fingerprint = 8
	for position, ok := range map[string]bool{
		"[2.5,1]": true, "[null,1]": true, "[7,0]": true,
		"": false, "null": false, "{}": false, "2.5": false, "[2.5,1": false, "[]": false, "[2.5]": false, "[2.5,1,1]": false,
		`["x",1]`: false, `[2.5,"x"]`: false, "[2.5,1.5]": false, "[2.5,null]": false, "[[2.5],1]": false,
		`[{"begins":2.5,"hash":"x"},1]`: false, `[2.5,{"begins":1,"hash":"x"}]`: false, `[{},1]`: false,
	} {
		q.After = core.Cursor(base64.RawURLEncoding.EncodeToString(append(raw[:fingerprint:fingerprint], position...)))
		if _, err := s.Select(ctx, r, q); ok != (err == nil) || err != nil && !errors.Is(err, core.BadParam) {
			t.Errorf("%s: %v", position, err)
		}
	}
	for _, whole := range []core.Cursor{"!", page.Next + "!", core.Cursor(base64.RawURLEncoding.EncodeToString(raw[:fingerprint-1]))} {
		q.After = whole
		if _, err := s.Select(ctx, r, q); !errors.Is(err, core.BadParam) {
			t.Errorf("%s: got %v", whole, err)
		}
	}
}
