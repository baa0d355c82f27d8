package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// Storage is what the flags -store and -schema say about where records are kept.
type Storage struct {
	// Data is what a memory starts with, nil for nothing; other kinds of storage do
	// not look at it.
	Data seed.Data

	where    string // memory, file:PATH, or the connection string of a PostgreSQL
	schema   string // of PostgreSQL; the model's name if empty
	messages io.Writer
}

// StoreFlags declares -store and -schema.
func (p *Program) StoreFlags() *Storage {
	s := &Storage{messages: p.Messages}
	p.Flags.StringVar(&s.where, "store", "memory", "where the records are kept: `memory`, file:PATH or postgres://user:password@host:5432/database")
	p.Flags.StringVar(&s.schema, "schema", "", "PostgreSQL `schema` to keep them in; default: the model's name")
	return s
}

// Backend opens what the flags name. In PostgreSQL, tables that the model needs
// and that are missing are created when the store is made.
func (s *Storage) Backend(ctx context.Context, model *core.Model) (core.Backend, error) {
	backend, err := s.backend(ctx, model)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	return backend, nil
}

func (s *Storage) backend(ctx context.Context, model *core.Model) (core.Backend, error) {
	if s.Lasting() {
		return s.lasting(ctx, model)
	}
	return memory.NewWith(s.Data), nil
}

// Lasting reports whether the records outlive the program.
func (s *Storage) Lasting() bool { return s.where != "memory" }

func (s *Storage) lasting(ctx context.Context, model *core.Model) (core.Backend, error) {
	scheme, _, found := strings.Cut(s.where, "://")
	if found && (scheme == "postgres" || scheme == "postgresql") {
		schema := cmp.Or(s.schema, model.Name())
		return postgres.Open(ctx, s.where, schema, postgres.Options{Migrate: true})
	}
	if path, ok := strings.CutPrefix(s.where, "file:"); ok {
		if path == "" {
			return nil, fmt.Errorf("the path after file: is missing; use file:PATH, such as file:%s.db", model.Name())
		}
		return file.New(path, file.Options{Progress: s.progress(path)}), nil
	}
	// What was given is not repeated: it may hold a password.
	return nil, errors.New("unknown kind of storage; use memory, file:PATH or postgres://user:password@host:5432/database")
}

// large is the size of a file, in bytes, whose opening takes long enough to tell
// how far it is.
const large = 32 << 20

func (s *Storage) progress(path string) func(done, total int64) {
	return func(done, total int64) {
		if total >= large {
			_, _ = fmt.Fprintf(s.messages, "opening %s: %d of %d MB\n", path, done>>20, total>>20)
		}
	}
}
