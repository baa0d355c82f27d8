// Authentication serves records of which each user sees those that she created:
//
//	go run ./cookbook/authentication -secret FILE
//
// The README shows it step by step; -help tells of the flags.
package main
