package strictjson

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
)

// shapes returns texts of about n bytes that take much more memory when parsed.
func shapes(n int) map[string]string {
	list := func(item string) string { return "[" + strings.Repeat(item+",", n/(len(item)+1)) + "0]" }
	object := func(value string) string {
		var b strings.Builder
		b.WriteString(`{"":0`)
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, `,"%x":%s`, i, value)
		}
		return b.String() + "}"
	}
	all := map[string]string{
		"empty objects": list("{}"), "empty arrays": list("[]"), "digits": list("0"), "objects of one member": list(`{"":0}`),
		"empty strings": list(`""`), "letters": list(`"a"`), "escapes": list(`"\n"`), "literals": list("null"), "exponents": list("1e308"),
		"tiny numbers": list("1e-99999999999999999999"), "long numbers": list(strings.Repeat("1", 300)), "longest numbers": list("1." + strings.Repeat("1", 398)),
		"members": object("0"), "members of objects": object("{}"), "arrays of one": list("[0]"), "arrays of three": list("[0,0,0]"), "arrays of five": list("[0,0,0,0,0]"),
		"nested arrays": list(strings.Repeat("[", 60) + strings.Repeat("]", 60)), "one string": `"` + strings.Repeat("x", n) + `"`,
		"one string of escapes": `"` + strings.Repeat(`\n`, n/2) + `"`, "strings of 33 bytes": list(`"` + strings.Repeat("x", 33) + `"`),
		"commas": "[" + strings.Repeat(",", n), "open arrays": strings.Repeat("[", n), "growing strings": growing(n),
	}
	for _, members := range []int{8, 9, 14, 15, 28, 29, 57, 113} {
		item := object("0")
		if cut := strings.SplitN(item, ",", members+1); len(cut) > members {
			item = strings.Join(cut[:members], ",") + "}"
		}
		all[fmt.Sprintf("objects of %d members", members)] = list(item)
	}
	return all
}

func growing(n int) string {
	var b strings.Builder
	b.WriteString("[0")
	for i := 1; b.Len() < n; i *= 2 {
		b.WriteString(`,"` + strings.Repeat(`\n`, i) + `"`)
	}
	return b.String() + "]"
}

// allocated returns the number of bytes that fn allocates.
func allocated(fn func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

func TestParseAllocatesAtMostTheWeight(t *testing.T) {
	const slack = 8 << 10 // for the prescan and errors
	for _, n := range []int{1, 100, 10_000, 200_000} {
		for name, text := range shapes(n) {
			data := []byte(text)
			got := allocated(func() { _, _ = Parse(data, 0) })
			if weight := Weigh(data, 0, math.MaxInt64); got > weight+slack {
				t.Errorf("%s of %d bytes: allocated %d, weight %d", name, len(data), got, weight)
			} else if n == 200_000 {
				t.Logf("%-24s allocated %5.1f, weight %5.1f bytes a byte", name, float64(got)/float64(len(data)), float64(weight)/float64(len(data)))
			}
		}
	}
}

func TestWeighAllocatesAConstantAmount(t *testing.T) {
	for name, text := range shapes(200_000) {
		data := []byte(text)
		got := int64(math.MaxInt64)
		for range 3 { // the runtime may allocate at the same time
			got = min(got, allocated(func() { Weigh(data, 0, math.MaxInt64) }))
		}
		if got > 4<<10 {
			t.Errorf("%s: allocated %d", name, got)
		}
	}
}

func TestWeighStopsBeyondTheLimit(t *testing.T) {
	text := []byte(shapes(1_000_000)["digits"])
	if got := Weigh(text, 0, 1000); got <= 1000 || got > 2000 {
		t.Errorf("weight %d", got)
	}
	if got := Weigh(text, 0, math.MaxInt64); got < 1_000_000 {
		t.Errorf("weight %d", got)
	}
}
