package recipetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goMod is the go.mod of a copied program. The project is replaced by the working tree.
const goMod = `module example.com/copy

go 1.26.0

require github.com/larder-go/larder v0.0.0

replace github.com/larder-go/larder => %s
`

// build writes the files of a program, by name, to an empty folder, makes the folder a module and builds the program. Other
// modules have the versions and checksums of the project, and the go command downloads none.
func build(folder, binary string, files map[string][]byte) error {
	root, err := projectRoot()
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	all := maps.Clone(files)
	all["go.mod"], all["go.sum"] = fmt.Appendf(nil, goMod, root), sums
	for name, content := range all {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(context.Background(), "go", "build", "-mod=mod", "-o", binary, ".")
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build of a copy of %s: %w\n%s", slices.Sorted(maps.Keys(files)), err, out)
	}
	return nil
}

// projectRoot returns the folder of the project's go.mod, above the current folder.
func projectRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod above the current folder")
		}
		folder = parent
	}
}

// recipe returns the files of the recipe in the current folder, but for its tests and its README.
func recipe() (map[string][]byte, error) {
	entries, err := os.ReadDir(".")
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasSuffix(e.Name(), "_test.go") || e.Name() == "README.md" {
			continue
		}
		if files[e.Name()], err = os.ReadFile(e.Name()); err != nil {
			return nil, err
		}
	}
	return files, nil
}
