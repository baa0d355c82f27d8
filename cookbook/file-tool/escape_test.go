package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// evil sets the title and the colours of a terminal, deletes a character, and changes the direction of text.
const evil = "\x1b]0;title\a \u009b31m \x7f \u202e txt.exe \u2028"

// TestControlCharactersAreEscaped runs commands on files with control characters in records, names and paths.
func TestControlCharactersAreEscaped(t *testing.T) {
	dir := t.TempDir()
	m := core.MustModel("evil",
		core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Text, Key: true}, {Name: "to", ToOne: "r"}, {Name: "once", Type: core.Text, Unique: true}, {Name: "doc", Type: core.JSON},
		}})
	data := seed.Data{"r": {
		"a" + evil: {"once": "1" + evil, "doc": map[string]any{evil: []any{evil}}},
		"b" + evil: {"to": "a" + evil, "once": "2" + evil},
	}}
	store, err := core.New(t.Context(), m, file.New(filepath.Join(dir, "evil.db"), file.Options{Data: data}))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	name := "\x1b[2J\u009b\u202e\xff.db"
	intact := content(t, dir, "evil.db")
	header, _, _ := strings.Cut(intact, `,"crc":`)
	for path, text := range map[string]string{
		name: intact, "damaged.db": strings.Replace(intact, `"2`, `"3`, 1),
		"header.db": strings.Replace(header, `"once"`, `"\u001b[2J\u009b\u202e"`, 1) + strings.TrimPrefix(intact, header),
	} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"verify", name}, {"dump", name}, {"recover", name}, {"compact", name}, {"verify", name + "?"}, {"recover", name, name}, {name}, {"dump", "-" + name}, {"dump", name, name},
		{"verify", "damaged.db"}, {"recover", "damaged.db"}, {"verify", "header.db"}, {"recover", "header.db"}, {"dump", "header.db"}, {"compact", "header.db"},
	} {
		got := run(t, dir, args...)
		for _, r := range strings.ToValidUTF8(got.out+got.report, "\a") {
			if r != '\n' && !unicode.IsGraphic(r) {
				t.Errorf("%q: prints %U in %q", args, r, got.out+got.report)
				break
			}
		}
	}
	var dumped bytes.Buffer
	dumped.WriteString(run(t, dir, "dump", "evil.db").out)
	back, err := seed.Parse(dumped.Bytes())
	if err != nil || back["r"]["b"+evil]["to"] != "a"+evil {
		t.Errorf("%v in %s", err, dumped.String())
	}
}
