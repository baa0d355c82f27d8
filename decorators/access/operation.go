package access

import "strings"

// Operation is a set of the operations that a [Rule] is about. Combine them with |.
type Operation uint8

// The operations.
const (
	// Read is to load, select and count.
	Read Operation = 1 << iota
	// Insert is to add records and to be handed out keys for them. A rule with Insert
	// alone leaves the keys to the backend, where it generates them.
	Insert
	// Update is to change records.
	Update
	// Delete is to remove records.
	Delete
	// ChooseKey, together with Insert, is to add records with keys that the caller
	// chose instead of the backend: see [core.Op.ChoosesKey].
	ChooseKey

	every = Read | Insert | Update | Delete | ChooseKey
)

var operationNames = [...]string{"read", "insert", "update", "delete", "choose_key"}

// String returns the names of the operations, as the JSON form spells them.
func (o Operation) String() string {
	var names []string
	for i, name := range operationNames {
		if o.has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func (o Operation) has(one Operation) bool { return o&one != 0 }

// operationOf returns the operation of that name; 0 for none.
func operationOf(name string) Operation {
	for i, known := range operationNames {
		if name == known {
			return 1 << i
		}
	}
	return 0
}
