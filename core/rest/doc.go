// Package rest serves an engine over HTTP: JSON resources, and an OpenAPI document that describes them.
//
//	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
//	ln, err := net.Listen("tcp", "127.0.0.1:8080")
//	err = rest.Serve(ctx, ln, h)
//
// A [Handler] is an [http.Handler], so it also runs in a program's own server, behind middleware, or below a path
// ([Options.Prefix]). [Options.Authenticate] finds the principal of a request. Package explorer adds pages for browsers, and
// [WithHealth] adds checks for a supervisor.
//
// # Resources
//
//	GET    /cookie           200 a page of records; arguments of a list, and names of fields
//	POST   /cookie           201 a record for an object, records for a list: all of them or none
//	PATCH  /cookie           200 {"count": 2}: the same change of many records; arguments filter, max, dry
//	DELETE /cookie           200 {"count": 2}: many records are deleted; arguments filter, max, dry
//	GET    /cookie/1         200 one record; arguments depth and fields
//	PATCH  /cookie/1         200 the record, with the fields changed that the body names
//	PUT    /cookie/1         200 the replaced record, 201 the created one
//	DELETE /cookie/1         200 null
//	GET    /jar/1/cookies    200 a page of the records of a to-many relation; arguments of a list
//	GET    /cookie/$aggregate 200 figures about groups of records, with [Options.Aggregates]; arguments below
//	POST   /cookie/1/$restore 200 the record, which was deleted and is restored; body {}
//	POST   /cookie/1/NAME    200 an operation of the program's own about one record, see [Action]
//	POST   /cookie/$NAME     200 an operation of the program's own about the whole resource
//	POST   /$batch           200 the answers to several requests in one transaction
//	GET    /openapi.json     200 the OpenAPI 3.1 document; argument depth
//	GET    /openapi-3.0.json 200 the same as OpenAPI 3.0.3, for programs that do not read 3.1
//
// HEAD is GET without the body. OPTIONS answers 204 with the methods of the URL in Allow; any other method is 405. The
// arguments depth and fields also belong to POST, PATCH and PUT, where they say how the answer shows the record, and to
// DELETE, where they are for preconditions. An unknown argument is 400 and named in the error; an argument that is given
// twice is 400 too, unless its value is a list of names: sort=type&sort=-id is sort=type,-id. OPTIONS ignores arguments: a CORS preflight repeats those of the request that follows.
//
// # Lists
//
// The arguments of a list are:
//
//	filter   conditions in JSON, see package core/condition
//	sort     names of fields, or paths such as jar.label, with commas between them; with - in front for descending.
//	         A JSON list of names is accepted too
//	limit    greatest number of records of the page
//	after    cursor: the page after another one
//	before   cursor: the page before another one
//	offset   number of records to leave out at the beginning, at most 10,000; not with a cursor
//	count    true: the header X-Total-Count has the number of records of the whole list
//	search   words: each is a part of the text of a field that the model declares Searchable, see [engine.Query.Search]
//	depth    depth of the shown records
//	fields   names of the only fields to show, with commas between them
//
// A list answers with a page of [Options.PageSize] records, or with as many as the argument limit asks for. Where more
// records follow, because of the limit or of the engine's bounds of an answer, the answer has a Link header with
// rel="next"; where the page continues a list, with rel="prev" and rel="first". A Link repeats the arguments of the
// request and adds a cursor of less than 2 KiB. A page with limit=0 is always empty and has no Link.
//
// X-Total-Count counts what the principal can list: under the same policies as the page, and in the same transaction. It
// costs a read of all those records, so ask for it on the first page only.
//
// fields=id,type,jar.label shows the id and the type of a cookie, and the jar as a record with its label. A path over
// relations decides the depth of the answer: beside a path, relations without one are ids, and a depth of 2 and more is
// 400. A name that does not exist, is hidden, or is unreadable for the principal in all records is FIELD_DOES_NOT_EXIST.
// A field that the model declares [core.FieldSpec.OnDemand] is shown only if it is named.
//
// GET /jar/1/cookies lists the records of the to-many relation cookies of jar 1, and works like GET /cookie in every other
// respect. The policies of cookies apply. It is 404 if the jar does not exist or is hidden. A name that is not a to-many
// relation, or one that is hidden or unreadable for the principal, is 404 like a path that does not exist.
//
// GET /cookie/$aggregate?group=type&count&sum=price answers with a list of objects, one for each group, ascending by the
// fields of the group: {"group": {"type": "muffin"}, "count": 2, "sum": {"price": "7"}}; sums are decimals. The
// arguments are group, count, sum, min, max and avg, with names of fields and commas between them (group also takes
// paths over to-one relations), filter, search, and names of fields. It is about the records of which the principal may
// read every named field. More than 1,000 groups are 400.
//
// On lists, any other argument is the name of a field and a value that the field must equal, in addition to the filter:
//
//	GET /cookie?type=muffin&jar=1&jar=2
//
// lists the muffins of two jars. Several values of a field mean one of them. A value is written as in JSON, a string
// without quotes. A value for a JSON field is JSON, with quotes. null is not expressible; use filter. Fields with the
// name of an argument need the filter too. A field that does not exist, is hidden, or is
// unreadable for the principal is FIELD_DOES_NOT_EXIST.
//
// A to-many relation with an inverse, or through a join resource, shows at most 1000 records ([engine.Options.MaxMembers]), and fewer where the
// answer has no room for more. If there are others, the record has a member NAME@next after the list NAME: the URL of the
// next page, such as /jar/1/cookies?after=... Such a relation cannot be set as a list (400); change the records on the
// other side instead. PUT keeps it, and the member NAME@next is ignored in bodies. A body may repeat the shown list beside
// NAME@next.
//
// # Deleted records
//
// Where the store keeps the deleted records of a resource, as with decorators/softdelete, GET /cookie?deleted=true lists those that
// the principal may read and restore, with all other arguments of a list, and GET /cookie/1?deleted=true shows one. The
// records that are related to them are never deleted ones. POST /cookie/1/$restore makes the record present again, with the records
// that were deleted together with it, and answers like a PATCH. Its body is {}, and its preconditions are about the deleted record.
// Without the right to restore, all three are FORBIDDEN. A record that is not deleted, or that the principal may not restore, is
// OBJECT_DOES_NOT_EXIST; a unique value that another record has now is CONFLICT. For other resources the URL is NO_SUCH_URL, and
// deleted is the name of a field.
//
// # Bodies
//
// Bodies are application/json; PATCH also accepts application/merge-patch+json (RFC 7396). With either type, PATCH
// changes the fields that the body names, and null empties a field. The types differ for JSON fields: a merge patch
// merges objects member by member, where null removes a member, and application/json replaces the whole value. The
// merge happens in the transaction of the write, so concurrent merge patches do not lose each other's changes.
//
// The body of PATCH and PUT may be a record as an answer at depth 1 shows it. The key, read-only fields and computed
// fields are accepted with the value that a read shows to this principal; any other value is FIELD_IS_READONLY.
//
// POST, PATCH and PUT with the header "Prefer: return=minimal" (RFC 7240) answer without the record and its ETag, which
// saves the reads: 201 with the Location of a created record, otherwise 204.
//
// # Changes of many records
//
//	PATCH  /cookie?filter={"type": "muffin"}&max=100   {"price": 3}
//	DELETE /cookie?filter={"price": null}&max=100&dry=true
//
// act on the records that GET lists for the same filter and names of fields: all of them or none, in one transaction.
// filter and max are obligatory; filter={} means all records. If more than max records match, the request is 400 and
// nothing changes. dry=true only counts. A record that the principal can list and may not change is 403, and nothing
// changes. No preconditions apply. The violations of a VALIDATION_FAILED have the member record_ids: the ids of the records
// whose change breaks the rule, at most 100.
//
// # Batches
//
// The body of POST /$batch is a list of requests, at most 1000:
//
//	[{"method": "POST", "path": "/jar?depth=0", "body": {}},
//	 {"method": "PATCH", "path": "/cookie/1", "headers": {"If-Match": "\"...\""}, "body": {"type": "pie"}}]
//
// They happen one after another in one transaction, under the policies of the caller, and each sees the writes of those
// before it. The answer is the list of their answers, with status, headers and body. If one of them fails, nothing changes,
// and its error is the answer, with its position as the detail "request". A path has its arguments, and the prefix of the
// handler. The headers can be Content-Type, If-Match, If-None-Match and Prefer. The requests share the limit of records to
// write ([engine.Options.MaxWritten]) and of bytes in the answer. A batch that only reads sees one snapshot.
//
// # Actions
//
// An [Action] in [Options.Actions] is an operation of the program's own:
//
//	POST /cookie/1/transfer   {"jar": 2}
//	POST /cookie/$bake        {"kind": "muffin", "number": 12}
//
// The body is a JSON object, {} for an action without input. Its members have the types and rules of [Action.Input]; all
// violations come in one VALIDATION_FAILED, with the name of the action as object_name. A relation in the input names a record
// that the principal can read; any other is OBJECT_DOES_NOT_EXIST.
//
// The call is one transaction. An action of a record whose record does not exist or is hidden is 404, and the function of the
// program does not run. The function reads and writes with the engine of the transaction ([Call.Tx]), under the policies of the
// principal and the limits of a request: [engine.Options.MaxWritten] for all its writes together, [Options.Timeout], and the
// bounds of an answer. For steps that the principal itself may not do, the program uses the context of [core.System], and is
// then responsible for what the answer and its errors reveal. If the function fails, nothing is stored.
//
// The answer is the record as after a PATCH, with its ETag and the arguments depth and fields, or the declared output. Prefer:
// return=minimal, the preconditions below, Idempotency-Key and batches work for actions, too. An action has no GET, and the
// content type application/json is obligatory, so that no other site can call it from a browser without a CORS preflight.
//
// A handler beside this one answers its errors in the same form with [Handler.WriteError].
//
// # Preconditions
//
// An answer that shows one record has a strong ETag, a hash of its bytes. The tag belongs to the URL with its depth and
// fields: a tag that was read at depth=2 does not match at depth=1. If-Match and If-None-Match work as in RFC 9110, section 13.
// On PATCH, PUT, DELETE and actions of a record they are compared inside the transaction, with the record shown at the depth of
// the request.
// So a client that sends the tag of the record that it read cannot overwrite a change that it did not see, and a client
// that reads at a greater depth also guards the related records. [Options.RequireIfMatch] makes such a tag obligatory:
// a write of a record without one is PRECONDITION_REQUIRED. If-Match on a record that does not exist is 412. Lists have
// no tag and ignore preconditions.
//
// # Caches, compression and browsers
//
// No answer is public: data is "private, no-cache", so that a browser asks again, with If-None-Match, before it shows a
// stored answer, and an error is "no-store". Every answer varies on Authorization, Accept and Accept-Encoding.
//
// With [Options.Gzip], answers of 1 KiB and more are compressed for clients that accept gzip. The tag of a compressed
// record ends with -gzip: a GET answers with the tag of its own encoding, and If-Match and If-None-Match accept the tags
// of both. A proxy that compresses may add the same suffix. Bodies of requests with a Content-Encoding are 415.
//
// A browser application of another origin needs CORS, which is a matter of the program: [RequestHeaders],
// [AnswerHeaders] and [Methods] are the lists for its middleware. The recipe cookbook/quickstart shows it.
//
// # Repeated writes
//
// A client that does not know whether a write has happened, after OUTCOME_UNKNOWN or a broken connection, can repeat it
// safely if every attempt has one key:
//
//	POST /cookie
//	Idempotency-Key: 5a3c0c1e-8d5b-4a0b-9f0e-2f1b7c6d4e90
//
// The model must declare [core.AnswersName], and the request must have a principal with an ID; otherwise a write with the
// header is 400 and is not performed. A key has 1 to 255 printable ASCII characters. It belongs to the principal: the same key
// of another principal is unrelated. Reads ignore the header, and a batch with it is 400.
//
// A write that succeeds is remembered in its own transaction, for [Options.RememberFor]: the status and the ids of created
// records, or the number of records that a change of many has changed. A write that fails is not remembered, and can be
// repeated with its key after the cause is removed. A repetition is answered by the remembered outcome, with the header
// "Idempotent-Replayed: true", and changes nothing. Its records are read again, as they are now and under the policies of
// now: the answer to a write of a record that has been deleted since, or that the principal may not read, is the 404 of a GET,
// with the same header. A repeated DELETE stays 200. The output of an action cannot be read again: it is remembered, and a
// repetition answers with it as it was.
//
// A repetition has the same method, URL, If-Match, If-None-Match, Content-Type and body, byte for byte. Prefer may differ. The
// key with another request is IDEMPOTENCY_KEY_REUSED (422). Concurrent requests with one key run one after another. The
// handler deletes expired answers after every hundredth write with a key, at most 200 of them;
// [engine.Engine.Forget] deletes them at other times.
//
// # Errors
//
// Every error of this package has the body
//
//	{"error": {
//		"code": "FIELD_DOES_NOT_EXIST",
//		"message": "There is no field \"size\" in cookie, or you may not use it.",
//		"details": {"object_name": "cookie", "field_name": "size"}
//	}}
//
// with a [core.Code], a sentence for people, and the details of the code. The sentence may change between versions of
// Larder; programs should read the code and the details. A request whose Accept names application/problem+json gets the
// same as a problem of RFC 9457: the sentence is the member detail, and code and details are extension members. A path
// that leads nowhere is NO_SUCH_URL, a record that does not exist is OBJECT_DOES_NOT_EXIST. Requests that net/http rejects before it calls the handler, such as a
// malformed request line or too large headers, are the exception. The causes of 5xx answers and of failed authentication
// go to [Options.Logger] and never into an answer.
//
// TOO_MANY_REQUESTS is 429: a limit such as one of decorators/limit is exceeded, and nothing was written. Retry-After says when a
// request may succeed. RateLimit-Policy and RateLimit describe the limit as draft-ietf-httpapi-ratelimit-headers-10 does; their
// form may change until the draft is an RFC.
//
// UNAVAILABLE is 503 with Retry-After: nothing was written, and the client may send the same request again.
// QUERY_TOO_EXPENSIVE is 503 without Retry-After: nothing was written, and the request took longer than the server permits.
// OUTCOME_UNKNOWN is 503 without Retry-After: a connection broke or the time ran out during the commit, and the write
// may have happened. A client that repeats a POST then may create a second record, unless it sends an Idempotency-Key. A
// client that chooses the key of the record can repeat safely, too:
//
//	PUT /cookie/9f0c2b4e-6f1d-4c55-8a2f-0f6f3a1c7d10
//	If-None-Match: *
//
// creates the record at most once: 201 the first time, and 412 if an earlier attempt has created it. PUT, DELETE, and
// PATCH with If-Match leave the same record when repeated, unless their bodies create nested records. After
// OUTCOME_UNKNOWN of a POST without Idempotency-Key, a client can read the list, filtered by a field with a value of its own: a
// record that is found exists, but one that is not found may appear later, because its commit may still be under way. If the
// field is Unique, the POST can be repeated, and CONFLICT means that an earlier attempt has created the record.
//
// # OpenAPI documents
//
// A document describes the answers of one depth, so that every relation in it has one type and a generated client needs no
// case distinctions: /openapi.json shows relations as ids, and /openapi.json?depth=2 as records. Arguments that change the
// shape of an answer are described as far as the schemas hold: depth has the depth of the document, and fields the names of
// the record's own fields. A filter is a string with JSON, which every generator can send. Three forms of requests are served and not
// described, because they would give an operation a second type of answer: a list of records as the body of POST, "Prefer:
// return=minimal", and errors as application/problem+json.
//
// [Options.Document] adds contact, licence, servers and the like. Security is optional in the document if anonymous callers
// may do something.
//
// # Anonymous requests
//
// A request without a principal is anonymous. Some stores deny anonymous callers everything: stacks with ownership, and
// with access where no rule is for anonymous callers. There, all anonymous requests get the same 401 with the same
// headers, whether or not they are valid, and the OpenAPI document is not shown, so that the answers reveal nothing
// about the model. Two kinds of answer differ. Failures of the server are 5xx. OPTIONS stays open, because a CORS
// preflight never has credentials (Fetch standard, "CORS-preflight fetch"); a client can therefore find out whether a
// resource of some name exists.
//
// The handler asks the store with an empty read-only transaction: before it reads the body of an anonymous request,
// after an anonymous request failed, and before it shows the document. If the store cannot answer before a body is
// read, the request fails with the error of the store. Requests of a principal, and anonymous reads that succeed, cost
// no such transaction.
//
// # Cost and limits
//
// [Options.MaxBody], [Options.MaxInFlight] and [Options.MaxNesting] bound the memory of requests, [Options.Timeout]
// their time, and the options of the engine their answers. Each request holds at least 4 KiB of MaxInFlight.
package rest
