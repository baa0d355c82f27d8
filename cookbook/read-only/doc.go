// Read-only serves resources that clients cannot change, always or for a while:
//
//	go run ./cookbook/read-only -resources jar -admin FILE
//
// The README shows it step by step; -help tells of the flags.
package main
