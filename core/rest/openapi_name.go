package rest

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// schemaNames are the names of the schemas of each resource in the document. The body of POST has the schema create,
// which equals write unless the body names the key or must name other fields. A read-only resource has neither write nor
// create. The names of to-many relations are parts of operation ids.
type schemaNames struct {
	read, write, create map[*core.Resource]string
	related             map[*core.Field]string
	assigned            map[*core.Resource]bool
	must                map[*core.Resource][]string // fields that the body of a new record must name
	contents            map[*core.Field]string      // schemas of the content of fields
	used                map[string]bool
}

// keyInBody reports whether the body of POST names the key.
func (n schemaNames) keyInBody(r *core.Resource) bool { return n.assigned[r] }

// nameSchemas chooses the schema names of all resources.
func nameSchemas(api *engine.Engine) schemaNames {
	n := schemaNames{
		make(map[*core.Resource]string), make(map[*core.Resource]string), make(map[*core.Resource]string), make(map[*core.Field]string),
		make(map[*core.Resource]bool), make(map[*core.Resource][]string), make(map[*core.Field]string), map[string]bool{"Error": true},
	}
	used, usedByRelations := n.used, map[string]bool{}
	m := api.Model()
	for _, r := range m.Resources() {
		n.read[r] = uniqueName(r.APIName(), used)
	}
	for _, r := range m.Resources() {
		if !r.ReadOnly() {
			n.write[r] = uniqueName(r.APIName()+"_write", used)
			n.create[r] = n.write[r]
		}
		for _, f := range r.Fields() {
			if engine.ToMany(f) {
				n.related[f] = uniqueName(n.read[r]+"_"+f.APIName(), usedByRelations)
			}
		}
	}
	for _, r := range m.Resources() {
		n.assigned[r] = api.KeySource(r).Assigned && !r.ReadOnly()
		n.must[r] = mustName(api, r)
		if n.assigned[r] || !r.ReadOnly() && n.must[r] != nil {
			n.create[r] = uniqueName(r.APIName()+"_create", used)
		}
	}
	for _, r := range m.Resources() {
		for _, f := range r.Fields() {
			if f.Spec().Schema != nil && settable(f) && !r.ReadOnly() {
				n.contents[f] = uniqueName(r.APIName()+"_"+f.APIName(), used)
			}
		}
	}
	return n
}

// uniqueName returns a valid name for a component (OpenAPI 3.1, section 4.8.7.1) that is not in used, and adds it to
// used.
func uniqueName(name string, used map[string]bool) string {
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) {
			return c
		}
		return '_'
	}, name)
	free := name
	for i := 2; used[free]; i++ {
		free = name + "_" + strconv.Itoa(i)
	}
	used[free] = true
	return free
}
