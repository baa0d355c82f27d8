package relatedtest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// teams is the model of issues in projects with members.
var teams = core.MustModel("teams",
	core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text, Indexed: true},
		{Name: "memberships", ToMany: "membership", Inverse: "project"},
	}},
	core.ResourceSpec{Name: "membership", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "project", ToOne: "project"},
		{Name: "user", Type: core.Int, Indexed: true},
	}},
	core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text},
		{Name: "rank", Type: core.Int, Indexed: true},
		{Name: "owner", Type: core.Int, Indexed: true},
		{Name: "project", ToOne: "project"},
	}},
)

// Users of the scale.
const (
	everywhere = 1 // a member of all projects
	alone      = 2 // a member of one project
	usual      = 3 // a member of ten projects
	nowhere    = 5000
)

// scale makes the tables of the teams with n issues in n/1000 projects, and 10,000 memberships of 1,000 users. One issue in
// ten has no rank, and each owner has one in a hundred.
func scale(tb testing.TB, n int) (schema string) {
	tb.Helper()
	schema = pgtest.Schema(tb)
	servertest.Must(tb, postgres.Migrate(tb.Context(), servertest.Pool(tb, pgtest.URL(tb)), schema, teams))
	// Without foreign keys the rows are inserted faster. VACUUM marks pages as visible to all only after a checkpoint.
	fill := `SET LOCAL session_replication_role = replica;
		INSERT INTO $S.project (name) SELECT 'project ' || i FROM generate_series(1, $P) AS i;
		INSERT INTO $S.membership (project, "user") SELECT i, 1 FROM generate_series(1, $P) AS i;
		INSERT INTO $S.membership (project, "user") VALUES ($P / 2, 2);
		INSERT INTO $S.membership (project, "user") SELECT 1 + i * 7919 % $P, 3 + i / 10 FROM generate_series(0, 9998 - $P) AS i;
		INSERT INTO $S.issue (project, title, rank, owner) SELECT 1 + i * 31 % $P, 'issue ' || i, nullif(i * 7 % 1000, i % 10), i * 17 % 100
		FROM generate_series(1, 1000 * $P) AS i`
	servertest.Execute(tb, strings.ReplaceAll(servertest.InSchema(schema, fill), "$P", strconv.Itoa(n/1000)))
	for _, sql := range []string{`VACUUM (FREEZE, ANALYZE) $S.project, $S.membership, $S.issue`, `CHECKPOINT`, `VACUUM (FREEZE) $S.project, $S.membership, $S.issue`} {
		servertest.Execute(tb, servertest.InSchema(schema, sql))
	}
	return schema
}

// members returns a policy that shows the issues of the projects that the user is a member of.
func members(user *int) core.Decorator {
	return core.Decorator{Name: "members", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != nil && op.Resource.Name() == "issue" {
				op.Guard(core.Related("project", core.Related("memberships", core.Eq("user", *user))))
			}
			return next(ctx, op)
		}, nil
	}}
}

// The pages under a membership policy touch few buffers, whatever the number of projects of the member, and have the same
// rows as the statement written by hand.
func TestMembershipPolicyUsesIndexes(t *testing.T) {
	schema := scale(t, 100_000)
	p, last := servertest.RecordedPool(t)
	var user int
	store, err := core.New(t.Context(), teams, postgres.New(p, schema, postgres.Options{CheckSchema: -1}), members(&user))
	servertest.Must(t, err)
	issue := teams.Resource("issue")
	for _, c := range []struct {
		name       string
		user, most int
		order      string
	}{
		{"member of everything", everywhere, 300, "id"},
		{"member of one project", alone, 150, "id"},
		{"member of ten projects", usual, 200, "id"},
		{"member of ten projects, newest first", usual, 200, "-id"},
		{"member of nothing", nowhere, 10, "id"},
		{"member of everything by rank", everywhere, 600, "rank"},
		{"member of ten projects by rank", usual, 3000, "-rank"},
	} {
		t.Run(c.name, func(t *testing.T) {
			user = c.user
			order := strings.TrimPrefix(c.order, "-")
			if order != c.order {
				order += " DESC"
			}
			want := servertest.Value[[]int64](t, p, servertest.InSchema(schema, `SELECT coalesce(array_agg(x.id), '{}') FROM (SELECT t.id FROM $S.issue AS t
				WHERE t.project IN (SELECT m.project FROM $S.membership AS m WHERE m."user" = $1) ORDER BY `+order+`, id LIMIT 300) AS x`), user)
			q := core.Query{Limit: 100, Order: []string{c.order}}
			var got []int64
			for range 3 {
				page, err := store.Select(t.Context(), issue, q)
				servertest.Must(t, err)
				for _, rec := range page.Records {
					got = append(got, rec.Key().Int())
				}
				if n, plan := last.Buffers(t, p); n > c.most || strings.Contains(plan, "Seq Scan on issue") {
					t.Errorf("%d buffers\n%s\n%s", n, last.SQL, plan)
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if !slices.Equal(got, want) && len(got)+len(want) > 0 {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"get", func() error { _, err := store.Get(t.Context(), issue, core.IntValue(5)); return err }},
		{"update", func() error {
			_, err := store.Update(t.Context(), issue, servertest.Record(t, issue, map[string]any{"id": 5, "title": "x"}))
			return err
		}},
		{"delete", func() error { return store.Delete(t.Context(), issue, core.IntValue(6)) }},
		{"filter by the name of the project", func() error {
			_, err := store.Select(t.Context(), issue, core.Query{Where: core.Related("project", core.Eq("name", "project 7"))})
			return err
		}},
		{"count", func() error {
			user = alone
			_, err := store.Count(t.Context(), issue, core.All())
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			user = everywhere
			last.LooksFor = `"issue" AS t`
			servertest.Must(t, c.do())
			if plan := last.Plan(t, p); strings.Contains(plan, "Seq Scan on issue") {
				t.Errorf("%s\n%s", last.SQL, plan)
			}
		})
	}
}
