package core

import (
	"strings"
	"time"
)

func toTime(raw any) (Value, error) {
	var at time.Time
	switch x := raw.(type) {
	case time.Time:
		at = x
	case string:
		x = upperTime(x)
		parsed, err := time.Parse(time.RFC3339Nano, x)
		if err != nil || !strictTime(x) || parsed.Nanosecond()%1000 != 0 {
			return Value{}, errLossy
		}
		at = parsed
	default:
		return plain(Time, raw)
	}
	if year := at.UTC().Year(); year < 1 || year > 9999 {
		return Value{}, errLossy
	}
	return TimeValue(at), nil
}

// upperTime returns a time in the spelling that package time reads: "t" and "z" are as
// good as "T" and "Z" (RFC 3339, section 5.6).
func upperTime(s string) string {
	const at = len("2006-01-02")
	if len(s) > at && (s[at] == 't' || s[len(s)-1] == 'z') {
		return strings.ToUpper(s)
	}
	return s
}

// strictTime refuses what package time parses beyond RFC 3339: hours of one
// digit, fractions after a comma or with digits that it ignores, and offsets of
// 24 hours or 60 minutes (go.dev/issue/54580).
func strictTime(s string) bool {
	if s[len("2006-01-02T15")] != ':' || strings.Contains(s, ",") || fractionDigits(s) > 9 {
		return false
	}
	zone := s[len(s)-len("+07:00"):]
	return strings.HasSuffix(s, "Z") || zone[1:3] < "24" && zone[4:] < "60"
}

func fractionDigits(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
}
