package access

import "strings"

// Operation is a set of operations that a [Rule] permits. Combine them with |.
type Operation uint8

// The operations.
const (
	// Read permits loading, selecting and counting records.
	Read Operation = 1 << iota
	// Insert permits adding records, and allocating keys for them. Without ChooseKey, keys come from the backend where the
	// backend generates them.
	Insert
	// Update permits changing records.
	Update
	// Delete permits removing records.
	Delete
	// ChooseKey permits, together with Insert, adding records with keys that the caller chose although the backend could
	// have generated them: see [core.Op.ChoosesKey].
	ChooseKey
	// Restore permits making deleted records present again where a decorator keeps them, such as decorators/softdelete, and,
	// together with Read, listing them.
	Restore

	allOperations = Read | Insert | Update | Delete | ChooseKey | Restore
)

var operationNames = [...]string{"read", "insert", "update", "delete", "choose_key", "restore"}

// String returns the names of the operations in the JSON form, separated by commas.
func (o Operation) String() string {
	var names []string
	for i, name := range operationNames {
		if o.has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// has reports whether the sets have an operation in common.
func (o Operation) has(other Operation) bool { return o&other != 0 }

// operationOf returns the operation of that name, or 0.
func operationOf(name string) Operation {
	for i, known := range operationNames {
		if name == known {
			return 1 << i
		}
	}
	return 0
}
