package pgtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMissingBinariesErrorNamesPackage(t *testing.T) {
	nowhere := t.TempDir()
	t.Setenv("PATH", nowhere)
	if _, err := serverBinaries(nowhere); err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("server: %v", err)
	}
	if _, err := bouncerBinary(nowhere); err == nil || !strings.Contains(err.Error(), "apt-get install pgbouncer") {
		t.Errorf("bouncer: %v", err)
	}
}

func TestLatestVersionUnlessInPATH(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	for _, version := range []string{"9", "15", "14"} {
		bin := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(bin, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "initdb"), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(version string) {
		t.Helper()
		got, err := serverBinaries(filepath.Join(root, "*", "bin"))
		if want := filepath.Join(root, version, "bin"); got != want || err != nil {
			t.Errorf("got %s %v, want %s", got, err, want)
		}
	}
	expect("15")
	t.Setenv("PATH", filepath.Join(root, "14", "bin"))
	expect("14")
}
