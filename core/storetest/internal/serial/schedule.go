package serial

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// The actions of a schedule, in the notation of Berenson et al., "A Critique of
// ANSI SQL Isolation Levels" (1995), with predicates over one group.
const (
	read        = 'r' // r1(x): transaction 1 reads x
	write       = 'w' // w1(x): writes x, which must be there
	guarded     = 'g' // g1(x): writes x under a policy that hides it outside the group
	move        = 'm' // m1(x): moves x out of the group
	insert      = 'i' // i1(x): adds x to the group
	remove      = 'd' // d1(x): deletes x
	count       = 'n' // n1(P): counts the group
	selectGroup = 's' // s1(P): reads the group
	readAll     = '*' // reads all there is, in the end
	commit      = 'c' // c1: commits
	abort       = 'a' // a1: rolls back
)

// action is what one transaction does in one step of a schedule.
type action struct {
	kind  byte
	tx    int
	index int // of the actions on one register
}

func (a action) ends() bool { return a.kind == commit || a.kind == abort }

func (a action) writes() bool { return strings.IndexByte("wgmid", a.kind) >= 0 }

func (a action) String() string {
	switch a.kind {
	case commit, abort:
		return fmt.Sprintf("%c%d", a.kind, a.tx)
	case count, selectGroup:
		return fmt.Sprintf("%c%d(P)", a.kind, a.tx)
	}
	return fmt.Sprintf("%c%d(%c)", a.kind, a.tx, registerNames[a.index])
}

// schedule is what several transactions do, in the order in which it is tried
// to happen. Each one ends.
type Schedule []action

// parseSchedule reads a schedule of transactions with one digit.
func Parse(text string) Schedule {
	var s Schedule
	for word := range strings.FieldsSeq(text) {
		a := action{kind: word[0], tx: int(word[1] - '0')}
		if len(word) == len("r1(x)") && word[3] != 'P' {
			a.index = strings.IndexByte(registerNames, word[3])
		}
		s = append(s, a)
	}
	return s
}

func (s Schedule) String() string {
	words := make([]string, len(s))
	for i, a := range s {
		words[i] = a.String()
	}
	return strings.Join(words, " ")
}

// scripts returns the actions of each transaction, by order of appearance.
func (s Schedule) ByTransaction() []Schedule {
	var scripts []Schedule
	place := make(map[int]int)
	for _, a := range s {
		i, known := place[a.tx]
		if !known {
			i = len(scripts)
			place[a.tx] = i
			scripts = append(scripts, nil)
		}
		scripts[i] = append(scripts[i], a)
	}
	return scripts
}

// reads reports whether nothing in the schedule writes.
func (s Schedule) readOnly() bool {
	for _, a := range s {
		if a.writes() {
			return false
		}
	}
	return true
}

// hasReader reports whether one of the transactions only reads.
func (s Schedule) HasReader() bool {
	return slices.ContainsFunc(s.ByTransaction(), Schedule.readOnly)
}

// drawSchedule returns n random actions in some transactions at a time.
func Draw(r *rapid.T, n, atATime int) Schedule {
	var plan Schedule
	running := make([]int, atATime) // numbers of the transactions, 0 for none
	last := 0
	for range n {
		slot := rapid.IntRange(0, atATime-1).Draw(r, "who")
		if running[slot] == 0 {
			last++
			running[slot] = last
		}
		a := action{tx: running[slot], kind: rapid.SampledFrom([]byte("rrrrwwwwnnsmgiidccca")).Draw(r, "what")}
		switch a.kind {
		case count, selectGroup, commit, abort:
		case insert:
			a.index = rapid.SampledFrom([]int{3, 4, 0}).Draw(r, "which") // u and v, which are not there
		default:
			a.index = rapid.SampledFrom([]int{0, 0, 0, 1, 1, 1, 2, 3}).Draw(r, "which") // few, so that they meet
		}
		plan = append(plan, a)
		if a.ends() {
			running[slot] = 0
		}
	}
	for _, slot := range rapid.Permutation([]int{0, 1, 2}[:atATime]).Draw(r, "ends") {
		if running[slot] > 0 {
			plan = append(plan, action{kind: commit, tx: running[slot]})
		}
	}
	return plan
}
