package engine

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
)

// Records are read in chunks, so that records beyond the bound of an answer are not in memory all at once. The
// size of records is unknown before the first chunk. A backend may end a chunk early, see [core.Query.Bytes].
const (
	firstChunk   = 100
	largestChunk = 1000
)

// nextChunk returns the number of records to read next, by the average size of the records so far.
func nextChunk(records, took, left int) int {
	average := took/max(records, 1) + 1
	return min(max(left/average, 1), largestChunk)
}

// errEndedEarly reports that an operation ended its transaction while records were left to read. readFinal repeats
// the request; the error never leaves the engine.
var errEndedEarly = errors.New("the transaction ended before all records were read")

// chunkReader reads the records of a query up to a number of bytes.
type chunkReader struct {
	info    *resourceInfo
	querier core.Querier
	final   bool // querier ends the transaction
	idOnly  bool // only ids are read
	bytes   int  // bound for the records in the answer
}

// read returns at most query.Limit records. It returns fewer, but at least one, if they have too many bytes. Of the
// cursors of the page, only that of its first record is valid.
func (c *chunkReader) read(ctx context.Context, query core.Query) (all core.Page, err error) {
	if c.idOnly || query.Limit <= 0 {
		return c.querier.Select(ctx, c.info.resource, query)
	}
	limit, left := query.Limit, c.bytes
	for chunk := firstChunk; ; chunk = nextChunk(len(all.Records), c.bytes-left, left) {
		query.Bytes = max(left, 1)
		query.Limit = min(chunk, limit-len(all.Records))
		page, err := c.querier.Select(ctx, c.info.resource, query)
		if err != nil {
			return core.Page{}, err
		}
		if all.Records == nil {
			all = page
			all.Records = nil
		}
		for i, rec := range page.Records {
			if left -= c.info.size(rec); left < 0 && len(all.Records) > 0 {
				if i > 0 { // otherwise all.Next continues after the page before
					all.Next, err = page.CursorAfter(i - 1)
				}
				return all, err
			}
			all.Records = append(all.Records, rec)
		}
		all.Next = page.Next
		switch {
		case page.Next == "" || len(all.Records) == limit:
			return all, nil
		case c.final:
			return core.Page{}, errEndedEarly
		}
		query.After = page.Next
	}
}
