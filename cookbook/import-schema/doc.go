// Import-schema prints the Go source of a model for the tables of an existing
// PostgreSQL schema:
//
//	go run ./cookbook/import-schema -url postgres://user@host/database -schema NAME
//
// What a model cannot hold, or holds in another form, is reported on standard
// error. README.md beside this file shows an example.
package main
