package storetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// losing changes values of one type.
func losing(typ core.Type, change func(v core.Value) core.Value) func(h *hooks) {
	return func(h *hooks) {
		h.storing(func(v core.Value) core.Value {
			if v.Type() != typ {
				return v
			}
			return change(v)
		})
	}
}

var tinyNumber = regexp.MustCompile(`[0-9]e-[1-9][0-9]{2}`)

var typeDefects = []defect{
	{
		name: "integers go through doubles", breaks: []string{"types/int round trips", "types/keys of any size round trip"},
		install: losing(core.Int, func(v core.Value) core.Value { return core.IntValue(int64(float64(v.Int()))) }),
	},
	{
		name: "floats go through fifteen digits", breaks: []string{"types/float round trips"},
		install: losing(core.Float, func(v core.Value) core.Value {
			f, _ := strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', 15, 64), 64)
			return core.FloatValue(f)
		}),
	},
	{
		name: "floats are single precision", breaks: []string{"types/float round trips"},
		install: losing(core.Float, func(v core.Value) core.Value { return core.FloatValue(float64(float32(v.Float()))) }),
	},
	{
		name: "text is truncated to 255 bytes", breaks: []string{"types/text round trips"},
		install: losing(core.Text, func(v core.Value) core.Value { return core.TextValue(v.Text()[:min(255, len(v.Text()))]) }),
	},
	{
		name: "text loses spaces at its end", breaks: []string{"types/text round trips", "filter/text is compared exactly"},
		install: losing(core.Text, func(v core.Value) core.Value { return core.TextValue(strings.TrimRight(v.Text(), " ")) }),
	},
	{
		name: "text has at most three bytes a character", breaks: []string{"types/text round trips", "read/keys of all types"},
		install: losing(core.Text, func(v core.Value) core.Value {
			return core.TextValue(strings.Map(func(r rune) rune { return min(r, 0xffff) }, v.Text()))
		}),
	},
	{
		name: "empty text is null", breaks: []string{"types/text round trips", "types/null round trips in every column", "write/insert returns the stored records"},
		install: losing(core.Text, func(v core.Value) core.Value {
			if v.Text() == "" {
				return core.Null
			}
			return v
		}),
	},
	{
		name: "false is null", breaks: []string{"types/bool round trips", "types/null round trips in every column"},
		install: losing(core.Bool, func(v core.Value) core.Value {
			if !v.Bool() {
				return core.Null
			}
			return v
		}),
	},
	{
		name: "times lose the microseconds", breaks: []string{"types/time round trips", "types/times are instants"},
		install: losing(core.Time, func(v core.Value) core.Value { return core.TimeValue(v.Time().Truncate(time.Second)) }),
	},
	{
		name: "times are nanoseconds in 64 bits", breaks: []string{"types/time round trips"},
		install: losing(core.Time, func(v core.Value) core.Value { return core.TimeValue(time.Unix(0, v.Time().UnixNano())) }),
	},
	{
		name: "dates are midnights of a zone west of UTC", breaks: []string{"types/date round trips"},
		install: losing(core.Date, func(v core.Value) core.Value {
			return core.DateValue(v.Date().In(time.FixedZone("", -3600)))
		}),
	},
	{
		name: "dates before 1582 are of the Julian calendar", breaks: []string{"types/date round trips", "types/every accepted value reads back"},
		install: losing(core.Date, func(v core.Value) core.Value {
			if v.Date().Year() < 1582 {
				return core.DateValue(v.Date().AddDate(0, 0, 10))
			}
			return v
		}),
	},
	{
		name: "local times are instants of a zone with summer time", breaks: []string{"types/localtime round trips"},
		install: losing(core.LocalTime, func(v core.Value) core.Value {
			at := v.LocalTime()
			if gap := time.Date(2024, 3, 31, 2, 0, 0, 0, time.UTC); !at.Before(gap) && at.Before(gap.Add(time.Hour)) { // no such hour in Berlin
				return core.LocalTimeValue(at.Add(time.Hour))
			}
			return v
		}),
	},
	{
		name: "decimals are doubles", breaks: []string{"types/decimal round trips", "types/every accepted value reads back"},
		install: losing(core.Decimal, func(v core.Value) core.Value {
			f, err := strconv.ParseFloat(v.Text(), 64)
			if err != nil {
				return v
			}
			rounded, err := core.Decimal.Convert(f)
			if err != nil {
				return v
			}
			return rounded
		}),
	},
	{
		name: "uuids are random", breaks: []string{"types/uuid round trips"},
		install: losing(core.UUID, func(v core.Value) core.Value {
			if v.Text()[14] != '4' {
				return core.NewUUID()
			}
			return v
		}),
	},
	{
		name: "bytes are text", breaks: []string{"types/bytes round trips"},
		install: losing(core.Bytes, func(v core.Value) core.Value { return core.BytesValue([]byte(strings.ToValidUTF8(v.Text(), "?"))) }),
	},
	{
		name: "numbers in json are doubles", breaks: []string{"types/json round trips"},
		install: losing(core.JSON, func(v core.Value) core.Value {
			var parsed any
			if err := json.Unmarshal([]byte(v.Text()), &parsed); err != nil {
				return v
			}
			again, err := core.JSON.Convert(parsed)
			if err != nil {
				return v
			}
			return again
		}),
	},
	{
		name:   "long numbers in json are written and never read",
		breaks: []string{"types/json round trips", "types/list round trips", "types/every accepted value reads back"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				for _, rec := range res.Records {
					for i := range rec.Len() {
						if v := rec.At(i); (v.Type() == core.JSON || v.Type() == core.List) && tinyNumber.MatchString(v.Text()) {
							return core.Result{}, errors.New("stored value cannot be read")
						}
					}
				}
				return res, err
			}
		},
	},
	{
		name: "lists are sets", breaks: []string{"types/list round trips"},
		install: losing(core.List, func(v core.Value) core.Value {
			if v.Text() == "[1,1]" {
				return core.ListOf(core.IntValue(1))
			}
			return v
		}),
	},
	{
		name: "empty lists are null", breaks: []string{"types/list round trips", "types/lists of keys round trip", "types/null round trips in every column"},
		install: losing(core.List, func(v core.Value) core.Value {
			if v.Text() == "[]" {
				return core.Null
			}
			return v
		}),
	},
}
