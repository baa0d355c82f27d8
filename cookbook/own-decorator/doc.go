// Own-decorator serves records that can be brought back after they were deleted, by
// a decorator that is written here:
//
//	go run ./cookbook/own-decorator
//
// The README shows it step by step; -help tells of the flags.
package main
