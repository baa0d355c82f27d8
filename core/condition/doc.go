// Package condition parses the language of conditions in JSON, which the filters of lists and the policies of
// decorators/access share.
//
// # Language
//
// A condition is an object. All of its members must hold:
//
//	{"type": "muffin", "price": {"lt": 3}}
//
// A member is a field with a value, which the field equals, or with an object of operators:
//
//   - eq, ne: equal, not equal. null matches null. To compare a JSON field with an object, write {"eq": {...}}.
//   - lt, le, gt, ge: less, less or equal, greater, greater or equal. between: [low, high] is short for ge low and le high.
//     Neither null in the field nor null as the value has an order.
//   - in: equal to one of a list of values.
//   - prefix, contains, icontains: the text begins with the value, or contains it. No character is a wildcard. icontains
//     takes the letters A to Z for a to z, and is exact about all others.
//
// $and and $or combine a list of conditions, $not inverts one:
//
//	{"$or": [{"type": "muffin"}, {"$not": {"price": {"ge": 2}}}]}
//
// A path leads over to-one relations to a field of a related record. It needs such a record, also for ne and null: a cookie
// without a jar matches {"jar": null}, and does not match {"jar.color": null}:
//
//	{"jar.color": "red"}
//
// $any, $all and $none are conditions on the records of a relation: at least one matches, all match, none matches. The
// members of one $any hold for the same related record:
//
//	{"memberships": {"$any": {"user": 7, "role": "admin"}}}
//
// Two conditions with $any may be about two different records: "7 is a member, and there is an admin". A path through a
// to-many would mean that too, so it is an error. $any of an empty object means that there is a related record,
// and $all of a relation without records holds. With a path, as in {"project.memberships": {"$none": {...}}}, the project must
// exist. {"jar.color": "red"} and {"jar": {"$any": {"color": "red"}}} are the same.
//
// # Filters and policies
//
// In the filter of a list, names are API names, and a related record that the principal cannot read does not exist. A filter
// has at most 16 conditions on related records, at most five within one another; each relation of a path counts.
//
// In a policy, names are the names of the model, a value may be {"$principal": "id"} or {"$claim": "NAME"}, and conditions see
// all related records: a rule "member of the project" needs no right to read memberships.
package condition
