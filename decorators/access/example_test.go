package access_test

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

var shop = core.MustModel("shop",
	core.ResourceSpec{Name: "bread", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text},
		{Name: "on_sale", Type: core.Bool},
		{Name: "baker", Type: core.Text},
	}},
)

func ExampleNew() {
	policy := access.Policy{
		{Roles: []string{access.Anonymous}, Resource: "bread", Operations: access.Read, Fields: []string{"name"}, Using: access.Eq("on_sale", true)},
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read | access.Insert | access.Update, Using: access.Eq("baker", access.PrincipalID())},
	}
	ctx := context.Background()
	store, err := core.New(ctx, shop, memory.New(), access.New(policy, access.Options{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close() //nolint:errcheck // a memory store
	bread := shop.Resource("bread")
	rye, err := bread.NewRecord(map[string]any{"name": "rye", "on_sale": true, "baker": "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var id core.Value
	for _, p := range []*core.Principal{
		{ID: core.TextValue("bob"), Roles: []string{"baker"}},
		{ID: core.TextValue("alice"), Roles: []string{"baker"}},
	} {
		inserted, err := store.Insert(core.WithPrincipal(ctx, p), bread, rye)
		fmt.Println(p, inserted, err)
		if err == nil {
			id = inserted[0].Key()
		}
	}
	fmt.Println(store.Get(ctx, bread, id)) // anonymous
	// Output:
	// bob [] FORBIDDEN object_name="bread": access: insert of bread is allowed: rule 2 applies; the row matches no using before the write or no check after it of the rules that apply, or another policy denies it
	// alice [bread{id:2 name:rye on_sale:true baker:alice}] <nil>
	// bread{id:2 name:rye} <nil>
}

func ExampleParse() {
	_, err := access.Parse([]byte(`{"rules": [
		{"roles": ["baker"], "resource": "bread", "operations": ["write"]},
		{"roles": ["baker"], "resource": "bread", "operations": ["read"], "using": {"baker": {"equals": {"$principal": "id"}}}}
	]}`))
	fmt.Println(err)
	// Output:
	// access policy: rule 1: operations: unknown operation "write"; use read, insert, update, delete, choose_key, restore
	// access policy: rule 2: using: baker: equals: unknown operator; use eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between, or $any, $all or $none for a relation
}

func ExampleCompiledPolicy_Explain() {
	policy, err := access.Parse([]byte(`{"rules": [
		{"name": "own bread", "roles": ["baker"], "resource": "bread", "operations": ["update"],
			"using": {"baker": {"$claim": "name"}}, "fields": ["name"]}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	compiled, err := policy.Compile(shop)
	if err != nil {
		fmt.Println(err)
		return
	}
	alice := &core.Principal{Roles: []string{"baker"}, Claims: map[string]any{"name": "alice"}}
	eve := &core.Principal{Roles: []string{"baker"}, Claims: map[string]any{"name": true}}
	fmt.Println(compiled.Explain(alice, access.Update, "bread", "name"))
	fmt.Println(compiled.Explain(alice, access.Update, "bread", "on_sale"))
	fmt.Println(compiled.Explain(eve, access.Update, "bread"))
	fmt.Println(compiled.Explain(alice, access.Delete, "bread"))
	// Output:
	// update of bread is allowed: rule 1 (own bread) applies
	// update of bread is denied: rule 1 (own bread) does not list on_sale
	// update of bread is denied: rule 1 (own bread) needs claim "name" of type text, which the principal lacks
	// no rule is about delete of bread
}
