package postgres

import "testing"

func TestColumnsThatAreComputedWhenTheyAreRead(t *testing.T) {
	for _, c := range []struct {
		relkind, attgenerated string
		want                  bool
	}{
		{"r", "", false},
		{"r", "s", false},
		{"r", "v", true},
		{"p", "", false},
		{"p", "v", true},
		{"m", "", false},
		{"v", "", true},
		{"f", "", true},
		{"f", "s", true},
	} {
		if got := mayFailToRead(c.relkind, c.attgenerated); got != c.want {
			t.Errorf("relkind %q, attgenerated %q: %v", c.relkind, c.attgenerated, got)
		}
	}
}
