package file_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

// victim is the variable that makes the test binary the program that is killed: the
// path of its file.
const victim = "LARDER_TEST_VICTIM"

// soaking is how many times as much is tried: 25 makes 500 kills.
func soaking() int {
	if n, err := strconv.Atoi(os.Getenv("LARDER_SOAK")); err == nil && n > 0 {
		return n
	}
	return 1
}

func TestMain(m *testing.M) {
	if path := os.Getenv(victim); path != "" {
		fmt.Fprintln(os.Stderr, writeForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var pairs = core.MustModel("pairs", core.ResourceSpec{Name: "half", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "writer", Type: core.Int},
	{Name: "turn", Type: core.Int},
	{Name: "other", ToOne: "half"},
}})

var half = pairs.Resource("half")

const writers = 8

// writeForever has each writer insert records two by two, and tells of each pair that
// was acknowledged.
func writeForever(path string) error {
	ctx := context.Background()
	store, err := core.New(ctx, pairs, file.Open(path, file.Options{}))
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

func insertPair(ctx context.Context, store *core.Store, writer, turn int) (ids [2]int64, err error) {
	err = store.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error {
		for i := range ids {
			fields := map[string]any{"writer": writer, "turn": turn}
			if i == 1 {
				fields["other"] = ids[0]
			}
			rec, err := half.NewRecord(fields)
			if err != nil {
				return err
			}
			stored, err := tx.Insert(ctx, half, rec)
			if err != nil {
				return err
			}
			ids[i] = stored[0].Key().Int()
		}
		return nil
	})
	return ids, err
}

func TestAKilledProcessLosesNothingAcknowledged(t *testing.T) {
	times := 20 * soaking()
	path := filepath.Join(t.TempDir(), "pairs.db")
	acknowledged := make(map[[2]int64][2]int) // writer and turn by the keys
	for range times {
		killAfter(t, path, 40, acknowledged)
		check(t, path, acknowledged)
	}
	t.Logf("%d transactions acknowledged, %d kills", len(acknowledged), times)
}

// killAfter starts the program and kills it after so many acknowledgements.
func killAfter(t *testing.T, path string, count int, acknowledged map[[2]int64][2]int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+path)
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

// check opens the file and looks for what was acknowledged.
func check(t *testing.T, path string, acknowledged map[[2]int64][2]int) {
	t.Helper()
	store, err := core.New(t.Context(), pairs, file.Open(path, file.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing was written
	page, err := store.Select(t.Context(), half, core.Query{})
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[[2]int64][2]int)
	halves := make(map[int64]core.Record)
	for _, rec := range page.Records {
		halves[rec.Key().Int()] = rec
		if other := rec.Get("other"); other.IsSet() {
			found[[2]int64{other.Int(), rec.Key().Int()}] = [2]int{int(rec.Get("writer").Int()), int(rec.Get("turn").Int())}
		}
	}
	if len(halves) != 2*len(found) {
		t.Errorf("%d records in %d pairs", len(halves), len(found))
	}
	for ids, by := range acknowledged {
		if found[ids] != by {
			t.Errorf("acknowledged %v as %v, found %v", ids, by, found[ids])
		}
	}
}
