// Package recipetest tests the programs of the cookbook as their users run them: as
// processes, and by their README.
//
//	func TestMain(m *testing.M) { recipetest.Main(m) }
//
//	func TestTheReadmeShowsWhatHappens(t *testing.T) { recipetest.Walkthrough(t, "README.md") }
//
// # What a README shows
//
// A block of sh that begins with "go run ./cookbook/" starts the program, on a free
// port; the one that was started before is ended. Other blocks of sh are for the
// reader alone.
//
// A block of console shows commands and what they print:
//
//	$ curl -s http://127.0.0.1:8080/jar/1
//	{"id":1,"cookies":[1]}
//
// A command goes on over lines that end with a backslash. All commands run in one
// shell, in a folder of the test's own that has a link to the cookbook, so that
// variables, functions and files last. In the output, three dots stand for
// anything within a line, and a line of three dots for any lines. The address
// 127.0.0.1:8080 stands for the program's own.
package recipetest
