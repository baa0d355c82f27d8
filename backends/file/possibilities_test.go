package file

import "math/rand/v2"

// possibilities calls try once for each way in which choices can be made, or, when
// there are more than limit, for that many of them: all first ones, all last ones,
// and others at random.
func possibilities(random *rand.Rand, limit int, try func(choose func(n int) int)) {
	var path, radix []int
	count := 1
	try(func(n int) int { // the first one, and how many choices there are
		radix = append(radix, n)
		count = min(count*n, limit+1)
		return 0
	})
	if count > limit {
		try(func(n int) int { return n - 1 })
		for range limit - 2 {
			try(random.IntN)
		}
		return
	}
	for path = make([]int, len(radix)); advance(path, radix); {
		at := 0
		try(func(n int) int {
			if at++; at > len(path) { // a choice that depends on others
				return 0
			}
			return min(path[at-1], n-1)
		})
	}
}

// advance moves to the next combination; false behind the last one.
func advance(path, radix []int) bool {
	for i := range path {
		if path[i]++; path[i] < radix[i] {
			return true
		}
		path[i] = 0
	}
	return false
}
