package file_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

var pairs = core.MustModel("pairs", core.ResourceSpec{Name: "half", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "writer", Type: core.Int},
	{Name: "turn", Type: core.Int},
	{Name: "other", ToOne: "half"},
}})

var half = pairs.Resource("half")

func insertPair(ctx context.Context, store *core.Store, writer, turn int) (ids [2]int64, err error) {
	err = store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
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

// pairsBy is writer and turn by the keys of pairs.
type pairsBy map[[2]int64][2]int

// check opens the file and looks for these pairs. There may be others, but none by
// halves.
func (p pairsBy) check(path string) error {
	ctx := context.Background()
	store, err := core.New(ctx, pairs, file.New(path, file.Options{Logger: slog.New(slog.DiscardHandler)}))
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing was written
	page, err := store.Select(ctx, half, core.Query{})
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
