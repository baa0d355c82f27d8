//go:build !race

package file

// crashPoints is how many crashes are tried.
const crashPoints = 100_000
