// Package recipetest tests the programs of the cookbook as their users run them: as processes, copied to a module of
// their own, and by the commands that their README shows.
//
//	func TestMain(m *testing.M) { recipetest.Main(m) }
//
//	func TestReadme(t *testing.T) { recipetest.Walkthrough(t, "README.md") }
//
// # Copies
//
// [Main] copies the recipe in the current folder, without its tests, to a module of its own and builds the program there.
// The module requires this project and replaces it by the working tree. So a recipe that imports an internal package of
// the project does not build, and every test of the recipe runs the copy.
//
// # The blocks of a README
//
// [Walkthrough] goes through the code blocks of a README in order:
//
//   - A block of sh that begins with "go run ./cookbook/" starts the program of the recipe on a free port, with the
//     arguments of the command. Another block of sh is not run.
//
//   - A block of go that begins with "package main" is built in a module of its own and started. It must listen on
//     127.0.0.1:8080, for which the test substitutes a free port. Another block of go is not run; see [Shown].
//
//   - A block of console shows commands and their output:
//
//     $ curl -s http://127.0.0.1:8080/jar/1
//     {"id":1,"cookies":[1]}
//
// A program runs until the next one starts. A command continues on the next line after a backslash. All commands run in
// one shell, in a temporary folder with a link to the cookbook, and so share variables, functions and files. A command
// that begins with "go run ./cookbook/" and the name of the recipe runs the program to its end. In the output, three dots
// match any text within a line, and a line of three dots matches any lines. The address 127.0.0.1:8080 stands for the
// address of the program.
package recipetest
