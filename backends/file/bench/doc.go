// Package bench measures backends/file beside other stores in a file, bbolt and
// SQLite. It is a module of its own, so that nobody who uses Larder downloads them.
//
//	make bench PKG=./backends/file
//
// All commit the same record durably, to the same disk, in turn and so under the same
// load. What is reported is the median of the ratios of their times to ours: above 1,
// we are ahead. Absolute times say more of the disk than of the stores.
package bench
