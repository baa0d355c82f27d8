package rest

import (
	"mime"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
)

const (
	plainJSON  = "application/json"
	mergePatch = "application/merge-patch+json" // RFC 7396
)

const (
	acceptPatch    = plainJSON + ", " + mergePatch
	acceptPost     = plainJSON
	acceptEncoding = "identity"
)

// acceptable refuses a body in another format than JSON, and says which would
// do (RFC 9110, section 15.5.16).
func (x *exchange) checkMediaType() error {
	h := x.w.Header()
	if !notEncoded(x.r.Header["Content-Encoding"]) {
		h.Set("Accept-Encoding", acceptEncoding)
		return unsupportedMedia("Content-Encoding", acceptEncoding)
	}
	media := mediaType(x.r.Header["Content-Type"])
	if media == plainJSON || media == mergePatch && x.r.Method == http.MethodPatch {
		return nil
	}
	switch x.r.Method {
	case http.MethodPatch:
		h.Set("Accept-Patch", acceptPatch)
		return unsupportedMedia("Content-Type", acceptPatch)
	case http.MethodPost:
		h.Set("Accept-Post", acceptPost)
	}
	return unsupportedMedia("Content-Type", acceptPost)
}

func unsupportedMedia(header string, accepted string) error {
	return &core.Error{Code: core.UnsupportedMediaType, Param: header, Accepted: accepted}
}

// identity reports whether content is not encoded.
func notEncoded(lines []string) bool {
	for _, line := range lines {
		for coding := range strings.SplitSeq(line, ",") {
			if c := strings.Trim(coding, " \t"); c != "" && !strings.EqualFold(c, "identity") {
				return false
			}
		}
	}
	return true
}

// mediaOf returns the media type of content in UTF-8, the only charset that JSON has (RFC
// 8259, section 8.1); "" for other charsets, and where there is not one type.
func mediaType(lines []string) string {
	if len(lines) != 1 {
		return ""
	}
	media, attrs, err := mime.ParseMediaType(lines[0])
	charset, given := attrs["charset"]
	if err != nil || given && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	return media
}
