package gateway

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// lingerTime and lingerBytes bound how long a refused client may go on
	// sending before the connection is closed under it.
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20
)

// lingerListener hands out connections that can be closed in a way that the
// last answer survives. Closed while the client still sends a body that is too
// large, TCP would reset the connection and take the answer with it.
type lingerListener struct{ net.Listener }

// Accept waits for the next connection.
func (l lingerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingerConn{Conn: c}, nil
}

type lingerConn struct {
	net.Conn
	linger atomic.Bool
}

// lingerOn has the connection read what the client still sends before it is
// closed.
func lingerOn(c net.Conn) {
	if lc, ok := c.(*lingerConn); ok {
		lc.linger.Store(true)
	}
}

// Close tells the client that no more will come, hears it out within bounds,
// and closes. Without lingerOn it just closes.
func (c *lingerConn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || !c.linger.CompareAndSwap(true, false) {
		return c.Conn.Close()
	}
	if half.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes) // whatever ends it, it is over
	}
	return c.Conn.Close()
}
