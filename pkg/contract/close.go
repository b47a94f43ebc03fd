package contract

// CloseCode is the status with which a gateway closes a WebSocket. From 4000
// to 4499 the client should reconnect, from 4500 to 4999 it should not.
type CloseCode int

// The close codes of a gateway.
const (
	CloseGoingAway       CloseCode = 1001 // the gateway is leaving: reconnect
	CloseServiceRestart  CloseCode = 1012 // the gateway restarts: reconnect
	CloseUnauthenticated CloseCode = 4401 // no, bad or expired token: authenticate again
	CloseTooSlow         CloseCode = 4408 // did not read fast enough: reconnect and catch up
	CloseTooFast         CloseCode = 4429 // too many frames or bad frames: reconnect after a while
	CloseTooLarge        CloseCode = 1009 // a frame over the limit; the WebSocket layer sends it: reconnect, send less
	CloseSessionRevoked  CloseCode = 4503 // the session has ended: log in again, do not reconnect
)

// Reconnect reports whether a client should connect again after this code.
func (c CloseCode) Reconnect() bool { return c < 4500 }

// Reason is the text sent along with the code.
func (c CloseCode) Reason() string {
	switch c {
	case CloseGoingAway, CloseServiceRestart:
		return "draining"
	case CloseUnauthenticated:
		return "authenticate again"
	case CloseTooSlow:
		return "too slow: catch up"
	case CloseTooFast:
		return "too fast"
	case CloseTooLarge:
		return "frame too large"
	case CloseSessionRevoked:
		return "session revoked"
	default:
		return ""
	}
}
