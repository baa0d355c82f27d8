// File-tool looks into files of backends/file and repairs them:
//
//	go run ./cookbook/file-tool verify cookies.db
//
// It needs no model: the file's header tells enough of it. README.md beside this
// file shows all commands.
package main
