package chat

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
)

// record is a message as the handler makes it.
func record(room, sender, clientID string) Record {
	return newRecord(contract.SendRequest{
		Caller: contract.Caller{UserID: sender}, RoomID: room, ClientID: clientID,
		Type: contract.MessageText, Content: contract.Content{Text: "text of " + clientID},
	})
}

func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "chat.db") }

func newStore(t testing.TB) Store { return openFile(t, newFile(t)) }

func openFile(t testing.TB, path string) Store {
	t.Helper()
	s, err := openSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fill makes a room of so many messages.
func fill(t testing.TB, store Store, room string, length int64) {
	t.Helper()
	var batch []Record
	for seq := int64(1); seq <= length; seq++ {
		r := record(room, "ann", fmt.Sprint(seq))
		r.Seq, r.SentAt = seq, contract.NewTime(time.Now())
		if batch = append(batch, r); len(batch) == 500 || seq == length {
			if _, err := store.Append(context.Background(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
}

// stored is all that a room holds.
func stored(t testing.TB, store Store, room string) []Record {
	t.Helper()
	all, err := store.Page(within(t), Range{RoomID: room, From: 1, To: math.MaxInt64, Limit: 1 << 20, Bytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wantLog reads a room and fails unless it holds n messages without a hole.
func wantLog(t *testing.T, s Store, room string, n int) []Record {
	t.Helper()
	var all []Record
	for {
		page, err := s.Page(within(t), Range{RoomID: room, From: int64(len(all)) + 1, To: 1 << 60, Limit: 1000, Bytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
	}
	for i, m := range all {
		if m.Seq != int64(i)+1 {
			t.Fatalf("%s has seq %d where %d should be", room, m.Seq, i+1)
		}
	}
	if n >= 0 && len(all) != n {
		t.Fatalf("%s has %d messages, want %d", room, len(all), n)
	}
	return all
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// newGate holds whoever passes it until it is opened, or until the test ends:
// once a test has failed, nothing may wait for it.
func newGate(t testing.TB) (pass, open func()) {
	gate := make(chan struct{})
	pass = func() {
		select {
		case <-gate:
		case <-t.Context().Done():
		}
	}
	return pass, sync.OnceFunc(func() { close(gate) })
}

func mustAppend(t *testing.T, log *testLog, r Record) Receipt {
	t.Helper()
	got, err := log.Append(within(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// testLog is a Log that runs until the test ends, and what it announced.
type testLog struct {
	*Log
	tel    *telemetry.Telemetry
	out    *recorder
	cancel context.CancelFunc
	stop   func()
}

func testOptions() LogOptions {
	return LogOptions{
		Committers: 1, Queue: 1000, BatchDocs: 500, BatchBytes: 4 << 20,
		StoreTimeout: 5 * time.Second, SendTimeout: 20 * time.Second,
		ActiveRooms: 1000, RecentSends: 1000, QuietAfter: time.Minute, Now: time.Now,
	}
}

func testMemory() *Memory {
	return NewMemory(MemoryOptions{PerRoom: 200, Bytes: 1 << 20, Age: time.Hour, Now: time.Now})
}

func startLog(t testing.TB, store Store, edit ...func(*LogOptions)) *testLog {
	t.Helper()
	return startLogWith(t, store, testMemory(), edit...)
}

func startLogWith(t testing.TB, store Store, memory *Memory, edit ...func(*LogOptions)) *testLog {
	t.Helper()
	o := testOptions()
	for _, f := range edit {
		f(&o)
	}
	out := newRecorder()
	tel := telemetry.Discard(contract.Chat)
	l := &testLog{Log: NewLog(store, memory, out, o, tel), tel: tel, out: out}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }() // ends with ctx; stop waits
	l.stop = sync.OnceFunc(func() {
		l.cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(l.stop)
	return l
}

func wantAscending(t *testing.T, pushed []contract.Message) {
	t.Helper()
	for i := 1; i < len(pushed); i++ {
		if pushed[i].Seq <= pushed[i-1].Seq {
			t.Fatalf("seq %d was published after %d", pushed[i].Seq, pushed[i-1].Seq)
		}
	}
}

type outcome struct {
	receipt Receipt
	err     error
}

// atOnce starts n goroutines; what it returns waits for them.
func atOnce(n int, f func(i int) (Receipt, error)) (wait func() []outcome) {
	outcomes := make([]outcome, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { outcomes[i].receipt, outcomes[i].err = f(i) })
	}
	return func() []outcome {
		wg.Wait()
		return outcomes
	}
}

// gathered is the value of a counter or gauge, in sum over its labels.
func (l *testLog) gathered(t testing.TB, name string) (sum float64) {
	t.Helper()
	families, err := l.tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
			return sum
		}
	}
	t.Fatalf("no metric is called %s", name)
	return 0
}

// counted is the value of one counter.
func counted(t testing.TB, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}
