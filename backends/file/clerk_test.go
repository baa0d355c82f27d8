package file_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

var notes = core.MustModel("notes", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "text", Type: core.Text},
}})

var note = notes.Resource("note")

// clerk writes notes one by one to a file that may fail at any time, and knows which
// were acknowledged.
type clerk struct {
	path         string
	store        *core.Store
	backend      *file.Backend
	acknowledged map[int64]string
}

func newClerk(path string) *clerk { return &clerk{path: path, acknowledged: make(map[int64]string)} }

func (c *clerk) open() (err error) {
	c.backend = file.New(c.path, file.Options{Logger: slog.New(slog.DiscardHandler)})
	c.store, err = core.New(context.Background(), notes, c.backend)
	return err
}

func (c *clerk) write(text string) error {
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

// failed checks all that is promised after a transaction failed: how it fails, that
// nothing of it is visible, that memory and file agree, and that writes are refused
// and reads are not.
func (c *clerk) failed(err error) error {
	for range 3 {
		if !errors.Is(err, core.Unavailable) && !errors.Is(err, core.OutcomeUnknown) {
			return fmt.Errorf("not UNAVAILABLE: %w", err)
		}
		if err := errors.Join(c.inMemory(), c.inFile()); err != nil {
			return err
		}
		if err = c.write("refused"); err == nil {
			return errors.New("a write after the failed one succeeded")
		}
	}
	return nil
}

// inMemory checks that the store shows exactly what was acknowledged.
func (c *clerk) inMemory() error {
	page, err := c.store.Select(context.Background(), note, core.Query{})
	if err != nil {
		return err
	}
	found := make(map[int64]string)
	for _, rec := range page.Records {
		found[rec.Key().Int()] = rec.Get("text").Text()
	}
	if !maps.Equal(found, c.acknowledged) {
		return fmt.Errorf("%d notes are acknowledged, and found are others: %v", len(c.acknowledged), found)
	}
	return nil
}

// inFile checks that so does the file.
func (c *clerk) inFile() error {
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
		return fmt.Errorf("%d notes are acknowledged, and in the file are %d, and %d torn bytes: %w",
			len(c.acknowledged), len(data["note"]), r.Torn, err)
	}
	for id, text := range c.acknowledged {
		if fields := data["note"][strconv.FormatInt(id, 10)]; fields["text"] != text {
			return fmt.Errorf("note %d is %v in the file", id, fields)
		}
	}
	return nil
}

// reopened checks that a store that opens the file anew serves exactly what was
// acknowledged, and takes writes.
func (c *clerk) reopened() error {
	if err := c.open(); err != nil {
		return err
	}
	return errors.Join(c.inMemory(), c.write("after all"), c.inMemory(), c.inFile(), c.store.Close())
}
