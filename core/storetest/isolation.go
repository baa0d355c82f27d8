package storetest

import (
	"context"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/internal/serial"
)

// anomaly is a result of concurrent transactions that no serial order has, with schedules that provoke it. The backend
// may run the actions in another order, as long as a serial order explains the results.
type anomaly struct {
	name, rule string
	schedules  []string
}

// anomalies have the names of Berenson et al. (1995), Adya (1999), Fekete et al. (2004) and Bailis et al. (2014).
var anomalies = []anomaly{
	{
		"dirty write", "No transaction overwrites uncommitted writes of another one.",
		[]string{"w1(x) w2(x) w2(y) c2 w1(y) c1", "w1(x) w2(x) w1(y) w2(y) c1 c2", "w1(x) w2(x) a1 c2", "w1(x) w2(x) c2 a1"},
	},
	{
		"dirty read", "No transaction reads uncommitted writes of another one.",
		[]string{"w1(x) r2(x) c1 c2", "w1(x) r2(x) r2(y) c2 w1(y) c1", "i1(u) n2(P) w1(u) c1 c2", "d1(x) r2(x) w2(y) c1 c2"},
	},
	{
		"aborted read", "No transaction reads writes of another one that rolled back.",
		[]string{"w1(x) r2(x) a1 c2", "i1(u) s2(P) a1 w2(x) c2", "d1(x) r2(x) a1 w2(y) c2"},
	},
	{
		"intermediate read", "No transaction reads a value that another one wrote and then overwrote.",
		[]string{"w1(x) r2(x) w1(x) c1 c2", "w1(x) r2(x) w1(x) c1 w2(y) c2"},
	},
	{
		"circular information flow", "If each of two transactions reads records that the other one writes, exactly one of them sees the other's write.",
		[]string{"w1(x) w2(y) r1(y) r2(x) c1 c2", "w1(x) w2(y) r2(x) r1(y) c2 c1"},
	},
	{
		"non-repeatable read", "A record reads the same throughout a transaction that does not write it.",
		[]string{"r1(x) w2(x) c2 r1(x) c1", "r1(x) d2(x) c2 r1(x) c1", "r1(x) w2(x) c2 r1(x) w1(y) c1", "r1(u) i2(u) c2 r1(u) c1"},
	},
	{
		"read skew", "A transaction sees all writes of another one or none of them.",
		[]string{"r1(x) w2(x) w2(y) c2 r1(y) c1", "r1(x) w2(x) w2(y) c2 r1(y) w1(z) c1", "s1(P) w2(x) m2(y) c2 r1(x) r1(y) c1"},
	},
	{
		"lost update", "No transaction overwrites a record that changed after the transaction read it.",
		[]string{"r1(x) r2(x) w2(x) c2 w1(x) c1", "r1(x) r2(x) w1(x) w2(x) c1 c2", "r1(x) r2(x) w1(x) w2(x) c2 c1", "r1(x) d2(x) c2 w1(x) c1"},
	},
	{
		"write skew", "If each of two transactions writes records that the other one reads, one of them sees the other's write.",
		[]string{
			"r1(x) r1(y) r2(x) r2(y) w1(x) w2(y) c1 c2", "r1(x) r2(y) w1(y) w2(x) c2 c1",
			"r1(x) r1(y) r2(x) r2(y) w1(x) c1 w2(y) c2", "r1(x) r2(y) d1(y) d2(x) c1 c2",
		},
	},
	{
		"phantom", "The same filter matches the same records throughout a transaction.",
		[]string{"n1(P) i2(u) c2 n1(P) c1", "s1(P) d2(x) c2 s1(P) w1(y) c1", "n1(P) m2(x) c2 n1(P) c1", "s1(P) i2(u) c2 n1(P) w1(x) c1"},
	},
	{
		"write skew on a condition", "If two transactions count the same records and then add to them, one of them counts the other's record.",
		[]string{
			"n1(P) n2(P) i1(u) i2(v) c1 c2", "n1(P) n2(P) i1(u) c1 i2(v) c2", "s1(P) s2(P) m1(x) m2(y) c2 c1",
			"n1(P) n2(P) d1(x) d2(y) c1 c2", "n1(P) s2(P) w2(x) c2 m1(x) c1",
		},
	},
	{
		"read-only anomaly", "A read-only transaction sees a state that fits the serial order of the writers.",
		[]string{
			"r2(x) r2(y) r1(y) w1(y) c1 r3(x) r3(y) c3 w2(x) c2", "n2(P) i1(u) c1 s3(P) c3 w2(x) c2",
			"r2(x) r2(y) r1(y) w1(y) c1 w2(x) r3(x) r3(y) c3 c2",
		},
	},
	{
		"long fork", "Two read-only transactions see the writes of others in the same order.",
		[]string{
			"w1(x) w2(y) r3(y) c1 r3(x) c3 r4(x) c2 r4(y) c4", "r3(x) r4(y) w1(x) c1 w2(y) c2 r3(y) r4(x) c3 c4",
			"w1(x) c1 r3(x) r3(y) r4(y) w2(y) c2 r4(x) c4 c3",
		},
	},
	{
		"observed transaction vanishes", "A transaction that has read a write of another one sees all later reads consistent with it.",
		[]string{"w1(x) w1(y) w2(x) c1 r3(x) w2(y) r3(y) c2 r3(x) r3(y) c3"},
	},
	{
		"stale read", "A transaction that begins after the commit of another one was acknowledged sees its writes.",
		[]string{
			"w1(x) c1 r2(x) c2", "r3(y) w1(x) c1 r2(x) c2 c3", "i1(u) c1 n2(P) c2", "d1(x) c1 s2(P) w2(y) c2",
			"w1(x) c1 w2(x) c2 w3(x) c3 r4(x) c4", "r5(x) w1(x) c1 r2(x) w3(y) c3 r4(y) c4 c2 c5",
		},
	},
	{
		"guard bypass", "A write under a policy checks atomically that the record is visible.",
		[]string{"r1(x) m2(x) c2 g1(x) c1", "m2(x) g1(x) c2 c1", "r1(y) g1(x) m2(x) c1 c2", "m2(x) g1(x) r1(x) c1 a2", "g1(x) m2(x) g3(x) c2 c1 c3"},
	},
}

