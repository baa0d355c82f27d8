// Package explorer shows the resources of a REST handler to people: pages of HTML at the URLs of the API.
//
//	api, err := rest.New(engine, rest.Options{Authenticate: authenticate})
//	pages, err := explorer.New(api, engine, explorer.Options{SignIn: true})
//	err = rest.Serve(ctx, listener, pages)
//
// A request whose header Accept names text/html, as a browser sends it for an address, is answered with a page. Every other
// request reaches the API unchanged, so programs notice nothing.
//
// # Pages
//
//	/                      the resources
//	/cookie                a list: conditions, search, sort and pages; the arguments of the API work here, too
//	/cookie/1              a record, with links to related records
//	/jar/1/cookies         the list of a to-many relation
//	/cookie/$new           the form of a new record; arguments with the names of fields fill it in
//	/cookie/1/$edit        the form of a record
//	/cookie/1/$delete      the question before a record is deleted
//	/cookie/$explain       the decisions of the policy about the caller, with [Options.Explain]
//	/$explorer/sign-in     the form for a token, with [Options.SignIn]
//	/$explorer/openapi.json  the document of the API, read with the token of the person, for package swaggerui
//
// Batches, aggregations, actions and changes of many records have no pages. A form is sent by POST to the URL of its page. An
// action of the program with such a URL, as POST /cookie/$new, gets the requests that do not accept HTML.
//
// # Rights
//
// A page is made from answers of the API and nothing else. The explorer sends requests to the API within the process, with the
// headers of the browser but its cookies, and shows the answers. So a person sees and changes exactly what the same token permits at the
// API: policies, read-only resources, limits and errors are those of the API. Where the API answers 401, all pages are the same
// form to sign in. A field that the caller can read in no record does not appear. A field whose write the API rejects shows
// the error beside its input; with Options.Explain the forms leave such fields out.
//
// A to-one relation shows the related record by its label: its first field of type text. A label that the caller cannot read
// does not appear.
//
// # Forms
//
// A form sends only the fields that the person has changed, with the entity tag of the record as If-Match. If another request
// has changed a field of the form in the meantime, the form shows both values and keeps the typed ones. Errors of the API appear
// beside their fields. An empty input means null, so a form cannot store an empty text. To-many relations have one id a line;
// a relation that is too long to be shown in full cannot be edited.
//
// # Security
//
// The token of a person is in a cookie with HttpOnly and SameSite=Strict, limited to the path of the API, with Secure over TLS.
// It never appears in a URL or in a page. The API itself ignores the cookie. Writes pass [http.CrossOriginProtection]. The
// pages have no scripts and no inline styles, and their Content-Security-Policy permits none. No answer may be cached or
// shown in a frame.
//
// Cookies do not distinguish ports: another program on the same host name receives the token, too.
//
// # Cost and limits
//
// A page costs two requests to the API, and one more for each field that the caller cannot read. A form costs one more for each
// to-one relation: it offers the related records, if they are at most 100. An answer of the API that is larger than 2 MiB is
// not shown; a list then shows fewer records. A form may have 2 MiB. A page shows at most 100 fields of a record.
package explorer
