package rest

import "slices"

// RequestHeaders returns the names of the headers of requests that the handler reads. A program that permits browser
// applications of other origins lists them as the allowed headers of its CORS middleware. Headers that only the
// program's own Authenticate reads are missing, but for Authorization.
func RequestHeaders() []string { return slices.Clone(requestHeaders) }

// AnswerHeaders returns the names of the headers of answers that a client may need. A program that permits browser
// applications of other origins lists them as the exposed headers of its CORS middleware; without that, a script reads
// neither the Link to the next page nor the ETag.
func AnswerHeaders() []string { return slices.Clone(answerHeaders) }

// Methods returns the methods that the handler serves, for the allowed methods of CORS middleware.
func Methods() []string { return slices.Clone(methods) }

var (
	requestHeaders = []string{"Accept", "Authorization", "Content-Type", keyHeader, "If-Match", "If-None-Match", "Prefer", requestIDHeader}
	answerHeaders  = []string{
		"Accept-Encoding", "Accept-Patch", "Accept-Post", "Allow", "ETag", replayedHeader, "Link", "Location", "Preference-Applied",
		"RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", requestIDHeader, "X-Total-Count",
	}
	methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)
