package postgres

// ImportNote tells of one thing of a schema that the imported resources lack, or
// hold in another form.
type ImportNote struct {
	Kind ImportKind
	// Table is the table, view or foreign table.
	Table string
	// Object is the column, constraint or index of the table; "" if the note is
	// about the table as a whole.
	Object string
	// What says what is there, and what became of it.
	What string
	// Advice says what a person can do about it; "" if nothing need be done.
	Advice string
}

// ImportKind says what an [ImportNote] means for the model.
type ImportKind string

// The kinds of notes, the gravest first.
const (
	// ImportLeftOut: the model lacks it.
	ImportLeftOut ImportKind = "left out"
	// ImportRefused: the model has it, but the backend does not take the column as
	// it is: no store can be made before the advice is followed.
	ImportRefused ImportKind = "refused"
	// ImportChanged: the model has it, in another form.
	ImportChanged ImportKind = "changed"
	// ImportServer: the server does it, and the model does not know.
	ImportServer ImportKind = "server"
)

// String returns the note in one line, with names as SQL spells them.
func (n ImportNote) String() string {
	text := quotedImportName(n.Table)
	if n.Object != "" {
		text += "." + quotedImportName(n.Object)
	}
	text = string(n.Kind) + ": " + text + ": " + n.What
	if n.Advice != "" {
		text += "; " + n.Advice
	}
	return text
}
