package core

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// accessorFor returns the accessor of a Go type for the field's values; false if
// the type cannot hold them.
func accessorFor(f *Field, t reflect.Type) (accessor, bool) {
	if t.Kind() == reflect.Pointer {
		inner, ok := plainAccessor(f, t.Elem())
		return nullable(inner, t.Elem()), ok
	}
	a, ok := plainAccessor(f, t)
	if ok && (f.Key() || f.Target() != nil && !f.Many() || f.typ == Time) {
		return zeroIsNull(a, f.typ), true
	}
	return a, ok
}

func plainAccessor(f *Field, t reflect.Type) (accessor, bool) {
	switch f.typ {
	case Int:
		return intAccessor(t.Kind())
	case Float:
		switch t.Kind() {
		case reflect.Float64:
			return floatAccessor[float64](), true
		case reflect.Float32:
			return floatAccessor[float32](), true
		}
	case Text:
		return stringAccessor(Text), t.Kind() == reflect.String
	case UUID:
		if t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8 {
			return uuidAccessor(), true
		}
		return stringAccessor(UUID), t.Kind() == reflect.String
	case Bool:
		return boolAccessor(), t.Kind() == reflect.Bool
	case Time:
		return timeAccessor(), t == reflect.TypeFor[time.Time]()
	case Bytes:
		return bytesAccessor(), t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case JSON, List:
		return jsonAccessor(f, t), hasJSON(t.Kind())
	}
	return accessor{}, false
}

// hasJSON reports whether encoding/json knows values of this kind.
func hasJSON(kind reflect.Kind) bool {
	switch kind {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return false
	}
	return true
}

func intAccessor(kind reflect.Kind) (accessor, bool) {
	switch kind {
	case reflect.Int:
		return numberAccessor[int](), true
	case reflect.Int8:
		return numberAccessor[int8](), true
	case reflect.Int16:
		return numberAccessor[int16](), true
	case reflect.Int32:
		return numberAccessor[int32](), true
	case reflect.Int64:
		return numberAccessor[int64](), true
	case reflect.Uint:
		return numberAccessor[uint](), true
	case reflect.Uint8:
		return numberAccessor[uint8](), true
	case reflect.Uint16:
		return numberAccessor[uint16](), true
	case reflect.Uint32:
		return numberAccessor[uint32](), true
	case reflect.Uint64:
		return numberAccessor[uint64](), true
	}
	return accessor{}, false
}

type integer interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64
}

func numberAccessor[N integer]() accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) {
			n := *(*N)(p)
			if n > 0 && uint64(n) > math.MaxInt64 {
				return Value{}, errLossy
			}
			return IntValue(int64(n)), nil
		},
		store: func(p unsafe.Pointer, v Value) error {
			n := N(v.Int())
			if int64(n) != v.Int() || (n < 0) != (v.Int() < 0) {
				return errLossy
			}
			*(*N)(p) = n
			return nil
		},
	}
}

func floatAccessor[F float32 | float64]() accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) { return toFloat(float64(*(*F)(p))) },
		store: func(p unsafe.Pointer, v Value) error {
			f := F(v.Float())
			if math.IsInf(float64(f), 0) {
				return errLossy
			}
			*(*F)(p) = f
			return nil
		},
	}
}

func stringAccessor(typ Type) accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) {
			s := *(*string)(p)
			if s == "" && typ == UUID {
				return Null, nil // no identifier is spelled like this
			}
			return typ.Convert(s)
		},
		store: func(p unsafe.Pointer, v Value) error { *(*string)(p) = v.Text(); return nil },
	}
}

func boolAccessor() accessor {
	return accessor{
		load:  func(p unsafe.Pointer) (Value, error) { return BoolValue(*(*bool)(p)), nil },
		store: func(p unsafe.Pointer, v Value) error { *(*bool)(p) = v.Bool(); return nil },
	}
}

func timeAccessor() accessor {
	return accessor{
		load:  func(p unsafe.Pointer) (Value, error) { return toTime(*(*time.Time)(p)) },
		store: func(p unsafe.Pointer, v Value) error { *(*time.Time)(p) = v.Time(); return nil },
	}
}

func uuidAccessor() accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) { return UUIDValue(*(*[16]byte)(p)), nil },
		store: func(p unsafe.Pointer, v Value) error {
			id, _ := v.UUID()
			*(*[16]byte)(p) = id
			return nil
		},
	}
}

func bytesAccessor() accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) {
			if b := *(*[]byte)(p); b != nil {
				return BytesValue(b), nil
			}
			return Null, nil
		},
		store: func(p unsafe.Pointer, v Value) error {
			*(*[]byte)(p) = nil
			if v.IsSet() {
				*(*[]byte)(p) = []byte(v.Text())
			}
			return nil
		},
	}
}

// jsonAccessor goes through encoding/json, and so does pay for reflection.
func jsonAccessor(f *Field, t reflect.Type) accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) {
			return f.Convert(reflect.NewAt(t, p).Interface())
		},
		store: func(p unsafe.Pointer, v Value) error {
			target := reflect.NewAt(t, p)
			target.Elem().SetZero()
			if !v.IsSet() {
				return nil
			}
			decoder := json.NewDecoder(strings.NewReader(v.Text()))
			decoder.UseNumber() // a float64 would round large integers, and an Update write them back
			return decoder.Decode(target.Interface())
		},
	}
}

// nullable is the accessor of a pointer to what inner moves.
func nullable(inner accessor, elem reflect.Type) accessor {
	return accessor{
		load: func(p unsafe.Pointer) (Value, error) {
			if to := *(*unsafe.Pointer)(p); to != nil {
				return inner.load(to)
			}
			return Null, nil
		},
		store: func(p unsafe.Pointer, v Value) error {
			if !v.IsSet() {
				*(*unsafe.Pointer)(p) = nil
				return nil
			}
			to := reflect.New(elem).UnsafePointer()
			*(*unsafe.Pointer)(p) = to
			return inner.store(to, v)
		},
	}
}

// zeroIsNull loads the zero of the Go type as null.
func zeroIsNull(a accessor, typ Type) accessor {
	zero := map[Type]Value{
		Int: IntValue(0), Text: TextValue(""), UUID: UUIDValue([16]byte{}), Time: TimeValue(time.Time{}),
	}[typ]
	load := a.load
	a.load = func(p unsafe.Pointer) (Value, error) {
		v, err := load(p)
		if v == zero && err == nil {
			v = Null
		}
		return v, err
	}
	return a
}
