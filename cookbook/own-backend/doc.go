// Own-backend serves records from a storage that is written here, in maps:
//
//	go run ./cookbook/own-backend
//
// The README shows it; -help tells of the flags.
package main
