package file_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// role is the environment variable that makes the test binary run one of the programs, by its name.
const role = "LARDER_TEST_ROLE"

// programs are the programs in the test binary, with their path argument.
var programs = map[string]func(path string) error{
	"write-forever": writeForever,
}

// soakFactor returns the factor of the test length: 25 makes 500 kills.
func soakFactor() int {
	if n, err := strconv.Atoi(os.Getenv("LARDER_SOAK")); err == nil && n > 0 {
		return n
	}
	return 1
}

func TestMain(m *testing.M) {
	if run := programs[os.Getenv(role)]; run != nil {
		if err := run(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program returns a command that runs one of the programs in the test binary, under the launcher if there is one.
func program(t *testing.T, name, path string, launcher ...string) *exec.Cmd {
	t.Helper()
	args := append(launcher, os.Args[0], path)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	// Otherwise the race detector waits a second before the program ends.
	cmd.Env = append(os.Environ(), role+"="+name, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	return cmd
}

var notes = core.MustModel("notes", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "text", Type: core.Text},
}})

var note = notes.Resource("note")

// noteWriter writes notes one by one to a file that may fail at any time, and knows the acknowledged ones.
type noteWriter struct {
	path         string
	store        *core.Store
	backend      *file.Backend
	acknowledged map[int64]string
}

func newNoteWriter(path string) *noteWriter {
	return &noteWriter{path: path, acknowledged: make(map[int64]string)}
}

func (c *noteWriter) open() (err error) {
	c.backend = file.New(c.path, file.Options{Logger: slog.New(slog.DiscardHandler)})
	c.store, err = core.New(context.Background(), notes, c.backend)
	return err
}

func (c *noteWriter) write(text string) error {
	rec, err := note.NewRecord(map[string]any{"text": text})
	if err != nil {
		return err
	}
	stored, err := c.store.Insert(context.Background(), note, rec)
	if err == nil {
		c.acknowledged[stored[0].Key().Int()] = text
	}
	return err
}

// checkFailure checks the promises about a failed transaction: its error, that its changes are invisible, that memory
// and file agree, and that writes fail and reads succeed.
func (c *noteWriter) checkFailure(err error) error {
	for range 3 {
		if !errors.Is(err, core.Unavailable) && !errors.Is(err, core.OutcomeUnknown) {
			return fmt.Errorf("not UNAVAILABLE: %w", err)
		}
		if err := errors.Join(c.checkMemory(), c.checkFile()); err != nil {
			return err
		}
		if err = c.write("rejected"); err == nil {
			return errors.New("a write after the failed one succeeded")
		}
	}
	return nil
}

// checkMemory checks that the store has exactly the acknowledged notes.
func (c *noteWriter) checkMemory() error {
	page, err := c.store.Select(context.Background(), note, core.Query{})
	if err != nil {
		return err
	}
	found := make(map[int64]string)
	for _, rec := range page.Records {
		found[rec.Key().Int()] = rec.Get("text").Text()
	}
	if !maps.Equal(found, c.acknowledged) {
		return fmt.Errorf("%d notes are acknowledged, but the store has %v", len(c.acknowledged), found)
	}
	return nil
}

// checkFile checks that the file has exactly the acknowledged notes.
func (c *noteWriter) checkFile() error {
	var out strings.Builder
	if err := file.Dump(c.path, &out); err != nil {
		return err
	}
	data, err := seed.Parse([]byte(out.String()))
	if err != nil {
		return err
	}
	r, err := file.Verify(c.path)
	if err != nil || r.Torn != 0 || len(data["note"]) != len(c.acknowledged) {
		return fmt.Errorf("%d notes are acknowledged, but the file has %d and %d torn bytes: %w",
			len(c.acknowledged), len(data["note"]), r.Torn, err)
	}
	for id, text := range c.acknowledged {
		if fields := data["note"][strconv.FormatInt(id, 10)]; fields["text"] != text {
			return fmt.Errorf("note %d is %v in the file", id, fields)
		}
	}
	return nil
}

// checkReopened checks that a new store on the file has exactly the acknowledged notes and accepts writes.
func (c *noteWriter) checkReopened() error {
	if err := c.open(); err != nil {
		return err
	}
	return errors.Join(c.checkMemory(), c.write("after all"), c.checkMemory(), c.checkFile(), c.store.Close())
}

var pairs = core.MustModel("pairs", core.ResourceSpec{Name: "half", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "writer", Type: core.Int},
	{Name: "turn", Type: core.Int},
	{Name: "other", ToOne: "half"},
}})

var pairHalf = pairs.Resource("half")

func insertPair(ctx context.Context, store *core.Store, writer, turn int) (ids [2]int64, err error) {
	err = store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		for i := range ids {
			fields := map[string]any{"writer": writer, "turn": turn}
			if i == 1 {
				fields["other"] = ids[0]
			}
			rec, err := pairHalf.NewRecord(fields)
			if err != nil {
				return err
			}
			stored, err := tx.Insert(ctx, pairHalf, rec)
			if err != nil {
				return err
			}
			ids[i] = stored[0].Key().Int()
		}
		return nil
	})
	return ids, err
}

// pairsBy maps the keys of pairs to their writer and turn.
type pairsBy map[[2]int64][2]int

// check opens the file and looks for the pairs. It may have other pairs, but no partial ones.
func (p pairsBy) check(path string) error {
	ctx := context.Background()
	store, err := core.New(ctx, pairs, file.New(path, file.Options{Logger: slog.New(slog.DiscardHandler)}))
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing was written
	page, err := store.Select(ctx, pairHalf, core.Query{})
	if err != nil {
		return err
	}
	found := make(pairsBy)
	for _, rec := range page.Records {
		if other := rec.Get("other"); other.IsSet() {
			found[[2]int64{other.Int(), rec.Key().Int()}] = [2]int{int(rec.Get("writer").Int()), int(rec.Get("turn").Int())}
		}
	}
	var errs []error
	if len(page.Records) != 2*len(found) {
		errs = append(errs, fmt.Errorf("%d records in %d pairs", len(page.Records), len(found)))
	}
	for ids, by := range p {
		if found[ids] != by {
			errs = append(errs, fmt.Errorf("acknowledged %v as %v, found %v", ids, by, found[ids]))
		}
	}
	return errors.Join(errs...)
}

const writers = 8

// writeForever inserts pairs of records with several writers, and prints each acknowledged pair.
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

func TestKilledProcessKeepsAcknowledgedTransactions(t *testing.T) {
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

// killAfter starts the program and kills it after the given number of acknowledgements.
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
