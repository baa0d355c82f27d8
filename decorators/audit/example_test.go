package audit_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/audit"
)

func Example() {
	model := core.MustModel("tracker",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "title", Type: core.Text}}},
		audit.Resource("entry", "issue"),
	)
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(), audit.New(audit.Options{Resource: "entry"})) // policies stand before it
	if err != nil {
		log.Fatal(err)
	}
	issue, entry := model.Resource("issue"), model.Resource("entry")
	ann := core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue("ann")})
	title := issue.Field("title")
	if _, err := store.Insert(ann, issue, issue.Patch(core.IntValue(17)).Set(title, core.TextValue("Leak"))); err != nil {
		log.Fatal(err)
	}
	if _, err := store.Update(ann, issue, issue.Patch(core.IntValue(17)).Set(title, core.TextValue("Leak in the roof"))); err != nil {
		log.Fatal(err)
	}
	page, err := store.Select(ann, entry, core.Query{Where: core.Eq("issue", 17)})
	if err != nil {
		log.Fatal(err)
	}
	for _, rec := range page.Records {
		fmt.Println(rec.Get("kind"), rec.Get("by"), rec.Get("before"), rec.Get("after"))
	}
	n, err := audit.Purge(ctx, store, "entry", time.Now().Add(time.Hour), 100)
	fmt.Println("purged", n, err)
	// Output:
	// created ann null {"title":"Leak"}
	// updated ann {"title":"Leak"} {"title":"Leak in the roof"}
	// purged 2 <nil>
}
