// Package rest is the net/http face of an engine: JSON over HTTP for the
// resources of a model, and an OpenAPI document that describes them.
//
//	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
//	ln, err := net.Listen("tcp", "127.0.0.1:8080")
//	err = rest.Serve(ctx, ln, h)
//
// # Resources
//
//	GET    /cookie           200 a list; arguments filter, sort, limit, after, depth
//	POST   /cookie           201 one record for an object, all or none for a list
//	GET    /cookie/1         200 one record; argument depth
//	PATCH  /cookie/1         200 the record with the named fields changed
//	PUT    /cookie/1         200 replaced, 201 created
//	DELETE /cookie/1         200 null
//	GET    /openapi.json     200 the OpenAPI document
//
// HEAD is GET without the body, OPTIONS names the methods of a URL, every other
// method is 405. The argument depth belongs to writes too: it says how their
// answer shows the record. Arguments that are not known are ignored; a known
// one that is given twice is refused. A list
// is a page of [Options.PageSize] records, or of the argument limit. A page that ends
// earlier than the list, for its limit or for the engine's bounds of an answer, has a
// Link with rel="next". The Link repeats the arguments of the request, escaped, and
// adds a cursor of less than 2 KiB. With limit=0 the page is empty and has no Link,
// whether or not there are records: a client that followed it would not advance.
//
// The list side of a relation shows at most 1000 records ([engine.Options]), and fewer
// where an answer has no room for more. If there are others, the record has a member
// NAME@next after the list NAME: the URL of a list of them. Such a list side cannot be
// set as a list (400): change the records on the other side. A PUT keeps it, and the
// member NAME@next is ignored in bodies.
//
// Bodies are application/json, for PATCH also application/merge-patch+json (RFC 7396).
// Of both, PATCH changes the fields that the body names, and null empties one. In a JSON
// field a merge patch merges objects member by member, where null removes a member;
// application/json replaces the whole value. The stored value is read in the transaction
// that changes it, so of concurrent merge patches none is lost.
//
// # Errors
//
// Every error of this package has the body
//
//	{"error": {"code": "FIELD_DOES_NOT_EXIST", "details": {"object_name": "cookie", "field_name": "size"}}}
//
// with a code of [core.Code] and the details that belong to it. What net/http
// refuses before a handler is called (a malformed request line, too large
// headers) is the one exception. The causes of 5xx answers go to the log and
// never into an answer.
//
// # Repeating requests
//
// UNAVAILABLE is 503 with Retry-After: nothing was written, and the same request may be
// sent again. OUTCOME_UNKNOWN is 503 without it: a connection broke or the time ran out
// while the server was committing, and the write may have happened. A client that repeats
// a POST then may create a second record.
//
// A client that chooses the key can repeat safely:
//
//	PUT /cookie/9f0c2b4e-6f1d-4c55-8a2f-0f6f3a1c7d10
//	If-None-Match: *
//
// creates the record at most once, whatever was lost on the way: 201 the first time, and 412
// if an earlier attempt has created the record. PUT, DELETE, and PATCH with If-Match, leave
// the same record when repeated, unless their bodies create nested records. After OUTCOME_UNKNOWN of a POST, a client reads the list to
// find out, by a field whose value only this client would have given.
//
// # Nobody
//
// Where the store refuses nobody everything, as ownership does, and access without
// rules for anonymous ones, every request without a principal is answered with 401 and
// the same headers, whatever else is wrong with it, and the OpenAPI document is not
// shown: none of it tells what the model has. Failures of the server, 5xx, are shown
// as such. OPTIONS of what there is stays open, as a CORS preflight never has
// credentials (Fetch standard, "CORS-preflight fetch"), so whether a resource of some
// name exists can be asked. To find out, the handler begins an empty transaction that
// only reads: before it reads the body of an anonymous request, after an anonymous
// request failed, and for the document. A store that fails at this has the body of an
// anonymous request unread as well. Requests of a principal, and reads that succeed,
// need no such transaction.
//
// # Preconditions
//
// Answers that show one record have a strong ETag: a hash of their bytes. It
// belongs to the URL with its depth: a tag read with depth=2 says nothing at
// depth=1. If-Match and If-None-Match work as RFC 9110, section 13, says, and on
// PATCH, PUT and DELETE they are compared inside the transaction, with the
// record as the depth of the request shows it. So a client that sends the
// tag of what it read cannot overwrite what it did not see, and one that reads
// with a greater depth guards the related records as well. If-Match for a
// record that is not there is 412. Lists have no tag and no preconditions.
package rest
