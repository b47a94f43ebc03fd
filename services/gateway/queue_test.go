package gateway

import (
	"testing"
	"time"
)

func frame(text string) outgoing {
	return outgoing{wire: wireFrame(wireText, []byte(text)), size: len(text)}
}

func taken(q *queue) (texts []string, closing *ending) {
	batch, closing := q.take(nil)
	for _, o := range batch {
		texts = append(texts, text(o))
	}
	return texts, closing
}

func TestQueue(t *testing.T) {
	t.Run("pushes wait behind the answer to authentication, replies do not", func(t *testing.T) {
		q := newQueue(100)
		q.push(frame("push"))
		q.reply(frame("reply"))
		if texts, _ := taken(q); len(texts) != 1 || texts[0] != "reply" {
			t.Fatalf("got %q", texts)
		}
		q.release(frame("ready"))
		q.push(frame("later"))
		if texts, _ := taken(q); len(texts) != 3 || texts[0] != "ready" || texts[1] != "push" || texts[2] != "later" {
			t.Fatalf("got %q", texts)
		}
	})
	t.Run("full by bytes, held ones too, until they are written", func(t *testing.T) {
		q := newQueue(10)
		if !q.push(frame("12345")) || !q.reply(frame("67890")) || q.push(frame("x")) || q.reply(frame("x")) {
			t.Fatal("the bound is not 10 bytes")
		}
		q.take(nil)
		if q.reply(frame("x")) {
			t.Fatal("what is being written does not count")
		}
		q.done(5)
		if !q.reply(frame("12345")) || q.reply(frame("x")) {
			t.Fatal("what was written still counts")
		}
	})
	t.Run("the ready frame does not count, however large", func(t *testing.T) {
		q := newQueue(10)
		if !q.push(frame("12345")) {
			t.Fatal("a push that fits")
		}
		q.release(frame("a ready frame of more than ten bytes"))
		if !q.push(frame("67890")) || q.push(frame("x")) {
			t.Fatal("what was held does not count, or the ready frame does")
		}
		batch, _ := q.take(nil)
		for _, o := range batch {
			q.done(o.size)
		}
		if len(batch) != 3 || !q.push(frame("1234567890")) || q.push(frame("x")) {
			t.Fatalf("after %d frames were written the bound is not 10 bytes", len(batch))
		}
	})
	t.Run("too slow before it was ready is too slow", func(t *testing.T) {
		q := newQueue(10)
		if !q.push(frame("1234567890")) || q.push(frame("x")) {
			t.Fatal("what is held does not count")
		}
		q.close(endTooSlow, true)
		q.release(frame("ready"))
		if texts, end := taken(q); len(texts) != 0 || end != endTooSlow {
			t.Fatalf("got %q, %v", texts, end)
		}
	})
	t.Run("closing writes what waits, dropping does not, the first code stands", func(t *testing.T) {
		q := newQueue(100)
		q.reply(frame("last"))
		q.close(endRevoked, false)
		q.close(endTooSlow, true)
		q.reply(frame("too late"))
		if texts, end := taken(q); len(texts) != 1 || texts[0] != "last" || end != endRevoked {
			t.Fatalf("got %q, %v", texts, end)
		}
		q = newQueue(100)
		q.reply(frame("dropped"))
		q.close(endTooSlow, true)
		if texts, end := taken(q); len(texts) != 0 || end != endTooSlow {
			t.Fatalf("got %q, %v", texts, end)
		}
	})
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
