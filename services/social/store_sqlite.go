package social

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/sqlite"
)

// Times are milliseconds since the Unix epoch. A room's creation is unique:
// its creator with the client id of the request, else with the room's id.
const sqliteTables = `
CREATE TABLE IF NOT EXISTS friendships (
	id         TEXT PRIMARY KEY,
	a          TEXT NOT NULL,
	b          TEXT NOT NULL,
	state      TEXT NOT NULL,
	since      INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	rev        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS rooms (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	history    TEXT NOT NULL,
	created_by TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	creation   TEXT NOT NULL UNIQUE,
	created_at INTEGER NOT NULL,
	disbanded  INTEGER NOT NULL,
	members    INTEGER NOT NULL,
	rev        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS members (
	room_id   TEXT NOT NULL REFERENCES rooms (id),
	user_id   TEXT NOT NULL,
	role      TEXT NOT NULL,
	first_seq INTEGER NOT NULL,
	joined_at INTEGER NOT NULL,
	place     INTEGER NOT NULL, -- the longest-serving has the least
	PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
DROP INDEX IF EXISTS members_user;
`

func sqliteSchema() sqlite.Schema {
	return sqlite.Schema{
		Steps: []sqlite.Step{{Name: "tables", SQL: sqliteTables}},
		Indexes: []sqlite.Index{
			{Name: "friendships_a", On: "friendships (a, state, id)"},
			{Name: "friendships_b", On: "friendships (b, state, id)"},
			{Name: "members_of_user", On: "members (user_id, role, first_seq, joined_at)"},
		},
	}
}

// sqliteStore is a Store for one machine.
type sqliteStore struct{ *sqlite.DB }

func openSQLite(ctx context.Context, path string) (*sqliteStore, error) {
	db, err := sqlite.Open(ctx, path, sqliteSchema())
	if err != nil {
		return nil, fmt.Errorf("open social store: %w", err)
	}
	return &sqliteStore{db}, nil
}

const friendshipColumns = `id, a, b, state, since, created_at, rev`

func (s *sqliteStore) Friendship(ctx context.Context, id string) (*Friendship, error) {
	list, err := s.friendships(ctx, `SELECT `+friendshipColumns+` FROM friendships WHERE id = ?`, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

func (s *sqliteStore) SaveFriendship(ctx context.Context, f Friendship, events []contract.Event) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		var result sql.Result
		var err error
		if f.Rev == 1 {
			result, err = tx.ExecContext(ctx, `INSERT INTO friendships (`+friendshipColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				f.ID, f.A, f.B, f.State, f.Since.UnixMilli(), f.CreatedAt.UnixMilli(), f.Rev)
		} else {
			result, err = tx.ExecContext(ctx, `UPDATE friendships SET state = ?, since = ?, rev = ? WHERE id = ? AND rev = ?`,
				f.State, f.Since.UnixMilli(), f.Rev, f.ID, f.Rev-1)
		}
		if err := sqlite.OneRow(result, err); err != nil {
			return fmt.Errorf("save friendship: %w", err)
		}
		return s.AddEvents(ctx, tx, events)
	})
}

func (s *sqliteStore) FriendsOf(ctx context.Context, userID, after string, limit int) ([]Friendship, error) {
	return s.friendships(ctx, `
		SELECT * FROM (SELECT `+friendshipColumns+` FROM friendships WHERE a = ?1 AND state = 'friends' AND id > ?2 ORDER BY id LIMIT ?3)
		UNION ALL
		SELECT * FROM (SELECT `+friendshipColumns+` FROM friendships WHERE b = ?1 AND state = 'friends' AND id > ?2 ORDER BY id LIMIT ?3)
		ORDER BY id LIMIT ?3`, userID, after, limit)
}

func (s *sqliteStore) FriendsAmong(ctx context.Context, userID string, others []string) ([]string, error) {
	pairs := make([]string, len(others))
	for i, other := range others {
		pairs[i] = id.Pair(userID, other)
	}
	list, err := s.friendships(ctx, `SELECT `+friendshipColumns+` FROM friendships
		WHERE id IN (SELECT value FROM json_each(?)) AND state = 'friends'`, sqlite.List(pairs))
	if err != nil {
		return nil, err
	}
	friends := make([]string, len(list))
	for i, f := range list {
		friends[i] = f.other(userID)
	}
	return friends, nil
}

