package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// openStore composes the store that the flags describe.
func openStore(ctx context.Context, model *core.Model, where, dataFile string) (*core.Store, error) {
	data, err := readData(dataFile)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(where, ":")
	switch {
	case where == "memory":
	case scheme == "file", scheme == "postgres", scheme == "postgresql":
		return nil, fmt.Errorf("-store %s: this version has no %s backend yet; use -store memory", scheme, scheme)
	default:
		return nil, fmt.Errorf("-store: unknown kind of storage %q; use memory", scheme)
	}
	store, err := core.New(ctx, model, memory.NewWith(data))
	if err != nil && dataFile != "" {
		return nil, fmt.Errorf("-data %s: %w", dataFile, err)
	}
	return store, err
}

func readData(file string) (core.Data, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the person who starts the program says which file
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	data, err := core.ParseData(text)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", file, err)
	}
	return data, nil
}
