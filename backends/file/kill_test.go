package file_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

const writers = 8

// writeForever has each writer insert records two by two, and tells of each pair that
// was acknowledged.
func writeForever(path string) error {
	ctx := context.Background()
	store, err := core.New(ctx, pairs, file.New(path, file.Options{}))
	if err != nil {
		return err
	}
	failed := make(chan error)
	for writer := range writers {
		go func() {
			for turn := 0; ; turn++ {
				ids, err := insertPair(ctx, store, writer, turn)
				if err != nil {
					failed <- err
				}
				_, _ = os.Stdout.WriteString(fmt.Sprintf("%d %d %d %d\n", ids[0], ids[1], writer, turn))
			}
		}()
	}
	return <-failed
}

func TestAKilledProcessLosesNothingAcknowledged(t *testing.T) {
	times := 20 * soakFactor()
	path := filepath.Join(t.TempDir(), "pairs.db")
	acknowledged := make(pairsBy)
	for range times {
		killAfter(t, path, 40, acknowledged)
		if err := acknowledged.check(path); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("note: %d kills under %d writers, %d transactions acknowledged, none lost", times, writers, len(acknowledged))
}

// killAfter starts the program and kills it after so many acknowledgements.
func killAfter(t *testing.T, path string, count int, acknowledged pairsBy) {
	t.Helper()
	cmd := program(t, "write-forever", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	n := 0
	for ; lines.Scan(); n++ {
		if n == count {
			_ = cmd.Process.Kill()
		}
		var ids [2]int64
		var by [2]int
		if _, err := fmt.Sscan(lines.Text(), &ids[0], &ids[1], &by[0], &by[1]); err != nil {
			t.Fatal(err) // lines this short are written in one piece
		}
		if _, twice := acknowledged[ids]; twice {
			t.Errorf("keys %v again", ids)
		}
		acknowledged[ids] = by
	}
	_ = cmd.Wait()
	if n < count {
		t.Fatalf("the program ended by itself after %d transactions", n)
	}
}