func (s *sqliteStore) friendships(ctx context.Context, query string, args ...any) ([]Friendship, error) {
	var list []Friendship
	err := s.Query(ctx, query, args, func(rows *sql.Rows) error {
		var f Friendship
		var since, created int64
		if err := rows.Scan(&f.ID, &f.A, &f.B, &f.State, &since, &created, &f.Rev); err != nil {
			return err
		}
		f.Since, f.CreatedAt = contract.FromMilli(since), contract.FromMilli(created)
		list = append(list, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read friendships: %w", err)
	}
	return list, nil
}

func (s *sqliteStore) Room(ctx context.Context, id string) (*Room, error) {
	return s.room(ctx, `id = ?`, id)
}

func (s *sqliteStore) RoomByClientID(ctx context.Context, userID, clientID string) (*Room, error) {
	return s.room(ctx, `creation = ?`, creation(userID, clientID))
}

// room reads a room and its members in one statement, so that they are of one
// revision.
func (s *sqliteStore) room(ctx context.Context, where, arg string) (*Room, error) {
	var room *Room
	err := s.Query(ctx, `
		SELECT r.id, name, history, created_by, client_id, created_at, disbanded, rev, user_id, role, first_seq, joined_at
		FROM rooms r LEFT JOIN members m ON m.room_id = r.id WHERE `+where+` ORDER BY place`, []any{arg}, func(rows *sql.Rows) error {
		var r Room
		var created int64
		var userID, role sql.NullString
		var firstSeq, joined sql.NullInt64
		if err := rows.Scan(&r.ID, &r.Name, &r.History, &r.CreatedBy, &r.ClientID, &created, &r.Disbanded, &r.Rev, &userID, &role, &firstSeq, &joined); err != nil {
			return err
		}
		if room == nil {
			r.CreatedAt = contract.FromMilli(created)
			room = &r
		}
		if userID.Valid {
			room.Members = append(room.Members, Member{
				UserID: userID.String, Role: contract.Role(role.String), FirstSeq: firstSeq.Int64, JoinedAt: contract.FromMilli(joined.Int64),
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read room: %w", err)
	}
	return room, nil
}

func (s *sqliteStore) SaveRoom(ctx context.Context, r Room, events []contract.Event) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		var result sql.Result
		var err error
		if r.Rev == 1 {
			result, err = tx.ExecContext(ctx, `INSERT INTO rooms (id, name, history, created_by, client_id, creation, created_at, disbanded, members, rev)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				r.ID, r.Name, r.History, r.CreatedBy, r.ClientID, r.creation(), r.CreatedAt.UnixMilli(), r.Disbanded, len(r.Members), r.Rev)
		} else {
			result, err = tx.ExecContext(ctx, `UPDATE rooms SET name = ?, history = ?, disbanded = ?, members = ?, rev = ? WHERE id = ? AND rev = ?`,
				r.Name, r.History, r.Disbanded, len(r.Members), r.Rev, r.ID, r.Rev-1)
		}
		if err := sqlite.OneRow(result, err); err != nil {
			return fmt.Errorf("save room: %w", err)
		}
		if err := saveMembers(ctx, tx, r); err != nil {
			return fmt.Errorf("save members: %w", err)
		}
		return s.AddEvents(ctx, tx, events)
	})
}

// saveMembers writes the rows that differ, in two statements however many
// there are.
func saveMembers(ctx context.Context, tx *sql.Tx, r Room) error {
	type row struct {
		U string        `json:"u"`
		R contract.Role `json:"r"`
		F int64         `json:"f"`
		J int64         `json:"j"`
		P int           `json:"p"`
	}
	rows := make([]row, len(r.Members))
	for i, m := range r.Members {
		rows[i] = row{m.UserID, m.Role, m.FirstSeq, m.JoinedAt.UnixMilli(), i}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM members WHERE room_id = ? AND user_id NOT IN (SELECT value ->> 'u' FROM json_each(?))`, r.ID, string(list)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO members (room_id, user_id, role, first_seq, joined_at, place)
		SELECT ?, value ->> 'u', value ->> 'r', value ->> 'f', value ->> 'j', value ->> 'p' FROM json_each(?) WHERE true
		ON CONFLICT (room_id, user_id) DO UPDATE SET role = excluded.role, first_seq = excluded.first_seq, joined_at = excluded.joined_at, place = excluded.place
		WHERE role <> excluded.role OR first_seq <> excluded.first_seq OR joined_at <> excluded.joined_at OR place <> excluded.place`, r.ID, string(list))
	return err
}

func (s *sqliteStore) RoomInfos(ctx context.Context, userID string, roomIDs []string) ([]contract.RoomInfo, error) {
	list := sqlite.List(roomIDs)
	var infos []contract.RoomInfo
	err := s.Query(ctx, `
		SELECT r.id, name, history, created_at, members, rev, role, first_seq
		FROM rooms r JOIN members m ON m.room_id = r.id AND m.user_id = ?
		WHERE r.id IN (SELECT value FROM json_each(?))`, []any{userID, list}, func(rows *sql.Rows) error {
		info := contract.RoomInfo{Type: contract.RoomGroup}
		var created int64
		if err := rows.Scan(&info.ID, &info.Name, &info.History, &created, &info.MemberCount, &info.Rev, &info.Role, &info.FirstSeq); err != nil {
			return err
		}
		info.CreatedAt = contract.FromMilli(created)
		infos = append(infos, info)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rooms: %w", err)
	}
	pairs, err := s.friendships(ctx, `SELECT `+friendshipColumns+` FROM friendships
		WHERE id IN (SELECT value FROM json_each(?)) AND (a = ? OR b = ?)`, list, userID, userID)
	for _, f := range pairs {
		infos = append(infos, f.info(userID))
	}
	return infos, err
}

func (s *sqliteStore) Membership(ctx context.Context, roomID, userID string) (contract.MembershipReply, error) {
	if id.IsPair(roomID) {
		f, err := s.Friendship(ctx, roomID)
		return pairMembership(f, userID), err
	}
	var reply contract.MembershipReply
	err := s.Query(ctx, `
		SELECT r.rev, members, role, first_seq, joined_at
		FROM rooms r LEFT JOIN members m ON m.room_id = r.id AND m.user_id = ? WHERE r.id = ?`, []any{userID, roomID}, func(rows *sql.Rows) error {
		m := contract.Membership{RoomID: roomID, Type: contract.RoomGroup}
		var role sql.NullString
		var firstSeq, joined sql.NullInt64
		var count int
		if err := rows.Scan(&m.Rev, &count, &role, &firstSeq, &joined); err != nil {
			return err
		}
		m.Role, m.FirstSeq = contract.Role(role.String), firstSeq.Int64
		m.JoinedAt = contract.FromMilli(joined.Int64)
		if reply.Membership = m; role.Valid {
			reply.Member, reply.MemberCount = true, count
		}
		return nil
	})
	if err != nil {
		return contract.MembershipReply{}, fmt.Errorf("read membership: %w", err)
	}
	return reply, nil
}

// What Memberships asks: all of some users, or a user's among a list. The first
// column is the user's place in the list.
const (
	sqlPairs = `SELECT u.key, f.id, state, created_at, rev FROM json_each(?1) AS u CROSS JOIN friendships f ON f.a = u.value
		UNION ALL SELECT u.key, f.id, state, created_at, rev FROM json_each(?1) AS u CROSS JOIN friendships f ON f.b = u.value`
	sqlSomePairs = `SELECT 0, id, state, created_at, rev FROM friendships
		WHERE id IN (SELECT value FROM json_each(?2)) AND (a = ?1 OR b = ?1)`
	sqlGroups = `SELECT u.key, r.id, r.rev, role, first_seq, joined_at
		FROM json_each(?) AS u CROSS JOIN members m ON m.user_id = u.value JOIN rooms r ON r.id = m.room_id`
	sqlSomeGroups = `SELECT 0, r.id, r.rev, role, first_seq, joined_at
		FROM (SELECT DISTINCT value FROM json_each(?2)) AS i CROSS JOIN members m ON m.room_id = i.value AND m.user_id = ?1 JOIN rooms r ON r.id = m.room_id`
)

func (s *sqliteStore) Memberships(ctx context.Context, userIDs ...string) ([][]contract.Membership, error) {
	return s.memberships(ctx, len(userIDs), sqlPairs, sqlGroups, sqlite.List(userIDs))
}

func (s *sqliteStore) MembershipsAmong(ctx context.Context, userID string, roomIDs []string) ([]contract.Membership, error) {
	lists, err := s.memberships(ctx, 1, sqlSomePairs, sqlSomeGroups, userID, sqlite.List(roomIDs))
	if err != nil {
		return nil, err
	}
	return lists[0], nil
}

// memberships reads only what it needs, into plain types: it is asked for each
// page of a room list, and of thousands of rows the conversions are half the
// cost.
func (s *sqliteStore) memberships(ctx context.Context, users int, pairs, groups string, args ...any) ([][]contract.Membership, error) {
	found := make([][]contract.Membership, users)
	err := s.Query(ctx, pairs, args, func(rows *sql.Rows) error {
		var roomID, state string
		var user, created, rev int64
		if err := rows.Scan(&user, &roomID, &state, &created, &rev); err != nil {
			return err
		}
		f := Friendship{ID: roomID, State: FriendState(state), CreatedAt: contract.FromMilli(created), Rev: rev}
		found[user] = append(found[user], f.membership())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read memberships of pairs: %w", err)
	}
	err = s.Query(ctx, groups, args, func(rows *sql.Rows) error {
		var roomID, role string
		var user, rev, firstSeq, joined int64
		if err := rows.Scan(&user, &roomID, &rev, &role, &firstSeq, &joined); err != nil {
			return err
		}
		found[user] = append(found[user], contract.Membership{
			RoomID: roomID, Type: contract.RoomGroup, Role: contract.Role(role), FirstSeq: firstSeq, Rev: rev, JoinedAt: contract.FromMilli(joined),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	return found, nil
}

func (s *sqliteStore) CountRooms(ctx context.Context, userIDs []string) (map[string]int, error) {
	counts := make(map[string]int, len(userIDs))
	err := s.Query(ctx, `
		SELECT value, (SELECT count(*) FROM members WHERE user_id = value)
			+ (SELECT count(*) FROM friendships WHERE a = value) + (SELECT count(*) FROM friendships WHERE b = value)
		FROM json_each(?)`, []any{sqlite.List(userIDs)}, func(rows *sql.Rows) error {
		var userID string
		var count int
		err := rows.Scan(&userID, &count)
		counts[userID] = count
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count rooms: %w", err)
	}
	return counts, nil
}
