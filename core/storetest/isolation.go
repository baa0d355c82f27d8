package storetest

import (
	"context"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/internal/serial"
)

// anomaly is a way in which concurrent transactions go wrong that are not
// serializable, with schedules that provoke it. Any other order that the backend
// gives them is as good, as long as it is explained by a serial one.
type anomaly struct {
	name, rule string
	schedules  []string
}

// The names are those of Berenson et al. (1995), Adya (1999), Fekete et al.
// (2004), and Bailis et al. (2014).
var anomalies = []anomaly{
	{
		"dirty write", "No transaction overwrites what another has written and not committed.",
		[]string{"w1(x) w2(x) w2(y) c2 w1(y) c1", "w1(x) w2(x) w1(y) w2(y) c1 c2", "w1(x) w2(x) a1 c2", "w1(x) w2(x) c2 a1"},
	},
	{
		"dirty read", "No transaction reads what another has written and not committed.",
		[]string{"w1(x) r2(x) c1 c2", "w1(x) r2(x) r2(y) c2 w1(y) c1", "i1(u) n2(P) w1(u) c1 c2", "d1(x) r2(x) w2(y) c1 c2"},
	},
	{
		"aborted read", "No transaction reads what another has written and rolled back.",
		[]string{"w1(x) r2(x) a1 c2", "i1(u) s2(P) a1 w2(x) c2", "d1(x) r2(x) a1 w2(y) c2"},
	},
	{
		"intermediate read", "No transaction reads what another has written and then overwritten itself.",
		[]string{"w1(x) r2(x) w1(x) c1 c2", "w1(x) r2(x) w1(x) c1 w2(y) c2"},
	},
	{
		"circular information flow", "Of two transactions that each read what the other writes, one sees the other's write, and only one.",
		[]string{"w1(x) w2(y) r1(y) r2(x) c1 c2", "w1(x) w2(y) r2(x) r1(y) c2 c1"},
	},
	{
		"non-repeatable read", "A record reads the same throughout a transaction that does not write it.",
		[]string{"r1(x) w2(x) c2 r1(x) c1", "r1(x) d2(x) c2 r1(x) c1", "r1(x) w2(x) c2 r1(x) w1(y) c1", "r1(u) i2(u) c2 r1(u) c1"},
	},
	{
		"read skew", "A transaction sees either all of another one's writes or none of them.",
		[]string{"r1(x) w2(x) w2(y) c2 r1(y) c1", "r1(x) w2(x) w2(y) c2 r1(y) w1(z) c1", "s1(P) w2(x) m2(y) c2 r1(x) r1(y) c1"},
	},
	{
		"lost update", "No transaction writes over what was written after it read.",
		[]string{"r1(x) r2(x) w2(x) c2 w1(x) c1", "r1(x) r2(x) w1(x) w2(x) c1 c2", "r1(x) r2(x) w1(x) w2(x) c2 c1", "r1(x) d2(x) c2 w1(x) c1"},
	},
	{
		"write skew", "Of two transactions of which each writes what the other read, one sees the other's write.",
		[]string{
			"r1(x) r1(y) r2(x) r2(y) w1(x) w2(y) c1 c2", "r1(x) r2(y) w1(y) w2(x) c2 c1",
			"r1(x) r1(y) r2(x) r2(y) w1(x) c1 w2(y) c2", "r1(x) r2(y) d1(y) d2(x) c1 c2",
		},
	},
	{
		"phantom", "A condition that is asked twice in a transaction finds the same records.",
		[]string{"n1(P) i2(u) c2 n1(P) c1", "s1(P) d2(x) c2 s1(P) w1(y) c1", "n1(P) m2(x) c2 n1(P) c1", "s1(P) i2(u) c2 n1(P) w1(x) c1"},
	},
	{
		"write skew on a condition", "Of two transactions that count the same and then add to it, one counts what the other added.",
		[]string{
			"n1(P) n2(P) i1(u) i2(v) c1 c2", "n1(P) n2(P) i1(u) c1 i2(v) c2", "s1(P) s2(P) m1(x) m2(y) c2 c1",
			"n1(P) n2(P) d1(x) d2(y) c1 c2", "n1(P) s2(P) w2(x) c2 m1(x) c1",
		},
	},
	{
		"read-only anomaly", "A transaction that only reads sees a state that the writers agree with.",
		[]string{
			"r2(x) r2(y) r1(y) w1(y) c1 r3(x) r3(y) c3 w2(x) c2", "n2(P) i1(u) c1 s3(P) c3 w2(x) c2",
			"r2(x) r2(y) r1(y) w1(y) c1 w2(x) r3(x) r3(y) c3 c2",
		},
	},
	{
		"long fork", "Two transactions that read agree on the order of the writes that they see.",
		[]string{
			"w1(x) w2(y) r3(y) c1 r3(x) c3 r4(x) c2 r4(y) c4", "r3(x) r4(y) w1(x) c1 w2(y) c2 r3(y) r4(x) c3 c4",
			"w1(x) c1 r3(x) r3(y) r4(y) w2(y) c2 r4(x) c4 c3",
		},
	},
	{
		"observed transaction vanishes", "What a transaction has seen of another does not vanish while it goes on.",
		[]string{"w1(x) w1(y) w2(x) c1 r3(x) w2(y) r3(y) c2 r3(x) r3(y) c3"},
	},
	{
		"stale read", "A transaction that begins after another one was acknowledged sees what it wrote.",
		[]string{
			"w1(x) c1 r2(x) c2", "r3(y) w1(x) c1 r2(x) c2 c3", "i1(u) c1 n2(P) c2", "d1(x) c1 s2(P) w2(y) c2",
			"w1(x) c1 w2(x) c2 w3(x) c3 r4(x) c4", "r5(x) w1(x) c1 r2(x) w3(y) c3 r4(y) c4 c2 c5",
		},
	},
	{
		"guard bypass", "A write under a policy finds out in the same step whether the record is still visible.",
		[]string{"r1(x) m2(x) c2 g1(x) c1", "m2(x) g1(x) c2 c1", "r1(y) g1(x) m2(x) c1 c2", "m2(x) g1(x) r1(x) c1 a2", "g1(x) m2(x) g3(x) c2 c1 c3"},
	},
}

