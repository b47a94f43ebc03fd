package telemetry

import "context"

// request is a context with the id of the request that it serves.
type request struct {
	context.Context
	id string
}

type requestKey struct{}

// Value makes request a context.Context.
func (r *request) Value(key any) any {
	if key == (requestKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// WithRequest returns ctx with the id of the request that is served, which all
// log lines about it carry, in every service. The id must be a
// contract.ValidRequestID.
func WithRequest(ctx context.Context, id string) context.Context {
	return &request{Context: ctx, id: id}
}

// RequestID is the id that WithRequest put into ctx, or empty.
func RequestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r.id
	}
	return ""
}
