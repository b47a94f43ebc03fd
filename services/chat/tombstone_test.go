package chat

import (
	"database/sql"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// A retry of a send that was removed is answered with the message, whatever its
// content: nothing is kept by which the content could be told.
func TestLog_retry_of_a_removed_message(t *testing.T) {
	for name, recent := range map[string]int{"remembered": 1000, "forgotten": 1} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			log := startLog(t, store, func(o *LogOptions) { o.RecentSends = recent })
			first := mustAppend(t, log, record("room", "ann", "1"))
			mustAppend(t, log, record("room", "ann", "2"))
			other := record("room", "ann", "1")
			other.Hash = hashOf(contract.MessageText, contract.Content{Text: "a guess"})
			if _, err := log.Append(within(t), other); !fault.Is(err, fault.AlreadyExists) {
				t.Errorf("before the removal another content is %v", err)
			}
			at := contract.NewTime(time.Now())
			if removed, err := store.Remove(within(t), Removal{Place: Place{RoomID: "room", Seq: 1}, By: "ann", At: at}); err != nil || !removed {
				t.Fatal(removed, err)
			}
			for _, again := range []Record{other, record("room", "ann", "1")} {
				if got := mustAppend(t, log, again); got.Seq != 1 || got.ID != first.ID || !got.Duplicate {
					t.Errorf("a retry got %+v", got)
				}
			}
			if kept := stored(t, store, "room")[0]; kept.Hash != (Hash{}) {
				t.Errorf("the tombstone has the hash %x", kept.Hash)
			}
		})
	}
}

// Tombstones of before lose their hashes as the store is opened.
func TestSQLite_carries_tombstones_over(t *testing.T) {
	path := newFile(t)
	s := openFile(t, path)
	fill(t, s, "room", 2)
	if _, err := s.Remove(within(t), Removal{Place: Place{RoomID: "room", Seq: 1}, By: "ann", At: contract.NewTime(time.Now())}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	const before = `UPDATE messages SET hash = randomblob(16); UPDATE schema_version SET steps = 2, floor = 0`
	if _, err := db.ExecContext(within(t), before); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	all := stored(t, openFile(t, path), "room")
	if all[0].Hash != (Hash{}) || all[1].Hash == (Hash{}) {
		t.Errorf("hashes %x and %x", all[0].Hash, all[1].Hash)
	}
}
