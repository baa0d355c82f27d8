package serial

import "pgregory.net/rapid"

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
		a := action{tx: running[slot], do: rapid.SampledFrom([]byte("rrrrwwwwnnsmgiidccca")).Draw(r, "what")}
		switch a.do {
		case count, selectGroup, commit, abort:
		case insert:
			a.reg = rapid.SampledFrom([]int{3, 4, 0}).Draw(r, "which") // u and v, which are not there
		default:
			a.reg = rapid.SampledFrom([]int{0, 0, 0, 1, 1, 1, 2, 3}).Draw(r, "which") // few, so that they meet
		}
		plan = append(plan, a)
		if a.ends() {
			running[slot] = 0
		}
	}
	for _, slot := range rapid.Permutation([]int{0, 1, 2}[:atATime]).Draw(r, "ends") {
		if running[slot] > 0 {
			plan = append(plan, action{do: commit, tx: running[slot]})
		}
	}
	return plan
}
