package chat

import (
	"context"
	"strings"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/telemetry"
)

// Config is chat's settings. Their variables begin with CHAT_, except those
// that all services share.
type Config struct {
	Store string `envconfig:"STORE" default:"sqlite:data/chat.db" form:"begins=sqlite:,mongodb://,mongodb+srv://" desc:"Where messages are kept: mongodb://… for many machines, sqlite:PATH for one."`

	Committers   int           `envconfig:"COMMITTERS" default:"0" desc:"Goroutines that insert messages; a room belongs to one. 0: 4 with MongoDB, 1 with SQLite, which has one writer anyway."`
	SendQueue    int           `envconfig:"SEND_QUEUE" default:"1024" desc:"Sends that wait for each committer; one more is refused as unavailable."`
	BatchDocs    int           `envconfig:"BATCH_DOCS" default:"500" desc:"Messages in one insert, at most."`
	BatchBytes   int           `envconfig:"BATCH_BYTES" default:"4194304" desc:"Bytes in one insert, at most: far below MongoDB's limit of 48 MB."`
	StoreTimeout time.Duration `envconfig:"STORE_TIMEOUT" default:"5s" desc:"How long one call of the store may take; after that an insert's outcome counts as unknown, and a read is answered unavailable."`
	SendTimeout  time.Duration `envconfig:"SEND_TIMEOUT" default:"10s" desc:"How long a send, or a read position, is waited for whose caller names no nearer deadline."`
	ActiveRooms  int           `envconfig:"ACTIVE_ROOMS" default:"50000" desc:"Rooms whose last seq is kept in memory, about 300 bytes each; others are read when written to."`
	RecentSends  int           `envconfig:"RECENT_SENDS" default:"20000" desc:"Sends remembered to answer retries without the store, about 500 bytes each."`
	QuietAfter   time.Duration `envconfig:"QUIET_AFTER" default:"3s" desc:"A room's head is announced so long after its last message, for whoever missed that one."`

	RecentMessages int           `envconfig:"RECENT_MESSAGES" default:"200" desc:"Messages of each active room that are kept in memory, so that gaps are repaired without the store: a page of the longest. 0: none."`
	RecentBytes    int           `envconfig:"RECENT_BYTES" default:"67108864" desc:"Bytes of messages that are kept in memory, all rooms together."`
	RecentAge      time.Duration `envconfig:"RECENT_AGE" default:"10m" desc:"How long a message is kept in memory: for so long, at most, it is shown after a removal of which NATS lost both the push and the event."`

	ReadQueue    int           `envconfig:"READ_QUEUE" default:"512" desc:"Read positions that wait for the next write; one more is refused as unavailable. Half of the workers: the others are for sends."`
	RecentReads  int           `envconfig:"RECENT_READS" default:"100000" desc:"Read positions kept in memory, about 200 bytes each: whoever sets one that is known to be there needs no write. 0: none."`
	ReadWindow   time.Duration `envconfig:"READ_WINDOW" default:"1s" desc:"A room is told at once that someone has read, and of all who do in the next so long together at its end: those whom a message reaches read it within a second or two, and who has read may be seen a second late. 0: of each by itself."`
	ReadAudience int           `envconfig:"READ_AUDIENCE" default:"100" desc:"Members of the largest room that is told who has read; in larger ones only the reader's own other devices are."`

	RemoveWithin time.Duration `envconfig:"REMOVE_WITHIN" default:"2m" desc:"How long senders may remove their own messages."`

	RetentionDirect time.Duration `envconfig:"RETENTION_DIRECT" default:"0" desc:"How long messages of direct rooms are kept; then a tombstone takes their place. 0: for ever."`
	RetentionGroup  time.Duration `envconfig:"RETENTION_GROUP" default:"0" desc:"How long messages of groups are kept. 0: for ever."`
	RetentionEvery  time.Duration `envconfig:"RETENTION_EVERY" default:"1h" desc:"How often old messages are looked for, on average: so much longer may one be kept."`

	MembershipTTL   time.Duration `envconfig:"MEMBERSHIP_TTL" default:"10s" desc:"How long a membership counts without being asked for again; 10s at most: in a partition someone removed may send for so long."`
	MembershipCache int           `envconfig:"MEMBERSHIP_CACHE" default:"100000" desc:"Memberships kept in memory, about 500 bytes each."`

	Workers  int `envconfig:"WORKERS" default:"1024" desc:"Requests answered at the same time: many, because each send waits for its insert."`
	RPCQueue int `envconfig:"RPC_QUEUE" default:"4096" desc:"Requests that wait for a worker; one more is refused as unavailable."`

	NATS      bus.Config
	Stream    bus.StreamConfig
	Telemetry telemetry.Config
}

// leastTimeout is below what any store needs.
const leastTimeout = 10 * time.Millisecond

// maxMembershipTTL is a promise (design, "Memory is a help").
const maxMembershipTTL = 10 * time.Second

// membershipOptions are the bounds of Memberships.
func (c Config) membershipOptions(now func() time.Time) MembershipOptions {
	return MembershipOptions{
		TTL:     min(c.MembershipTTL, maxMembershipTTL),
		Max:     max(1, c.MembershipCache),
		Timeout: 5 * time.Second,
		Now:     now,
	}
}

// memoryOptions are the bounds of the Memory, which remembers nothing for
// longer than it is kept.
func (c Config) memoryOptions() MemoryOptions {
	age := c.RecentAge
	for _, keep := range []time.Duration{c.RetentionDirect, c.RetentionGroup} {
		if keep > 0 {
			age = min(age, keep)
		}
	}
	return MemoryOptions{PerRoom: c.RecentMessages, Bytes: c.RecentBytes, Age: age, Now: time.Now}
}

// retentionOptions are those of Retention.
func (c Config) retentionOptions(now func(context.Context) (time.Time, error)) RetentionOptions {
	return RetentionOptions{
		Direct: max(0, c.RetentionDirect), Group: max(0, c.RetentionGroup), Every: max(time.Second, c.RetentionEvery), Now: now,
	}
}

// readsOptions are the bounds of Reads.
func (c Config) readsOptions() ReadsOptions {
	return ReadsOptions{Queue: max(1, c.ReadQueue), Timeout: max(leastTimeout, c.SendTimeout), Known: max(0, c.RecentReads)}
}

// receiptsOptions are the bounds of Receipts.
func (c Config) receiptsOptions() ReceiptsOptions {
	return ReceiptsOptions{Window: max(0, c.ReadWindow), Audience: max(0, c.ReadAudience)}
}

// logOptions are the bounds of the Log.
func (c Config) logOptions(now func() time.Time) LogOptions {
	committers := c.Committers
	switch {
	case committers > 0:
	case strings.HasPrefix(c.Store, sqliteScheme):
		committers = 1
	default:
		committers = 4
	}
	return LogOptions{
		Committers:   committers,
		Queue:        max(1, c.SendQueue),
		BatchDocs:    max(1, c.BatchDocs),
		BatchBytes:   max(1, c.BatchBytes),
		StoreURL:     c.Store,
		StoreTimeout: max(leastTimeout, c.StoreTimeout),
		SendTimeout:  max(leastTimeout, c.SendTimeout),
		ActiveRooms:  max(1, c.ActiveRooms),
		RecentSends:  max(1, c.RecentSends),
		QuietAfter:   max(time.Millisecond, c.QuietAfter),
		Now:          now,
	}
}
