package ownership

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// stamped returns the records with the owner in those that name none.
func stamped(records []core.Record, f *core.Field, own core.Value) []core.Record {
	out := make([]core.Record, len(records))
	for i, rec := range records {
		if !rec.At(f.Column()).IsSet() {
			rec = rec.With(f.Column(), own)
		}
		out[i] = rec
	}
	return out
}

// checkNamed refuses records that name another owner, and changes that name none.
func checkNamed(op *core.Op, f *core.Field, own core.Value) error {
	for _, rec := range op.Records {
		v := rec.At(f.Column())
		if v == own || v.IsAbsent() || v.IsNull() && op.Kind == core.Insert {
			continue
		}
		return refuse(f, fmt.Errorf("%s names another owner than the principal in %s", op.Kind, f))
	}
	return nil
}
