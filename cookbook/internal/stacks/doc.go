// Package stacks tests and measures all decorators together, in every order.
package stacks