// anomalyRules returns a rule for each anomaly.
func anomalyRules() []rule {
	var rows []rule
	for _, a := range anomalies {
		rows = append(rows, rule{"no " + a.name, a.rule, func(t *kit.Fixture) {
			for _, text := range a.schedules {
				plan := serial.Parse(text)
				if err := checkSchedule(t.Ctx, t, plan, false); err != nil {
					t.Errorf("schedule %s: %v", text, err)
				}
				if !plan.HasReader() {
					continue
				}
				if err := checkSchedule(t.Ctx, t, plan, true); err != nil {
					t.Errorf("schedule %s, with read-only transactions: %v", text, err)
				}
			}
		}})
	}
	return rows
}

// checkSchedule runs the schedule, and returns an error unless it is serializable. With readOnly, transactions without
// writes are read-only ones.
func checkSchedule(ctx context.Context, t *kit.Fixture, plan serial.Schedule, readOnly bool) error {
	s, err := serial.New(ctx, t)
	if err != nil {
		return err
	}
	s.Run(plan, readOnly)
	return s.Check()
}

var isolationRules = []rule{
	{
		"random schedules are serializable",
		"Committed transactions have the results of a serial order that agrees with the order of the commits.",
		randomSchedules,
	},
	{
		"unsynchronised clients are serializable",
		"Transactions of clients that do not wait for each other have the results of a serial order.",
		fullSpeed,
	},
}

func randomSchedules(t *kit.Fixture) {
	t.CheckRandomly(func(ctx context.Context, r *rapid.T) error {
		plan := serial.Draw(r, rapid.IntRange(4, 14).Draw(r, "actions"), 3)
		r.Logf("schedule %v", plan)
		return checkSchedule(ctx, t, plan, rapid.Bool().Draw(r, "read-only"))
	})
}

func fullSpeed(t *kit.Fixture) {
	t.CheckRandomly(func(ctx context.Context, r *rapid.T) error {
		clients := make([][]serial.Schedule, 4)
		for i := range clients {
			clients[i] = serial.Draw(r, 8, 1).ByTransaction()
		}
		s, err := serial.New(ctx, t)
		if err != nil {
			return err
		}
		s.RunClients(clients)
		if err := s.Check(); err != nil {
			return fmt.Errorf("%w\n\tthe clients ran %v", err, slices.Concat(clients...))
		}
		return nil
	})
}
