package core_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/larder-go/larder/"

type listed struct {
	ImportPath string
	Standard   bool
	Deps       []string
	Imports    []string
}

// packages returns the packages of the module and their dependencies, from go list.
func packages(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,Deps,Imports", "../...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := make(map[string]listed)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p
	}
}

func TestCoreEngineAndRestUseTheStandardLibraryOnly(t *testing.T) {
	all := packages(t)
	for _, name := range []string{"core", "core/engine", "core/rest"} {
		p, ok := all[module+name]
		if !ok {
			t.Errorf("package %s is not there", name)
		}
		for _, dep := range p.Deps {
			if !all[dep].Standard && !strings.HasPrefix(dep, module+"core") || dep == module+"core/memtable" {
				t.Errorf("%s links %s", name, dep)
			}
		}
	}
}

func TestImportArrowsPointOneWay(t *testing.T) {
	for path, p := range packages(t) {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module)
			if ours && !mayImport(name, other) {
				t.Errorf("%s imports %s", name, other)
			}
		}
	}
}

// mayImport reports whether package name may import package other, both of this module: core imports core, backends and
// decorators import core and their own folder, the cookbook imports everything.
func mayImport(name, other string) bool {
	top := func(s string) string { return strings.Split(s, "/")[0] }
	folder := func(s string) string { return strings.Join(strings.SplitN(s, "/", 3)[:2], "/") }
	switch top(name) {
	case "core":
		return top(other) == "core"
	case "backends", "decorators":
		return top(other) == "core" || strings.Contains(other, "/") && folder(other) == folder(name)
	case "cookbook":
		return true
	}
	return false
}

func TestDriverImportsAreConfined(t *testing.T) {
	homes := map[string]string{
		"go.uber.org/zap": "decorators/logging", "github.com/prometheus/client_golang": "decorators/metrics",
		"github.com/jackc/pgx": "backends/postgres", "github.com/tidwall/btree": "core/memtable",
		"github.com/santhosh-tekuri/jsonschema": "core/jsonschema",
		"github.com/golang-jwt/jwt":             "cookbook/", "github.com/MicahParks/jwkset": "cookbook/authentication",
	}
	for path, p := range packages(t) {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		for dep, home := range homes {
			if strings.HasPrefix(name, "cookbook") && !strings.HasPrefix(home, "cookbook") {
				continue // programs may use the libraries of the packages that they show
			}
			imports := slices.ContainsFunc(p.Imports, func(s string) bool { return strings.HasPrefix(s, dep) })
			if imports && !strings.HasPrefix(name, home) {
				t.Errorf("%s imports %s, which only %s may", name, dep, home)
			}
		}
	}
}
