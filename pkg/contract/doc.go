// Package contract is Parley's one list of what its parts say to each other:
// the methods that services answer, the events they publish, the frames that
// clients exchange with a gateway, close codes, and the NATS subjects of all
// of them. It uses the standard library only.
//
// A method, a push and an event are typed values, so that a mismatch between
// two parts does not compile. [Methods], [Pushes] and [Events] list them all;
// docs/nats.md and each service's NATS permissions are generated from these
// lists.
package contract
