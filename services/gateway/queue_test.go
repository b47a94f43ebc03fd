package gateway

import (
	"net"
	"testing"
	"time"
)

func frame(text string) *outgoing {
	return &outgoing{wire: wireFrame(wireText, []byte(text)), size: len(text)}
}

// nowhere is one end of a socket whose other end nobody reads.
func nowhere(tb testing.TB) net.Conn {
	tb.Helper()
	here, there := net.Pipe()
	tb.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here
}

// unwritten is a connection whose writer is never started: the test takes what
// waits.
func unwritten(c *conn) *conn {
	c.queue.writing = true
	return c
}

// drain takes what waits for such a connection.
func drain(c *conn) []*outgoing {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	taken := c.queue.waiting
	if c.queue.waiting = nil; taken == nil {
		return nil
	}
	return taken.frames
}

// fits reports whether a queue has taken a frame in.
func fits(_, ok bool) bool { return ok }

func taken(q *queue) (texts []string, closing *ending) {
	batch, closing := q.take()
	if batch != nil {
		for _, o := range batch.frames {
			texts = append(texts, text(o))
		}
	}
	return texts, closing
}

func TestQueue(t *testing.T) {
	t.Run("pushes wait behind the answer to authentication, replies do not", func(t *testing.T) {
		q := newQueue(100)
		q.push(frame("push"))
		q.reply(frame("reply"))
		if texts, _ := taken(&q); len(texts) != 1 || texts[0] != "reply" {
			t.Fatalf("got %q", texts)
		}
		q.release(frame("ready"))
		q.push(frame("later"))
		if texts, _ := taken(&q); len(texts) != 3 || texts[0] != "ready" || texts[1] != "push" || texts[2] != "later" {
			t.Fatalf("got %q", texts)
		}
	})
	t.Run("full by bytes, held ones too, until they are written", func(t *testing.T) {
		q := newQueue(10)
		if !fits(q.push(frame("12345"))) || !fits(q.reply(frame("67890"))) || fits(q.push(frame("x"))) || fits(q.reply(frame("x"))) {
			t.Fatal("the bound is not 10 bytes")
		}
		q.take()
		if fits(q.reply(frame("x"))) {
			t.Fatal("what is being written does not count")
		}
		q.done(5)
		if !fits(q.reply(frame("12345"))) || fits(q.reply(frame("x"))) {
			t.Fatal("what was written still counts")
		}
	})
	t.Run("the ready frame does not count, however large", func(t *testing.T) {
		q := newQueue(10)
		if !fits(q.push(frame("12345"))) {
			t.Fatal("a push that fits")
		}
		q.release(frame("a ready frame of more than ten bytes"))
		if !fits(q.push(frame("67890"))) || fits(q.push(frame("x"))) {
			t.Fatal("what was held does not count, or the ready frame does")
		}
		batch, _ := q.take()
		for _, o := range batch.frames {
			q.done(o.size)
		}
		if len(batch.frames) != 3 || !fits(q.push(frame("1234567890"))) || fits(q.push(frame("x"))) {
			t.Fatalf("after %d frames were written the bound is not 10 bytes", len(batch.frames))
		}
	})
	t.Run("too slow before it was ready is too slow", func(t *testing.T) {
		q := newQueue(10)
		if !fits(q.push(frame("1234567890"))) || fits(q.push(frame("x"))) {
			t.Fatal("what is held does not count")
		}
		q.close(endTooSlow, true)
		q.release(frame("ready"))
		if texts, end := taken(&q); len(texts) != 0 || end != endTooSlow {
			t.Fatalf("got %q, %v", texts, end)
		}
	})
	t.Run("closing writes what waits, dropping does not, the first code stands", func(t *testing.T) {
		q := newQueue(100)
		q.reply(frame("last"))
		q.close(endRevoked, false)
		q.close(endTooSlow, true)
		q.reply(frame("too late"))
		if texts, end := taken(&q); len(texts) != 1 || texts[0] != "last" || end != endRevoked {
			t.Fatalf("got %q, %v", texts, end)
		}
		q = newQueue(100)
		q.reply(frame("dropped"))
		q.close(endTooSlow, true)
		if texts, end := taken(&q); len(texts) != 0 || end != endTooSlow {
			t.Fatalf("got %q, %v", texts, end)
		}
	})
}

// A writer is started when there is something to write and none runs, and once.
func TestQueue_starts_one_writer(t *testing.T) {
	starts := func(start, _ bool) bool { return start }
	q := newQueue(100)
	if starts(q.push(frame("held back"))) {
		t.Fatal("a writer is started for what may not be written yet")
	}
	if !q.release(frame("ready")) || starts(q.push(frame("1"))) || starts(q.reply(frame("2"))) {
		t.Fatal("not one writer for four frames")
	}
	if batch, _ := q.take(); len(batch.frames) != 4 || starts(q.push(frame("3"))) {
		t.Fatal("a second writer while the first writes")
	}
	if batch, _ := q.take(); len(batch.frames) != 1 {
		t.Fatal("the first does not get what came meanwhile")
	}
	if batch, closing := q.take(); batch != nil || closing != nil || !starts(q.push(frame("4"))) {
		t.Fatal("the next frame after it has ended starts none")
	}
	q.take()
	q.take() // the writer ends
	if !q.close(endRevoked, false) || q.close(endTooSlow, true) {
		t.Fatal("not one writer for the ending")
	}
	q.end()
	q.join()
	if starts(q.push(frame("5"))) || starts(q.reply(frame("5"))) || q.release(frame("5")) || q.close(endFailed, true) {
		t.Fatal("a writer after the last")
	}
}

func TestPace(t *testing.T) {
	p := newPace(10, 3)
	now := time.Unix(0, 0)
	for i, want := range []bool{true, true, true, false} {
		if got := p.allow(now); got != want {
			t.Fatalf("frame %d: %v", i, got)
		}
	}
	if now = now.Add(100 * time.Millisecond); !p.allow(now) || p.allow(now) {
		t.Fatal("a tenth of a second is worth one frame")
	}
	if now = now.Add(time.Hour); !p.allow(now) || !p.allow(now) || !p.allow(now) || p.allow(now) {
		t.Fatal("an hour is worth the burst")
	}
}
