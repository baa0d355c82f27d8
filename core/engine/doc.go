// Package engine gives the records of a [core.Store] the behaviour of a REST
// resource: relations that keep both sides true, nested records, depth,
// computed, hidden, read-only and fixed fields. It knows nothing of HTTP; the
// package core/rest is its face.
//
//	api := engine.New(store, engine.Options{})
//	jars, err := api.Create(ctx, "jar", engine.Write{Depth: 2}, map[string]any{
//		"cookies": []any{map[string]any{"type": "muffin"}},
//	})
//
// Each method is one transaction of the store. Every record that it shows,
// and every record that it relates another one to, is read through the chain of
// decorators, so that related records meet their own policy: a related record
// that the principal may not see is neither shown nor can it be set.
//
// Names are the external ones throughout, and so are the names in errors. Bodies
// hold what core.ParseJSON makes of a document, or plain Go values.
package engine
