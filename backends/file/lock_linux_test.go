package file_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

// A process that starts another one has a copy of each descriptor in the child, until the child executes its program. The lock
// must end with Close in spite of that copy.
func TestCloseUnlocksInSpiteOfAForkedChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	model := core.MustModel("m", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	for range 2 {
		store, err := core.New(t.Context(), model, file.New(path, file.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		copied := duplicate(t, path)
		t.Cleanup(func() { _ = syscall.Close(copied) })
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// duplicate returns a copy of the descriptor of an open file, as a forked child has one.
func duplicate(t *testing.T, path string) int {
	t.Helper()
	const open = "/proc/self/fd"
	all, err := os.ReadDir(open)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		if to, err := os.Readlink(filepath.Join(open, entry.Name())); err != nil || to != path {
			continue
		}
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		copied, err := syscall.Dup(number)
		if err != nil {
			t.Fatal(err)
		}
		return copied
	}
	t.Fatalf("%s is not open", path)
	return 0
}
