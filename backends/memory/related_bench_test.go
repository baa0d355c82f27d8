package memory

import (
	"context"
	"flag"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
)

var issueCount = flag.Int("issues", 1_000_000, "number of issues in the benchmarks of a membership policy")

// tracker is the model of a membership policy: users are members of organisations, whose projects have issues.
var tracker = core.MustModel("tracker",
	core.ResourceSpec{Name: "org", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "memberships", ToMany: "membership", Inverse: "org"},
	}},
	core.ResourceSpec{Name: "membership", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "user", Type: core.Int, Indexed: true},
		{Name: "org", ToOne: "org"},
	}},
	core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "org", ToOne: "org"},
	}},
	core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text},
		{Name: "project", ToOne: "project"},
	}},
)

var issue = tracker.Resource("issue")

// The benchmarks have 1,000 organisations with 10 members and 5 projects each, among which the issues are spread. User u
// is a member of the ten organisations u, u+1 and so on, and user 0 of all.
const (
	orgs       = 1000
	perUser    = 10
	projects   = 5 * orgs
	everywhere = 0
	pageSize   = 100
)

type membershipKey struct{ user, org int64 }

// byHand has the records in Go maps, as a program without a store would keep them.
type byHand struct {
	issues     []core.Record // by key
	projectOf  map[int64]int64
	orgOf      map[int64]int64
	member     map[membershipKey]bool
	orgsOf     map[int64][]int64
	projectsOf map[int64][]int64
	issuesOf   map[int64][]int64
}

// page returns the newest issues of the user by a walk over all issues.
func (h *byHand) page(user int64) (page []core.Record) {
	for _, rec := range slices.Backward(h.issues) {
		if !h.member[membershipKey{user, h.orgOf[h.projectOf[rec.Key().Int()]]}] {
			continue
		}
		if page = append(page, rec); len(page) == pageSize {
			break
		}
	}
	return page
}

// pageByIndex returns the newest issues of the user by lists of the issues of each project.
func (h *byHand) pageByIndex(user int64) (page []core.Record) {
	var keys []int64
	for _, org := range h.orgsOf[user] {
		for _, project := range h.projectsOf[org] {
			of := h.issuesOf[project]
			keys = append(keys, of[max(0, len(of)-pageSize):]...)
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Backward(keys) {
		if page = append(page, h.issues[key-1]); len(page) == pageSize {
			break
		}
	}
	return page
}

// tracked returns a store with the records under a membership policy, and the same records in Go maps.
func tracked(b *testing.B) (*core.Store, *byHand) {
	store, err := core.New(b.Context(), tracker, New(), membershipPolicy())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	h := &byHand{
		projectOf: make(map[int64]int64), orgOf: make(map[int64]int64), member: make(map[membershipKey]bool),
		orgsOf: make(map[int64][]int64), projectsOf: make(map[int64][]int64), issuesOf: make(map[int64][]int64),
	}
	add := func(r *core.Resource, records []core.Record) []core.Record {
		stored, err := store.Insert(core.System(b.Context()), r, records...)
		if err != nil {
			b.Fatal(err)
		}
		return stored
	}
	var all, memberships, of []core.Record
	for i := range int64(orgs) {
		all = append(all, record(b, tracker.Resource("org"), "id", i+1))
		for user := i - perUser + 1; user <= i; user++ {
			h.join(b, &memberships, (user+orgs)%orgs+1, i+1)
		}
		h.join(b, &memberships, everywhere, i+1)
	}
	for i := range int64(projects) {
		org := i%orgs + 1
		of = append(of, record(b, tracker.Resource("project"), "id", i+1, "org", org))
		h.orgOf[i+1], h.projectsOf[org] = org, append(h.projectsOf[org], i+1)
	}
	add(tracker.Resource("org"), all)
	add(tracker.Resource("membership"), memberships)
	add(tracker.Resource("project"), of)
	for id := int64(1); id <= int64(*issueCount); {
		var batch []core.Record
		for ; id <= int64(*issueCount) && len(batch) < 50_000; id++ {
			project := id*7919%projects + 1
			batch = append(batch, record(b, issue, "id", id, "title", "an issue", "project", project))
			h.projectOf[id], h.issuesOf[project] = project, append(h.issuesOf[project], id)
		}
		h.issues = append(h.issues, add(issue, batch)...)
	}
	return store, h
}

func (h *byHand) join(b *testing.B, memberships *[]core.Record, user, org int64) {
	*memberships = append(*memberships, record(b, tracker.Resource("membership"), "user", user, "org", org))
	h.member[membershipKey{user, org}], h.orgsOf[user] = true, append(h.orgsOf[user], org)
}

type userKey struct{}

// membershipPolicy shows the issues of the organisations that the user of the context is a member of.
func membershipPolicy() core.Decorator {
	return core.Decorator{
		Name: "membership", Kind: core.KindPolicy, UsesRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if user, ok := ctx.Value(userKey{}).(int64); ok {
					op.Guard(core.Related("project", core.Related("org", core.Related("memberships", core.Eq("user", user)))))
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// BenchmarkMembershipPolicy lists the newest 100 of a million issues under a membership policy, compared with loops over
// Go maps.
func BenchmarkMembershipPolicy(b *testing.B) {
	store, h := tracked(b)
	list := func(user int64) []core.Record {
		page, err := store.Select(context.WithValue(b.Context(), userKey{}, user), issue, core.Query{Order: []string{"-id"}, Limit: pageSize})
		if err != nil {
			b.Fatal(err)
		}
		return page.Records
	}
	someUser := func(random int) int64 { return int64(random%orgs + 1) }
	for name, bench := range map[string]struct {
		user  func(random int) int64
		floor func(user int64) []core.Record
	}{
		"walk":       {someUser, h.page},
		"index":      {someUser, h.pageByIndex},
		"everywhere": {func(int) int64 { return everywhere }, h.page},
	} {
		b.Run(name, func(b *testing.B) {
			same := func(a, b core.Record) bool { return a.Equal(b) }
			if user := bench.user(7); !slices.EqualFunc(list(user), bench.floor(user), same) {
				b.Fatal("the pages differ")
			}
			compare(b, func(random int) { bench.floor(bench.user(random)) }, func(random int) { list(bench.user(random)) })
		})
	}
	b.Run("get", func(b *testing.B) {
		visible := make(map[int64]int64) // a user that sees the issue, by key
		for id := range int64(*issueCount) {
			visible[id+1] = h.orgOf[h.projectOf[id+1]]
		}
		var sink core.Record
		compare(b, func(random int) {
			key := int64(random%*issueCount + 1)
			if h.member[membershipKey{visible[key], h.orgOf[h.projectOf[key]]}] {
				sink = h.issues[key-1]
			}
		}, func(random int) {
			var err error
			key := int64(random%*issueCount + 1)
			if sink, err = store.Get(context.WithValue(b.Context(), userKey{}, visible[key]), issue, core.IntValue(key)); err != nil {
				b.Fatal(err)
			}
		})
		_ = sink
	})
}
