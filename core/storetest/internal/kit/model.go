package kit

import "github.com/larder-go/larder/core"

// Model returns the model of the backend kit. It has a resource for each type of key, keys of several fields, a relation of
// each kind, a column of each type, API names that differ from the stored names, and names that are reserved words of SQL.
func Model() *core.Model {
	return core.MustModel("storetest",
		core.ResourceSpec{Name: "jar", APIName: "Jar", Fields: []core.FieldSpec{
			{Name: "id", APIName: "Id", Type: core.Int, Key: true},
			{Name: "label", APIName: "Label", Type: core.Text, Unique: true, Searchable: true},
			{Name: "size", Type: core.Int},
			{Name: "cookies", APIName: "Cookies", ToMany: "cookie", Inverse: "jar"},
		}},
		core.ResourceSpec{Name: "cookie", APIName: "Cookie", Fields: []core.FieldSpec{
			{Name: "id", APIName: "Id", Type: core.Int, Key: true},
			{Name: "kind", Type: core.Text, Indexed: true, Searchable: true},
			{Name: "weight", Type: core.Int},
			{Name: "note", Type: core.Text, Searchable: true},
			{Name: "jar", APIName: "InJar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "person", APIName: "Person", Fields: []core.FieldSpec{
			{Name: "id", APIName: "Id", Type: core.UUID, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "wife", APIName: "Wife", ToOne: "person"},
			{Name: "husband", ToOne: "person", Inverse: "wife"},
		}},
		core.ResourceSpec{Name: "page", APIName: "Page", Fields: []core.FieldSpec{
			{Name: "slug", APIName: "Slug", Type: core.Text, Key: true, Searchable: true},
			{Name: "title", Type: core.Text, Searchable: true},
			{Name: "parent", APIName: "Parent", ToOne: "page", OnDelete: core.Cascade},
		}},
		core.ResourceSpec{Name: "code", Fields: []core.FieldSpec{
			{Name: "number", Type: core.Int, Key: true, Assigned: true},
			{Name: "title", Type: core.Text},
		}},
		core.ResourceSpec{Name: "sample", APIName: "Sample", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "int", Type: core.Int},
			{Name: "float", Type: core.Float},
			{Name: "text", Type: core.Text},
			{Name: "bool", Type: core.Bool},
			{Name: "time", Type: core.Time},
			{Name: "uuid", Type: core.UUID},
			{Name: "bytes", Type: core.Bytes},
			{Name: "json", Type: core.JSON},
			{Name: "list", Type: core.List},
			{Name: "date", Type: core.Date},
			{Name: "localtime", Type: core.LocalTime},
			{Name: "decimal", Type: core.Decimal},
			{Name: "jars", ToMany: "jar"},
			{Name: "pages", ToMany: "page"},
		}},
		core.ResourceSpec{Name: "order", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "group", Type: core.Int, Indexed: true},
			{Name: "value", Type: core.Int},
		}},
		core.ResourceSpec{Name: "ticket", APIName: "Ticket", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "desk", APIName: "Desk", Type: core.Int},
			{Name: "number", Type: core.Int},
			{Name: "title", APIName: "Title", Type: core.Text},
			{Name: "due", Type: core.Int},
			{Name: "closed", Type: core.Bool},
		}, Unique: [][]string{{"desk", "number"}}, Indexes: []core.Index{
			{Fields: []string{"title"}, Where: core.Eq("closed", nil), Unique: true},
			{Fields: []string{"desk", "-due"}, Where: core.Eq("closed", nil)},
		}},
		core.ResourceSpec{Name: "line", APIName: "Line", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "order", APIName: "Order", ToOne: "order", Key: true},
			{Name: "number", APIName: "No", Type: core.Int, Key: true},
			{Name: "text", Type: core.Text},
			{Name: "parcels", ToMany: "parcel", Inverse: "line"},
			{Name: "spares", ToMany: "parcel", Inverse: "spare"},
		}},
		core.ResourceSpec{Name: "parcel", APIName: "Parcel", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "order", ToOne: "order"},
			{Name: "line_number", Type: core.Int},
			{Name: "line", APIName: "OfLine", ToOne: "line", Via: []string{"order", "line_number"}},
			{Name: "spare", ToOne: "line"},
		}},
		core.ResourceSpec{Name: "mark", Fields: []core.FieldSpec{
			{Name: "line", ToOne: "line", Key: true},
			{Name: "page", ToOne: "page", Key: true},
		}},
		core.ResourceSpec{Name: "entry", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "jar", ToOne: "jar", OnDelete: core.Keep},
			{Name: "line", ToOne: "line", OnDelete: core.Keep},
		}},
		core.ResourceSpec{Name: "slot", Fields: []core.FieldSpec{
			{Name: "text", Type: core.Text, Key: true}, {Name: "int", Type: core.Int, Key: true}, {Name: "uuid", Type: core.UUID, Key: true},
			{Name: "bool", Type: core.Bool, Key: true}, {Name: "time", Type: core.Time, Key: true}, {Name: "date", Type: core.Date, Key: true},
			{Name: "localtime", Type: core.LocalTime, Key: true}, {Name: "value", Type: core.Int},
		}},
	)
}
