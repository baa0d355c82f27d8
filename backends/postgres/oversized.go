package postgres

import "github.com/larder-go/larder/core"

// oversized returns the field with the largest value in the records of an operation
// among those of the index, or if the server does not name it, of all indexes: an entry
// of a B-tree must fit into a third of a page. It is nil if there is none.
func (t *table) oversized(op *core.Op, index string) (found *core.Field) {
	most := 0
	for name, fields := range t.indexed {
		if index != "" && name != index {
			continue
		}
		for _, f := range fields {
			for _, rec := range op.Records {
				if size := len(rec.At(f.Column()).Text()); size > most {
					found, most = f, size
				}
			}
		}
	}
	return found
}
