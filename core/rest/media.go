package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

const (
	plainJSON   = "application/json"
	mergePatch  = "application/merge-patch+json" // RFC 7396
	problemJSON = "application/problem+json"     // RFC 9457
)

const (
	acceptPatch    = plainJSON + ", " + mergePatch
	acceptPost     = plainJSON
	acceptEncoding = "identity"
)

// checkMediaType rejects a body that is not JSON, with a header that names the accepted formats (RFC 9110, section
// 15.5.16).
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

// notEncoded reports whether the lines of Content-Encoding name no coding but identity.
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

// acceptsProblem reports whether the lines of Accept name the format of RFC 9457, with a weight above 0.
func acceptsProblem(lines []string) bool {
	weight, _ := weightOf(lines, problemJSON)
	return weight > 0
}

// weightOf returns the weight of the name in the lines of Accept or Accept-Encoding (RFC 9110, section 12.4.2), and
// whether they have it.
func weightOf(lines []string, name string) (weight float64, named bool) {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			value, attrs, err := mime.ParseMediaType(item)
			if err != nil || value != name {
				continue
			}
			if attrs["q"] == "" {
				return 1, true
			}
			weight, _ := strconv.ParseFloat(attrs["q"], 64) // 0 with an error
			return weight, true
		}
	}
	return 0, false
}

// mediaType returns the media type of the lines of Content-Type; "" if there is not exactly one valid line, or if it
// names another charset than UTF-8, the only one of JSON (RFC 8259, section 8.1).
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
