// Package strictjson reads JSON without repairing it and writes one canonical text per value.
//
// encoding/json turns lone surrogates and invalid UTF-8 into U+FFFD and lets the last of two equal names win. A store must not do
// that: what a client sent and what a policy checked would differ from what is kept. [Parse] refuses such texts and says where.
// [AppendCanonical] spells equal values equally, so that texts can be compared, hashed and indexed as bytes.
//
// The functions keep no state and may be called concurrently. Nothing returned shares memory with the input.
package strictjson
