// Package limit is a decorator that bounds what each caller may ask of a store: the rate of its requests, how many run at
// once, and how long one may take.
//
//	store, err := core.New(ctx, model, backend,
//		limit.New(
//			limit.Rule{Name: "anonymous", Roles: []string{limit.Anonymous}, Requests: 60, Window: time.Minute},
//			limit.Rule{Name: "writes", Kinds: []core.Kind{core.Insert, core.Update, core.Delete, core.Restore}, Requests: 100, Window: time.Minute},
//			limit.Rule{Name: "at once", Concurrent: 4, Total: 64, Wait: 2 * time.Second},
//			limit.Rule{Name: "reports", Roles: []string{"report"}, Time: 10 * time.Second}),
//		access.New(policy, access.Options{}))
//
// # In a stack
//
//	request with a principal
//	  |
//	logging, metrics     a request beyond a limit has the outcome "denied"
//	  |
//	limit                takes from the rate, waits for a place, sets a deadline; or denies, before anything is read
//	  |
//	policies, effects, answers
//	  |
//	backend              stops at the deadline: PostgreSQL cancels the statement
//
// It is a policy, and should be the outermost one: a denied request costs nothing then. It changes no operation.
//
// # What a rule counts
//
// A rule without Kinds counts requests to the store: each transaction, and each operation outside of one. Operations in a
// transaction, and those that decorators and hooks derive, belong to their request. A rule with Kinds counts every operation
// of these kinds, also in transactions. Attempts after a conflict are not counted again. core/engine makes one request to the
// store of each HTTP request. core/rest asks the store once more, as a transaction, about each anonymous write and each failed
// anonymous read.
//
// All rules that apply to a caller hold, whatever roles it has. An operation that a limit denies takes nothing from
// any rate; one that an inner policy denies counts. Operations of
// [core.System] are not limited and not counted.
//
// # Keys
//
// A rule has a quota for each key. By default the key is the id of the principal, and all anonymous callers share one key.
// [Everyone] gives all callers of the rule one quota together, [ByClaim] each tenant one. A function of the program may take
// the key from the context, such as the address of an anonymous client.
//
// A rate keeps [Rule.Keys] keys. Beyond that, a key whose quota is full again makes room; if there is none, further keys
// share one quota. Callers with many keys therefore neither use up the memory nor get rid of a used quota.
//
// # Rates
//
// A key may send Requests at once, and then one whenever Window/Requests has passed (golang.org/x/time/rate). In one Window it
// can send at most twice the number of Requests.
//
// # Concurrency and queues
//
// A request that finds no place waits at most Wait. Waiting requests of one key are served in their order, and keys take
// turns, so that a caller with a thousand waiting requests delays another one by one request only. Each waiting request holds
// its memory: rest.Options.MaxInFlight bounds the sum.
//
// # Time
//
// Time is a deadline in the context of the operation. Every backend ends an operation at its deadline, and PostgreSQL gets a
// request to cancel the statement. A time that must hold on the server even if this program hangs is postgres.Options
// StatementTimeout.
//
// # Errors
//
//   - [core.TooManyRequests] with [core.Quota]: beyond a rate, or no place within Wait. Package rest answers 429 with
//     Retry-After. After a rate, that is the time at which one more request passes, if the caller sends no other. For a place
//     it is an estimate: Wait, at least a second.
//   - [core.QueryTooExpensive]: a read, or a read-only transaction, exceeded Time.
//   - [core.Unavailable]: a write exceeded Time, perhaps because it waited for others. Nothing was written.
//     [core.OutcomeUnknown] if the time ended during the commit.
//
// # Limits of this package
//
// It is no gateway. A store is reached after a request was accepted, read and authenticated, so these limits belong in front
// of the program or in its server: connections and requests per address, floods, slow clients (http.Server ReadHeaderTimeout),
// sizes of headers and bodies, attempts to guess passwords or tokens. Counts are those of one process: n processes permit n
// times the quota. Each start of the process resets them.
//
// # Cost
//
// A rule with a rate adds about 0.5 µs to a get from memory, and one with places 1 µs; by hand both add 0.2 µs (see BenchmarkGet).
package limit
