// Command metrics serves cookies and, under /metrics, what happens in their store,
// for Prometheus. README.md has commands to try, and says what each panel of the
// dashboard answers.
package main
