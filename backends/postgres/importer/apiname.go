package importer

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/larder-go/larder/core"
)

// supplyAPINames sets the APIName of resources and fields whose names are no API names.
func supplyAPINames(resources []core.ResourceSpec) {
	for i, name := range apiNames(len(resources), "", func(i int) string { return resources[i].Name }) {
		resources[i].APIName = name
	}
	for _, r := range resources {
		for i, name := range apiNames(len(r.Fields), r.KeyName, func(i int) string { return r.Fields[i].Name }) {
			r.Fields[i].APIName = name
		}
	}
}

// apiNames returns a distinct API name for each of n names that is none itself, by its index. Characters that an API name
// cannot have become underscores. taken is a further name that is in use.
func apiNames(n int, taken string, name func(i int) string) map[int]string {
	used, supplied := map[string]bool{taken: true}, make(map[int]string)
	for i := range n {
		used[name(i)] = true
	}
	for i := range n {
		valid := asAPIName(name(i))
		if valid == name(i) {
			continue
		}
		free := valid
		for k := 2; used[free]; k++ {
			free = valid + "_" + strconv.Itoa(k)
		}
		used[free] = true
		supplied[i] = free
	}
	return supplied
}

// asAPIName replaces the characters that an API name cannot have, see [core.FieldSpec].
func asAPIName(name string) string {
	valid := []rune(strings.Map(func(c rune) rune {
		if c == '-' || unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return '_'
	}, name))
	for _, i := range []int{0, len(valid) - 1} {
		if valid[i] == '-' {
			valid[i] = '_'
		}
	}
	return string(valid)
}
