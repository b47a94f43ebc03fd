// Package rpc is typed request/reply between Parley's services, over
// [github.com/nats-io/nats.go/micro]: any replica answers a [contract.Method]
// from a queue group, `nats micro ls` and `nats micro stats` show who serves
// what, and every error that crosses is a [fault.Error].
//
// A [Server] hands requests to a bounded pool of workers, each under the
// deadline of its caller, and when it stops it answers all that had reached
// it. A [Client] tries again by itself what surely was not run: nobody
// listened, or there was no connection to send it on. Of what may have been
// run it sends again only methods that are Repeatable: when the connection
// broke, or when an answer takes so long that it may be lost. NATS loses some
// without a word when a server of it dies, or a replica: an answer may leave
// only by the connection on which the request came.
//
// Calls of a Grouped method that meet on their way travel in one request, so
// that the cost of each falls as they become more; alone, a call waits for none.
//
// # What an error says about the request
//
//   - Unavailable from a call: it was not run (or the caller itself gave up,
//     see [Call]); the same request may be sent again.
//   - DeadlineExceeded: unknown. It may have run, may be running, or may yet
//     run. A method that changes something needs a key of its own (client_id)
//     to be safely sent again.
//   - Internal: unknown; the server's log has the reason under the trace id.
//   - Anything else is the method's own answer.
package rpc
