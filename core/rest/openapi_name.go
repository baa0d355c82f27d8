package rest

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// schemaNames are the names that the schemas of a model's resources have in the
// document. The body of a new record has the schema create, which is write unless the
// body names the key.
type schemaNames struct{ read, write, create map[*core.Resource]string }

// assigned reports whether the body of a new record names the key.
func (n schemaNames) keyInBody(r *core.Resource) bool { return n.create[r] != n.write[r] }

func nameSchemas(api *engine.Engine) schemaNames {
	n := schemaNames{make(map[*core.Resource]string), make(map[*core.Resource]string), make(map[*core.Resource]string)}
	taken := map[string]bool{"Error": true}
	m := api.Model()
	for _, r := range m.Resources() {
		n.read[r] = uniqueName(r.APIName(), taken)
	}
	for _, r := range m.Resources() {
		n.write[r] = uniqueName(r.APIName()+"_write", taken)
		n.create[r] = n.write[r]
	}
	for _, r := range m.Resources() {
		if api.KeySource(r).Assigned {
			n.create[r] = uniqueName(r.APIName()+"_create", taken)
		}
	}
	return n
}

// freeName returns a name that the document may give a component (OpenAPI 3.1,
// section 4.8.7.1) and that is not taken, and takes it.
func uniqueName(name string, taken map[string]bool) string {
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) {
			return c
		}
		return '_'
	}, name)
	free := name
	for i := 2; taken[free]; i++ {
		free = name + "_" + strconv.Itoa(i)
	}
	taken[free] = true
	return free
}
