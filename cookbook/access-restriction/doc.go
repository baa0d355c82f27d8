// Access-restriction serves a bakery in which guests, bakers and its owner may do
// different things, as the policy in policy.json says:
//
//	go run ./cookbook/access-restriction
package main
