package typed

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
)

// accessor converts between values and fields of one Go type.
type accessor struct {
	// load returns the value of the addressable field.
	load func(field reflect.Value) (core.Value, error)
	// store sets the addressable field. Values that are not set store the zero value.
	store func(field reflect.Value, v core.Value) error
}

var errRange = errors.New("value does not fit the type of the struct field")

// accessorFor returns the accessor of a Go type for values of the model's field; false if the type cannot hold them.
func accessorFor(f *core.Field, t reflect.Type) (accessor, bool) {
	if t.Kind() == reflect.Pointer {
		elem, ok := plainAccessor(f, t.Elem())
		return pointerAccessor(elem, t.Elem()), ok
	}
	a, ok := plainAccessor(f, t)
	if ok && f.Type() != core.Tuple && (f.Key() || f.Target() != nil && !f.Many() || f.NumberedBy() != nil || slices.Contains(clockTypes, f.Type())) {
		return zeroIsNull(a, f.Type()), true
	}
	return a, ok
}

// clockTypes are the types with values in a [time.Time].
var clockTypes = []core.Type{core.Time, core.Date, core.LocalTime}

func plainAccessor(f *core.Field, t reflect.Type) (accessor, bool) {
	switch kind := t.Kind(); f.Type() {
	case core.Int:
		v := reflect.Zero(t)
		if v.CanInt() {
			return intAccessor, true
		}
		return uintAccessor, v.CanUint() && kind != reflect.Uintptr
	case core.Float:
		return floatAccessor, kind == reflect.Float64 || kind == reflect.Float32
	case core.Text:
		return textAccessor, kind == reflect.String
	case core.UUID:
		if kind == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 {
			return uuidArrayAccessor, true
		}
		return uuidTextAccessor, kind == reflect.String
	case core.Bool:
		return boolAccessor, kind == reflect.Bool
	case core.Time:
		return timeAccessor, t == reflect.TypeFor[time.Time]()
	case core.Date:
		return dateAccessor, t == reflect.TypeFor[time.Time]()
	case core.Decimal, core.Tuple:
		return spelledAccessor(f), kind == reflect.String
	case core.LocalTime:
		return localTimeAccessor, t == reflect.TypeFor[time.Time]()
	case core.Bytes:
		return bytesAccessor, kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case core.JSON, core.List:
		return jsonAccessor(f), hasJSON(kind)
	}
	return accessor{}, false
}

// hasJSON reports whether encoding/json supports values of the kind.
func hasJSON(kind reflect.Kind) bool {
	switch kind {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return false
	}
	return true
}

var intAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) { return core.IntValue(field.Int()), nil },
	store: func(field reflect.Value, v core.Value) error {
		if field.OverflowInt(v.Int()) {
			return errRange
		}
		field.SetInt(v.Int())
		return nil
	},
}

var uintAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) {
		n := field.Uint()
		if n > math.MaxInt64 {
			return core.Value{}, errRange
		}
		return core.IntValue(int64(n)), nil
	},
	store: func(field reflect.Value, v core.Value) error {
		n := v.Int()
		if n < 0 || field.OverflowUint(uint64(n)) {
			return errRange
		}
		field.SetUint(uint64(n))
		return nil
	},
}

var floatAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) { return core.Float.Convert(field.Float()) },
	store: func(field reflect.Value, v core.Value) error {
		f := v.Float()
		if field.Kind() == reflect.Float32 && math.IsInf(float64(float32(f)), 0) {
			return errRange
		}
		field.SetFloat(f)
		return nil
	},
}

var textAccessor = accessor{
	load:  func(field reflect.Value) (core.Value, error) { return core.Text.Convert(field.String()) },
	store: func(field reflect.Value, v core.Value) error { field.SetString(v.Text()); return nil },
}

// uuidTextAccessor loads the empty string, which is the zero value of the Go type and no UUID, as null.
var uuidTextAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) {
		if field.Len() == 0 {
			return core.Null, nil
		}
		return core.UUID.Convert(field.String())
	},
	store: textAccessor.store,
}

var uuidArrayAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) { return core.UUIDValue([16]byte(field.Bytes())), nil },
	store: func(field reflect.Value, v core.Value) error {
		id, _ := v.UUID()
		copy(field.Bytes(), id[:])
		return nil
	},
}

var boolAccessor = accessor{
	load:  func(field reflect.Value) (core.Value, error) { return core.BoolValue(field.Bool()), nil },
	store: func(field reflect.Value, v core.Value) error { field.SetBool(v.Bool()); return nil },
}

var timeAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) { return core.Time.Convert(*timeIn(field)) },
	store: func(field reflect.Value, v core.Value) error {
		*timeIn(field) = v.Time()
		return nil
	},
}

// dateAccessor holds the midnight of the date in UTC.
var dateAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) { return core.Date.Convert(*timeIn(field)) },
	store: func(field reflect.Value, v core.Value) error {
		*timeIn(field) = v.Date()
		return nil
	},
}

// localTimeAccessor holds the local time as a time in UTC.
var localTimeAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) { return core.LocalTime.Convert(*timeIn(field)) },
	store: func(field reflect.Value, v core.Value) error {
		*timeIn(field) = v.LocalTime()
		return nil
	},
}

// spelledAccessor loads the text of a decimal or tuple. The empty string, which is the zero value of the Go type and the
// text of none of them, is null.
func spelledAccessor(f *core.Field) accessor {
	return accessor{
		load: func(field reflect.Value) (core.Value, error) {
			if field.Len() == 0 {
				return core.Null, nil
			}
			return f.Convert(field.String())
		},
		store: func(field reflect.Value, v core.Value) error {
			text := f.DecimalText(v)
			if v.Type() == core.Tuple {
				text = v.String()
			}
			field.SetString(text)
			return nil
		},
	}
}

func timeIn(field reflect.Value) *time.Time {
	at, _ := reflect.TypeAssert[*time.Time](field.Addr()) // plainAccessor has checked the type
	return at
}

var bytesAccessor = accessor{
	load: func(field reflect.Value) (core.Value, error) {
		if field.IsNil() {
			return core.Null, nil
		}
		return core.BytesValue(field.Bytes()), nil
	},
	store: func(field reflect.Value, v core.Value) error {
		if !v.IsSet() {
			field.SetZero()
			return nil
		}
		field.SetBytes([]byte(v.Text()))
		return nil
	},
}

func jsonAccessor(f *core.Field) accessor {
	return accessor{
		load: func(field reflect.Value) (core.Value, error) { return f.Convert(field.Addr().Interface()) },
		store: func(field reflect.Value, v core.Value) error {
			field.SetZero()
			if !v.IsSet() {
				return nil
			}
			decoder := json.NewDecoder(strings.NewReader(v.Text()))
			decoder.UseNumber() // a float64 would round large integers, and an Update write them back
			return decoder.Decode(field.Addr().Interface())
		},
	}
}

// pointerAccessor is the accessor of a pointer to a Go type with the accessor elem. A nil pointer is null.
func pointerAccessor(elem accessor, t reflect.Type) accessor {
	return accessor{
		load: func(field reflect.Value) (core.Value, error) {
			if field.IsNil() {
				return core.Null, nil
			}
			return elem.load(field.Elem())
		},
		store: func(field reflect.Value, v core.Value) error {
			if !v.IsSet() {
				field.SetZero()
				return nil
			}
			field.Set(reflect.New(t))
			return elem.store(field.Elem(), v)
		},
	}
}

// zeroIsNull returns the accessor with the zero value of the Go type loaded as null. typ is one of clockTypes, a type of
// keys or the type of numbers.
func zeroIsNull(a accessor, typ core.Type) accessor {
	zero := map[core.Type]core.Value{
		core.Int: core.IntValue(0), core.Text: core.TextValue(""), core.UUID: core.UUIDValue([16]byte{}),
		core.Time: core.TimeValue(time.Time{}), core.Date: core.DateValue(time.Time{}),
		core.LocalTime: core.LocalTimeValue(time.Time{}),
	}[typ]
	load := a.load
	a.load = func(field reflect.Value) (core.Value, error) {
		v, err := load(field)
		if v == zero && err == nil {
			v = core.Null
		}
		return v, err
	}
	return a
}
