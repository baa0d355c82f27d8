// Command logging serves cookies with a log of what happens in their store: a line of
// JSON for every operation and transaction, with the id of the request. The level
// can be changed while it runs. README.md has commands to try.
package main
