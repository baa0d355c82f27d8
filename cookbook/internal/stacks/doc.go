// Package stacks is the place of the tests of the decorators together: in every
// order, on every backend, and what they cost.
package stacks
