package access

// Policy is a list of rules. What none of them allows is denied, so the zero
// Policy lets only the program itself pass. A policy must not be changed once it
// is in use; then it is safe for concurrent use.
type Policy []Rule

// Rule allows roles to do something with rows of a resource. The package comment
// says how rules work together.
type Rule struct {
	// Name of the rule in explanations and logs; default: its number, from 1.
	Name string
	// Roles that the rule is for. [Anonymous] and [Authenticated] have a meaning
	// of their own.
	Roles []string
	// Resource by the program's name.
	Resource string
	// Operations that the rule allows.
	Operations Operation
	// Fields that they may name, see and set, by the program's names; all have to be
	// stored. nil means all, an empty list the key alone. A rule with Delete, which
	// is about whole rows, has none.
	Fields []string
	// Using is the condition on rows as they are; the zero Condition is fulfilled
	// by every row. A rule for Insert alone has none.
	Using Condition
	// Check is the condition on rows as an Insert or Update leaves them; the zero
	// Condition means the same as Using. [All] lets them become anything.
	Check Condition
}

// Roles that are not looked up in [core.Principal] Roles: to have one of these names
// there gives nothing.
const (
	// Anonymous is the one role of nobody, the nil principal, and of nobody else.
	Anonymous = "anonymous"
	// Authenticated is a role of every principal but nobody.
	Authenticated = "authenticated"
)

func reserved(role string) bool { return role == Anonymous || role == Authenticated }
