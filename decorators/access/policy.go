package access

// Policy is a list of rules. An operation that no rule permits is denied. The zero Policy permits operations of
// [core.System] only. A policy must not be changed once it is in use; then it is safe for concurrent use.
type Policy []Rule

// Rule permits roles to perform operations on rows of one resource. The package comment says how rules combine.
type Rule struct {
	// Name is shown in explanations and logs, beside the number of the rule. Default: none. Two rules must not have the
	// same name.
	Name string
	// Roles lists the roles that the rule is for; at least one. [Anonymous] and [Authenticated] are reserved names.
	Roles []string
	// Resource is the name of the resource in the model.
	Resource string
	// Operations are the permitted operations; at least one.
	Operations Operation
	// Fields lists the stored fields that the operations may name, see and set, by their names in the model. nil means
	// all fields; an empty list means the key only. A key of several fields and a relation with [core.FieldSpec.Via] stand
	// for the fields that hold them, too: a write names these. A rule with Delete or Restore, which concern whole rows, must not have Fields.
	Fields []string
	// Using is the condition on a row before the operation. The zero Condition matches every row. A rule with Insert only
	// must not have Using.
	Using Condition
	// Check is the condition on a row after an Insert or Update. The zero Condition means the same as Using. [All] permits
	// any change.
	Check Condition
}

// Reserved roles. They never match a role in [core.Principal] Roles: a principal gains nothing from a role of that name.
const (
	// Anonymous is the role of the nil principal, and its only role.
	Anonymous = "anonymous"
	// Authenticated is a role of every other principal.
	Authenticated = "authenticated"
)

func reserved(role string) bool { return role == Anonymous || role == Authenticated }
