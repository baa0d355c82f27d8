package stamp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/stamp"
)

func Example() {
	model := core.MustModel("notes", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "text", Type: core.Text},
		{Name: "created_by", Type: core.Text, ReadOnly: true},
		{Name: "updated_by", Type: core.Text, ReadOnly: true},
	}})
	store, err := core.New(context.Background(), model, memory.New(),
		stamp.New(stamp.Options{CreatedBy: "created_by", UpdatedBy: "updated_by"})) // inside policies
	if err != nil {
		log.Fatal(err)
	}
	as := func(name string) context.Context {
		return core.WithPrincipal(context.Background(), &core.Principal{ID: core.TextValue(name)})
	}
	note := model.Resource("note")
	inserted, err := store.Insert(as("ada"), note, note.Patch(core.Value{}).Set(note.Field("text"), core.TextValue("oil the gears")))
	if err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{"oil the gears", "done"} {
		updated, err := store.Update(as("bob"), note, note.Patch(inserted[0].Key()).Set(note.Field("text"), core.TextValue(text)))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(updated[0])
	}
	// Output:
	// note{id:1 text:oil the gears created_by:ada updated_by:ada}
	// note{id:1 text:done created_by:ada updated_by:bob}
}
