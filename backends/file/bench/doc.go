// Package bench compares backends/file with other stores in a file, bbolt and SQLite. It is a module of its own, so that
// users of Larder do not depend on them.
//
//	make bench PKG=./backends/file
//
// All stores commit the same record durably to the same disk, in turn and so under the same load. The benchmarks report
// the median of the ratios of their times to ours: above 1, Larder is faster. Absolute times depend more on the disk
// than on the stores.
package bench
