// Package core is the storage core of Larder: a model of related resources, a
// [Store] through which every access to their records goes, and the two
// contracts that people implement around it.
//
//	model, err := core.NewModel("cookies",
//		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
//			{Name: "id", Type: core.Int, Key: true},
//			{Name: "type", Type: core.Text},
//			{Name: "jar", ToOne: "jar"},
//		}},
//		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
//			{Name: "id", Type: core.Int, Key: true},
//			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
//		}},
//	)
//	store, err := core.New(ctx, model, memory.New(), decorators...)
//
// # Operations are data
//
// Every access is one [Op]: its kind, its resource, keys or a filter, the
// records to write. The op passes one chain of [Handler] functions, built once
// by [New]: the decorators, outermost first as in net/http middleware, and
// innermost the handler that runs the op on the backend's open transaction.
// Operations inside a transaction pass the same chain, and the transaction
// itself passes it as an op of kind [Tx]. So a decorator is written once and
// no access can go round it; there is no Unwrap.
//
// # Guards, not checks
//
// A policy does not look first and act afterwards. It adds a condition to the
// op with [Op.Guard], and the backend applies it in the same statement, to the
// row as it was and to the row as it will be. A row that a guard hides is
// absent: same error, same text, same shape. Decorators never filter a page
// after it was read.
//
// # Values and records
//
// A [Value] is one field's content, typed by the model and comparable with ==.
// A [Record] holds the stored fields of one resource by position. Both are
// immutable, so records cross every border of the API without a copy, and
// nobody can change what somebody else was handed.
//
// # Errors
//
// Every error that a [Store] returns is an [*Error] with one of a closed set of
// codes, which are themselves errors: errors.Is(err, core.NotFound). The cause
// is for the log ([Error.Error] shows it), the details are for the client
// ([Error.Public] and [Error.Details] never contain it). The errors of a
// cancelled or expired context stay recognisable by errors.Is.
//
// # For implementers
//
// [Backend] and [BackendTx] say what a storage has to do and what it may rely
// on; [Decorator] says it for decorators. The package core/storetest holds the
// conformance kits for both.
package core
