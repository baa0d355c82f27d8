package memory

import "github.com/larder-go/larder/core/seed"

// Dump returns everything that is committed, for tests and for looking at it.
// [NewWith] takes it back. Null fields and the sides of relations that are not
// stored are left out; and it does not tell which keys were handed out beyond the
// largest one there is. The data is the caller's. Before the backend belongs to a
// store it is empty.
func (b *Backend) Dump() seed.Data {
	if b.store == nil {
		return make(seed.Data)
	}
	return b.store.Snapshot().Data()
}
