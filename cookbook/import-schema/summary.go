package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/larder-go/larder/backends/postgres/importer"
)

// kinds are the kinds of notes, the gravest first.
var kinds = []importer.Kind{importer.LeftOut, importer.Refused, importer.Changed, importer.Server}

// summarize writes how many tables became resources and how many notes of each kind there are, followed by the notes if
// they are asked for.
func summarize(w io.Writer, imported *importer.Result, notes bool) {
	tables := len(imported.Resources)
	byKind := make(map[importer.Kind][]importer.Note)
	for _, n := range imported.Notes {
		byKind[n.Kind] = append(byKind[n.Kind], n)
		if n.Kind == importer.LeftOut && n.Object == "" {
			tables++
		}
	}
	counts := make([]string, len(kinds))
	for i, kind := range kinds {
		counts[i] = fmt.Sprintf("%d %s", len(byKind[kind]), kind)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "tables and views: %d of %d became resources\n", len(imported.Resources), tables)
	fmt.Fprintf(&b, "notes: %s", strings.Join(counts, ", "))
	if len(imported.Notes) > 0 && !notes {
		b.WriteString("; -notes lists them")
	}
	b.WriteString("\n")
	if notes {
		for _, kind := range kinds {
			for _, n := range byKind[kind] {
				b.WriteString(printable(n.String()) + "\n")
			}
		}
	}
	_, _ = io.WriteString(w, b.String()) // the source is written all the same
}
