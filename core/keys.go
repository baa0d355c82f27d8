package core

import "slices"

// SortKeys sorts keys in place in ascending order, drops duplicates and returns
// what is left: the form in which backends get [Op.Keys].
func SortKeys(keys []Value) []Value {
	slices.SortFunc(keys, Compare)
	return slices.Compact(keys)
}
