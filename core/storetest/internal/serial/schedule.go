// Package serial checks that concurrent transactions are serializable. A [History] runs the transactions of a [Schedule] on
// a store, and then searches a serial order that explains their results.
package serial

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// The actions of a schedule, in the notation of Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995). The
// predicate P is membership in one group of records.
const (
	read        = 'r' // r1(x): transaction 1 reads x
	write       = 'w' // w1(x): writes x, which must exist
	guarded     = 'g' // g1(x): writes x under a policy that hides it outside the group
	move        = 'm' // m1(x): moves x out of the group
	insert      = 'i' // i1(x): adds x to the group
	remove      = 'd' // d1(x): deletes x
	count       = 'n' // n1(P): counts the group
	selectGroup = 's' // s1(P): reads the group
	readAll     = '*' // reads all records after the last transaction
	commit      = 'c' // c1: commits
	abort       = 'a' // a1: rolls back
)

// action is one step of one transaction.
type action struct {
	kind  byte
	tx    int
	index int // register of the action, if it has one
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

// Schedule is the order in which the actions of several transactions start. Each transaction ends with a commit or a
// rollback.
type Schedule []action

// Parse reads a schedule. The numbers of its transactions have one digit.
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

// ByTransaction returns the actions of each transaction, in order of first appearance.
func (s Schedule) ByTransaction() []Schedule {
	var transactions []Schedule
	indexes := make(map[int]int)
	for _, a := range s {
		i, known := indexes[a.tx]
		if !known {
			i = len(transactions)
			indexes[a.tx] = i
			transactions = append(transactions, nil)
		}
		transactions[i] = append(transactions[i], a)
	}
	return transactions
}

// readOnly reports whether no action writes.
func (s Schedule) readOnly() bool {
	for _, a := range s {
		if a.writes() {
			return false
		}
	}
	return true
}

// HasReader reports whether one of the transactions has no writes.
func (s Schedule) HasReader() bool {
	return slices.ContainsFunc(s.ByTransaction(), Schedule.readOnly)
}

// Draw returns n random actions of transactions, of which at most atATime are open at any time.
func Draw(r *rapid.T, n, atATime int) Schedule {
	var plan Schedule
	running := make([]int, atATime) // transaction numbers, 0 for none
	last := 0
	for range n {
		slot := rapid.IntRange(0, atATime-1).Draw(r, "slot")
		if running[slot] == 0 {
			last++
			running[slot] = last
		}
		a := action{tx: running[slot], kind: rapid.SampledFrom([]byte("rrrrwwwwnnsmgiidccca")).Draw(r, "action")}
		switch a.kind {
		case count, selectGroup, commit, abort:
		case insert:
			a.index = rapid.SampledFrom([]int{3, 4, 0}).Draw(r, "register") // mostly u and v, which do not exist
		default:
			a.index = rapid.SampledFrom([]int{0, 0, 0, 1, 1, 1, 2, 3}).Draw(r, "register") // few, so that transactions meet
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
