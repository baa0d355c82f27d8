package strictjson

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// The metric encoding/json-ratio is the time of encoding/json divided by ours: above 1 we are faster.

var benchText = []byte("[" + string(bytes.Repeat([]byte(`{"id": 1234, "name": "Oatmeal, zażółć", "price": 12.50, "tags": ["a", "b\n"], "sold": false, "jar": null},`), 200)) + "0]")

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(benchText)))
	beside(b, func() {
		if _, err := Parse(benchText, 0); err != nil {
			b.Fatal(err)
		}
	}, func() {
		d := json.NewDecoder(bytes.NewReader(benchText))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkAppendCanonical(b *testing.B) {
	v, err := Parse(benchText, 0)
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	beside(b, func() {
		if buf, err = AppendCanonical(buf[:0], v); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := json.Marshal(v); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkAppendString(b *testing.B) {
	s := "A text of the usual length, with \"quotes\", one line end\nand some letters beyond ASCII: zażółć."
	var buf []byte
	beside(b, func() { buf = AppendString(buf[:0], s) }, func() {
		if _, err := json.Marshal(s); err != nil {
			b.Fatal(err)
		}
	})
}

// beside times both alternately, so that other load slows both.
func beside(b *testing.B, ours, theirs func()) {
	b.ReportAllocs()
	var oursTime, theirsTime time.Duration
	for b.Loop() {
		start := time.Now()
		ours()
		oursTime += time.Since(start)
		b.StopTimer()
		start = time.Now()
		theirs()
		theirsTime += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(float64(theirsTime)/float64(oursTime), "encoding/json-ratio")
}
