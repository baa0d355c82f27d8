package importer

// Note describes one object of the schema that the resources lack or hold in another form.
type Note struct {
	// Kind is the consequence for the model.
	Kind Kind
	// Schema is the schema of the table, view or foreign table; "" if it is that of the result.
	Schema string
	// Table is the name of the table, view or foreign table.
	Table string
	// Object is the name of the column, constraint or index. It is empty if the note concerns the whole table.
	Object string
	// Finding describes the object and its counterpart in the model.
	Finding string
	// Advice is a change that a person can make. It is empty if no change is necessary.
	Advice string
}

// Kind is the consequence of a [Note] for the model.
type Kind string

// The kinds of notes, the most serious first.
const (
	// LeftOut marks an object that the model lacks.
	LeftOut Kind = "left out"
	// Refused marks a column in the model that the backend cannot use. A store can be made only after the advice has
	// been followed.
	Refused Kind = "refused"
	// Changed marks an object that the model holds in another form.
	Changed Kind = "changed"
	// Server marks behaviour of the server that the model does not express.
	Server Kind = "server"
)

// String returns the note in one line, with names spelled as in SQL.
func (n Note) String() string {
	text := quoteName(n.Table)
	if n.Schema != "" {
		text = quoteName(n.Schema) + "." + text
	}
	if n.Object != "" {
		text += "." + quoteName(n.Object)
	}
	text = string(n.Kind) + ": " + text + ": " + n.Finding
	if n.Advice != "" {
		text += "; " + n.Advice
	}
	return text
}
