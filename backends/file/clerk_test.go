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

// noteWriter writes notes one by one to a file that may fail at any time, and knows which
// were acknowledged.
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

// checkFailure checks all that is promised after a transaction failed: how it fails, that
// nothing of it is visible, that memory and file agree, and that writes are refused
// and reads are not.
func (c *noteWriter) checkFailure(err error) error {
	for range 3 {
		if !errors.Is(err, core.Unavailable) && !errors.Is(err, core.OutcomeUnknown) {
			return fmt.Errorf("not UNAVAILABLE: %w", err)
		}
		if err := errors.Join(c.checkMemory(), c.checkFile()); err != nil {
			return err
		}
		if err = c.write("refused"); err == nil {
			return errors.New("a write after the failed one succeeded")
		}
	}
	return nil
}

// checkMemory checks that the store shows exactly what was acknowledged.
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
		return fmt.Errorf("%d notes are acknowledged, and found are others: %v", len(c.acknowledged), found)
	}
	return nil
}

// checkFile checks that so does the file.
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

// checkReopened checks that a store that opens the file anew serves exactly what was
// acknowledged, and takes writes.
func (c *noteWriter) checkReopened() error {
	if err := c.open(); err != nil {
		return err
	}
	return errors.Join(c.checkMemory(), c.write("after all"), c.checkMemory(), c.checkFile(), c.store.Close())
}
