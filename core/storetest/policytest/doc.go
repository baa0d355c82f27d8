// Package policytest is the kit for authors of policies: decorators that restrict the operations and the rows of a
// principal. It tries to bypass a stack of policies, and fails if it finds a way.
//
// # Use
//
// The author describes the decisions of the stack in a [PolicySpec] and runs two kits:
//
//	func TestPolicyCannotBeBypassed(t *testing.T) {
//		spec := policytest.PolicySpec{
//			Stack: func(testing.TB) policytest.Stack {
//				return policytest.Stack{Decorators: []core.Decorator{mypolicy.New()}}
//			},
//			Model: model, Rows: rows, Principals: principals,
//			CanRead: func(p *core.Principal, row core.Record) bool {
//				return p.ID.IsSet() && row.Get("owner") == p.ID
//			},
//		}
//		policytest.Guard(t, open, spec)
//		policytest.NonInterference(t, open, spec)
//	}
//
// open returns a fresh, empty backend, as for [storetest.Run]. A policy that restricts each principal to records of its
// own, by a field owner, needs only Stack: [OwnedModel] has the model, and Rows, Principals and CanRead follow from it.
//
// # Decisions
//
// CanRead is the one decision that other models need. The kit calls it for each row. It must not use the code under test. A
// policy that depends on related rows, such as memberships, sets Decide instead: it gets all rows of a state of the store.
// Grants names the rows that the decisions depend on:
//
//	Decide: func(all reference.Records) policytest.Decisions {
//		return policytest.Decisions{CanRead: func(p *core.Principal, row core.Record) bool {
//			for m := range all(model.Resource("member")) {
//				if p.ID.IsSet() && m.Get("user") == p.ID && m.Get("team") == row.Get("team") {
//					return true
//				}
//			}
//			return false
//		}}
//	},
//	Grants: func(p *core.Principal, row core.Record) bool {
//		return row.Resource().Name() == "member" && row.Get("user") == p.ID
//	},
//
// Further fields of the spec describe policies with other rules for changes ([PolicySpec.CanChange],
// [PolicySpec.CanResultIn]), with unreadable fields ([PolicySpec.CanReadField]), that deny kinds of operations
// ([PolicySpec.Denies]), or that treat all callers alike ([PolicySpec.IgnoresPrincipal]), and stacks that keep deleted records
// ([PolicySpec.DeletedAt]).
//
// # The two kits
//
// Operations of both kits filter and sort by related records, too: records that the principal cannot read must not exist in
// them. If a decorator of the stack does not declare [core.Decorator.KnowsRelated], the store may refuse such operations.
//
// [Guard] sends operations of every kind on every resource for every principal, and checks the ops that reach the backend,
// the results and the stored rows. It finds an op without a guard even if the missing guard had no effect. Each of
// [GuardCases] is a subtest.
//
// [NonInterference] runs the same random program in two stores, which differ only in rows and fields that the principal
// may not read, and compares all results and the output of [Stack.Observe]. It finds any information that a principal
// gets about hidden rows, whatever the way. The information that no policy can hide is listed there.
//
// # Repeated writes and batches
//
// If the model declares [core.AnswersName], the kits remember answers: Guard checks that they belong to one principal, and
// NonInterference sends writes with an Idempotency-Key through package core/rest and [PolicySpec.Middleware]. It sends batches
// of requests that way for every model.
//
// # Cost and limits
//
// Guard sends thousands of operations for each rule; [PolicySpec.Thin] and the environment variable LARDER_THIN reduce
// them for slow backends. NonInterference compares 50,000 operations in each of its two subtests;
// [PolicySpec.Operations] and LARDER_OPERATIONS set another number. Both find only violations that the rows of the spec
// can show: a value that a rule depends on must occur in them. Neither measures time.
package policytest
