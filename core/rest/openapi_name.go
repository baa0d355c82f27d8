package rest

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// schemaNames are the names of the schemas of each resource in the document of one depth. A read-only resource has no
// schemas of bodies.
type schemaNames struct {
	api   *engine.Engine
	depth int // of the records in answers
	// read holds the schemas of records in answers, by depth, from 1 to that of the document.
	read                   map[*core.Resource][]string
	page, field            map[*core.Resource]string // a page of records; the names of fields
	create, replace, patch map[*core.Resource]string // bodies
	content                map[*core.Field]string    // content of fields
	operations             map[string]bool           // ids of operations, see operation
	used                   map[string]bool
}

// keyInBody reports whether the body of POST names the key.
func (n schemaNames) keyInBody(r *core.Resource) bool {
	return n.api.KeySource(r).Assigned && !r.ReadOnly()
}

// nameSchemas chooses the schema names of all resources.
func nameSchemas(api *engine.Engine, depth int) schemaNames {
	names := func() map[*core.Resource]string { return make(map[*core.Resource]string) }
	n := schemaNames{
		api, depth, make(map[*core.Resource][]string), names(), names(), names(), names(), names(), make(map[*core.Field]string),
		make(map[string]bool), make(map[string]bool),
	}
	reserveNames(n.used)
	for _, r := range api.Model().Resources() { // first, so that a resource has its own name
		n.read[r] = make([]string, depth+1)
		n.read[r][depth] = uniqueName(r.APIName(), n.used)
	}
	for _, r := range api.Model().Resources() {
		for level := 1; level < depth; level++ {
			n.read[r][level] = uniqueName(r.APIName()+"_depth"+strconv.Itoa(level), n.used)
		}
		n.page[r] = uniqueName(r.APIName()+"_page", n.used)
		n.field[r] = uniqueName(r.APIName()+"_field", n.used)
		if r.ReadOnly() {
			continue
		}
		n.create[r] = uniqueName(r.APIName()+"_create", n.used)
		n.replace[r] = uniqueName(r.APIName()+"_replace", n.used)
		n.patch[r] = uniqueName(r.APIName()+"_patch", n.used)
		for _, f := range r.Fields() {
			if f.Spec().Schema != nil && settable(f) {
				n.content[f] = uniqueName(r.APIName()+"_"+f.APIName(), n.used)
			}
		}
	}
	return n
}

// reserveNames adds the names of the components that every document has. Some generators of clients make types of all kinds
// of components, in one namespace.
func reserveNames(used map[string]bool) {
	for _, names := range []object{parameters(engine.Options{}, Options{}, 0), headers(), errorResponses(), errorSchemas()} {
		for name := range names {
			used[identifier(name)] = true
		}
	}
}

// uniqueName returns a valid name for a component (OpenAPI 3.1, section 4.8.7.1) that is not in used, and adds it to
// used. Names that differ in case or punctuation alone count as equal, because generators of clients make the same
// identifier of them.
func uniqueName(name string, used map[string]bool) string {
	name = strings.Map(func(c rune) rune {
		if isPlain(c) || strings.ContainsRune("._-", c) {
			return c
		}
		return '_'
	}, name)
	free := name
	for i := 2; used[identifier(free)]; i++ {
		free = name + "_" + strconv.Itoa(i)
	}
	used[identifier(free)] = true
	return free
}

// identifier returns the letters and digits of a name in lower case.
func identifier(name string) string {
	return strings.ToLower(strings.Map(func(c rune) rune {
		if isPlain(c) {
			return c
		}
		return -1
	}, name))
}

func isPlain(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
