// Package typed reads and writes the records of a store as Go structs.
//
//	type Cookie struct {
//		ID   int64
//		Type string
//		Jar  *int64 // nil is null
//	}
//	cookies, err := typed.New[Cookie](store, "cookie")
//	muffin, err := cookies.Get(ctx, 1)
//
// A [Collection] calls the methods of its [core.Store], so its operations pass the same decorators as all others.
//
// # Struct fields
//
// Each exported field of the struct maps to a stored field of the resource: the one in its tag, as in `larder:"type"`,
// or the one with its name, compared without case if no name is equal. A field with the tag `larder:"-"` is ignored. An
// embedded struct without a tag contributes its fields; an embedded pointer to a struct is an error. The struct must
// have the key. Fields of the resource that the struct does not have are neither read nor changed.
//
// # Go types
//
// The Go types by type of the model:
//
//   - Int: every integer type;
//   - Float: float64 and float32, which rounds;
//   - Text: strings;
//   - Bool: bool;
//   - Time: [time.Time];
//   - Date: [time.Time] at midnight in UTC; a time with another clock time or zone is an error;
//   - LocalTime: [time.Time] in UTC; a time with another zone is an error;
//   - Decimal: strings, such as "10.50"; the empty string is null;
//   - Tuple: strings, such as "17,3"; the empty string is null;
//   - UUID: strings and [16]byte;
//   - Bytes: []byte;
//   - JSON and List: any type that encoding/json can decode the value into. Numbers in an any are [json.Number].
//
// Named types of these kinds and pointers to them work too. A number that the Go type cannot hold is an error, in either
// direction.
//
// # Null
//
// A nil pointer is null, and so is a nil []byte. Without a pointer null reads as the zero value, and the zero value is
// written as it is, with four exceptions: the zero value of a key stands for the next generated key, that of a numbered
// field for the next number, and the zero value of a to-one relation and of a time.Time for null.
//
// # Cost
//
// New inspects the struct once. Each record then costs a few reflect calls per field, and no memory beyond its values.
package typed