// anomalyRules has a rule for each anomaly.
func anomalyRules() []rule {
	var rows []rule
	for _, a := range anomalies {
		rows = append(rows, rule{"no " + a.name, a.rule, func(t *kit.Fixture) {
			for _, text := range a.schedules {
				plan := serial.Parse(text)
				if err := checkSchedule(t, t.Ctx, plan, false); err != nil {
					t.Errorf("schedule %s: %v", text, err)
				}
				if !plan.HasReader() {
					continue
				}
				if err := checkSchedule(t, t.Ctx, plan, true); err != nil {
					t.Errorf("schedule %s, with read-only transactions: %v", text, err)
				}
			}
		}})
	}
	return rows
}

// plays returns an error unless the transactions of the schedule are
// serializable. With readOnly, those that only read say so.
func checkSchedule(t *kit.Fixture, ctx context.Context, plan serial.Schedule, readOnly bool) error {
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
		"What transactions see that committed is what they would see one after the other, in an order that agrees with time.",
		randomSchedules,
	},
	{
		"clients at full speed are serializable",
		"Clients that run transactions as fast as they can see what they would see one after the other.",
		fullSpeed,
	},
}

func randomSchedules(t *kit.Fixture) {
	t.CheckRandomly(func(ctx context.Context, r *rapid.T) error {
		plan := serial.Draw(r, rapid.IntRange(4, 14).Draw(r, "actions"), 3)
		r.Logf("schedule %v", plan)
		return checkSchedule(t, ctx, plan, rapid.Bool().Draw(r, "read-only"))
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
