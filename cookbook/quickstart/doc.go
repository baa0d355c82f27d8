// Quickstart serves related resources over REST from one command:
//
//	go run ./cookbook/quickstart
//
// Flags choose the address, the storage, the model, initial data and decorators; -help
// tells of them.
//
// It serves /metrics on the same address: to everybody, and with -auth or -policy to
// the token of admin, since larder_operation_rows_total tells how much there is of each
// resource. A program for the world serves it on an internal address.
package main
