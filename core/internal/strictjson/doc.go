// Package strictjson parses JSON without repairing it, and writes one canonical text for each value.
//
// [Parse] reads a text and [AppendCanonical] writes a value:
//
//	v, err := strictjson.Parse(text, 0)
//	text, err = strictjson.AppendCanonical(nil, v)
//
// encoding/json replaces lone surrogates and invalid UTF-8 by U+FFFD, and keeps the last of two equal names. In a
// store, the value that a policy checks would then differ from the value that a client sent. Parse rejects such texts
// with a [*SyntaxError] that has the reason and the position. AppendCanonical writes equal values as equal bytes, so
// that texts can be compared, hashed and indexed. [AppendStored] does the same for JSON that a storage holds already.
//
// Parse takes linear time. [Weigh] bounds the memory of a parse without parsing, so that a caller can reject a text of
// many small values.
//
// The functions keep no state and are safe for concurrent use. Their results do not share memory with their arguments,
// except for the dst of the append functions.
package strictjson
