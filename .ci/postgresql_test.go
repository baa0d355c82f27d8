package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestMissingServerErrorNamesTheCommand(t *testing.T) {
	root, programs := t.TempDir(), t.TempDir()
	script := filepath.Join(root, ".ci", "postgresql")
	path, err := exec.LookPath("dirname")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Symlink(path, filepath.Join(programs, "dirname")),
		os.MkdirAll(filepath.Join(root, ".tools", "postgresql", "98"), 0o700),
		os.Mkdir(filepath.Dir(script), 0o700),
		os.WriteFile(script, []byte(readFile(t, "postgresql")), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ version, want string }{
		{"98", "apt-get install nodejs npm"},
		{"99", ".tools/postgresql, which has: 98"},
	} {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", script, c.version)
		cmd.Env = []string{"PATH=" + programs}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("version %s: %v, %s; want %q in it", c.version, err, out, c.want)
		}
	}
}

func TestLockFilesNameNoRegistry(t *testing.T) {
	files, err := filepath.Glob("../.tools/postgresql/*/package-lock.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if strings.Contains(readFile(t, file), "://") {
			t.Errorf("%s has a URL; make it with npm install --omit-lockfile-registry-resolved", file)
		}
	}
}
