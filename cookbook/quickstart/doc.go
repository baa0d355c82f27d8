// Quickstart serves related resources over REST from one command:
//
//	go run ./cookbook/quickstart
//
// Flags choose the address, the storage, the model and initial data; -help
// tells of them.
package main
