package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
)

// tagList is the value of an If-Match or If-None-Match header (RFC 9110, section 13.1).
type tagList struct {
	any  bool // the header is "*"
	tags []entityTag
}

type entityTag struct {
	quoted string // such as "abc", with its quotes
	weak   bool
}

// strongMatch reports whether the list has one of the tags by strong comparison, in which a weak tag matches no tag (RFC
// 9110, section 8.8.3.2).
func (l *tagList) strongMatch(tags ...string) bool {
	for _, t := range l.tags {
		if !t.weak && slices.Contains(tags, t.quoted) {
			return true
		}
	}
	return l.any
}

// weakMatch reports whether the list has one of the tags by weak comparison, in which weak and strong tags match.
func (l *tagList) weakMatch(tags ...string) bool {
	for _, t := range l.tags {
		if slices.Contains(tags, t.quoted) {
			return true
		}
	}
	return l.any
}

// parseTags parses all lines of a header. It reports false if they are not a list of entity tags.
func parseTags(lines []string) (*tagList, bool) {
	text := strings.Trim(strings.Join(lines, ","), " \t")
	if text == "*" {
		return &tagList{any: true}, true
	}
	l := &tagList{}
	for {
		text = strings.TrimLeft(text, ", \t") // empty elements are allowed (section 5.6.1.2)
		if text == "" {
			return l, len(l.tags) > 0
		}
		var t entityTag
		text, t.weak = strings.CutPrefix(text, "W/")
		n := quotedLength(text)
		if n == 0 {
			return nil, false
		}
		t.quoted = text[:n]
		l.tags = append(l.tags, t)
		text = strings.TrimLeft(text[n:], " \t")
		if text != "" && text[0] != ',' {
			return nil, false
		}
	}
}

// quotedLength returns the length of the quoted tag at the beginning of text; 0 if there is none.
func quotedLength(text string) int {
	if text == "" || text[0] != '"' {
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < '!' || c == 0x7f:
			return 0
		}
	}
	return 0
}

// tagBytes is the number of hash bytes in a tag: 120 bits, which are 20 characters in base64.
const tagBytes = 15

// tagOf returns the strong entity tag of a representation (RFC 9110, section 8.8.3).
func tagOf(representation []byte) string {
	sum := sha256.Sum256(representation)
	var tag [2 + tagBytes/3*4]byte
	tag[0], tag[len(tag)-1] = '"', '"'
	base64.RawURLEncoding.Encode(tag[1:], sum[:tagBytes])
	return string(tag[:])
}
