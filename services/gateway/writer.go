package gateway

import "time"

// write is the writer: it ends when nothing waits, and for good when the queue
// is closed or the socket breaks, and then ends the reader too.
func (c *conn) write() {
	for {
		batch, closing := c.queue.take()
		if batch != nil {
			err := c.writeAll(batch.frames)
			batch.free()
			if err != nil {
				c.queue.close(writeEnding(err), true)
				c.dropRest()
				c.cut()
				c.finish()
				return
			}
		}
		if closing != nil {
			if closing.code != 0 {
				c.writeClose(closing.message())
			} else if c.echo != nil {
				c.writeClose(c.echo)
			}
			c.leave()
			c.finish()
			return
		}
		if batch == nil {
			return
		}
	}
}

// dropRest loses what waits on a connection that was to end after it.
func (c *conn) dropRest() {
	if rest, _ := c.queue.take(); rest != nil {
		lose(rest.frames)
		rest.free()
	}
}

// finish is the last that the last writer does: what is being carried out is
// given up, since nobody can be answered any more.
func (c *conn) finish() {
	c.mu.Lock()
	c.mute = true
	interrupt := c.interrupt
	c.mu.Unlock()
	if interrupt != nil {
		interrupt()
	}
	c.queue.end()
}

// writeAll writes frames until a write fails or the writer has to hurry.
func (c *conn) writeAll(frames []*outgoing) error {
	told := false
	for len(frames) > 0 {
		if c.hurry.Load() {
			lose(frames)
			return nil
		}
		n, err := c.writeSome(frames)
		if err != nil {
			lose(frames)
			return err
		}
		size := 0
		for _, o := range frames[:n] {
			size += o.size
			if o.arrived != 0 && !told {
				told = true
				c.wrote(o)
			}
			o.trail.wrote()
		}
		c.queue.done(size)
		frames = frames[n:]
	}
	return nil
}

// writeSome writes the first frames in one write and returns how many.
func (c *conn) writeSome(frames []*outgoing) (int, error) {
	out, n, buffer := gather(frames)
	if buffer != nil {
		defer gathers.Put(buffer)
	}
	if err := c.nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout)); err != nil {
		return 0, err
	}
	_, err := c.nc.Write(out)
	return n, err
}

// writeClose writes the close frame, the last of all.
func (c *conn) writeClose(payload []byte) {
	if c.nc.SetWriteDeadline(time.Now().Add(linger)) == nil {
		_, _ = c.nc.Write(wireFrame(wireClose, payload)) // who is gone need not be told
	}
}
