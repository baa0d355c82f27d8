//go:build race

package file

// crashPoints is how many crashes are tried: as many as fit beside the other tests
// where the race detector makes each take five times as long. make test tries all of
// them once more without it.
const crashPoints = 20_000
