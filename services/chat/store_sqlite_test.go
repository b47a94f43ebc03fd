package chat

import (
	"context"
	"strings"
	"testing"
)

// Every read finds its rows by an index: nothing grows with the length of a
// room, or with the number of rooms.
func TestSQLite_reads_by_index(t *testing.T) {
	store, err := openSQLite(context.Background(), newFile(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	fill(t, store, "room", 1000)
	const byPlace = "m USING PRIMARY KEY (room_id=? AND seq"
	for name, c := range map[string]struct {
		query string
		args  []any
		want  []string
	}{
		"tails":         {sqlTails, []any{`["room"]`}, []string{"messages USING PRIMARY KEY (room_id=?)"}},
		"by client id":  {sqlByKey, []any{`[["room","ann","1"]]`}, []string{"m USING INDEX messages_by_client_id (client_id=? AND sender_id=? AND room_id=?)"}},
		"page":          {sqlPage, []any{"room", 1, 10, 10}, []string{byPlace + ">? AND seq<?)"}},
		"newest page":   {sqlPageNewest, []any{"room", 1, 10, 10}, []string{byPlace + ">? AND seq<?)"}},
		"messages":      {sqlByPlace, []any{`[["room",1]]`}, []string{byPlace + "=?)"}},
		"heads":         {sqlHeads, []any{"ann", `["room"]`}, []string{byPlace + "=?)", "messages USING PRIMARY KEY (room_id=?)", "p USING PRIMARY KEY (user_id=? AND room_id=?)"}},
		"ends":          {sqlEnds, []any{`["room"]`}, []string{byPlace + "=?)", "messages USING PRIMARY KEY (room_id=?)"}},
		"positions":     {sqlPositions, []any{`["ann"]`}, []string{"p USING PRIMARY KEY (user_id=?)"}},
		"written":       {sqlWritten, []any{"room", 0, 100, "ann", 10}, []string{byPlace + ">? AND seq<?)"}},
		"unerased":      {sqlUnerased, []any{"room", 0, 100, "ann", 10}, []string{"messages USING PRIMARY KEY (room_id=? AND seq>? AND seq<?)"}},
		"positions of":  {sqlPositionsAfter, []any{"ann", "", 10}, []string{"read_positions USING PRIMARY KEY (user_id=? AND room_id>?)"}},
		"oldest":        {sqlOldest, []any{"room", 10}, []string{"messages USING PRIMARY KEY (room_id=? AND seq>?)"}},
		"remove":        {sqlRemove, []any{"removed", 1, "ann", "room", 1}, []string{"messages USING PRIMARY KEY (room_id=? AND seq=?)"}},
		"read position": {`SELECT seq FROM read_positions WHERE user_id = ? AND room_id = ?`, []any{"ann", "room"}, []string{"read_positions USING PRIMARY KEY (user_id=? AND room_id=?)"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := explain(t, store, c.query, c.args)
			for _, want := range c.want {
				if !strings.Contains(plan, want) {
					t.Errorf("the plan lacks %q:\n%s", want, plan)
				}
			}
			for line := range strings.Lines(plan) {
				if strings.Contains(line, "TEMP B-TREE") || strings.HasPrefix(line, "SCAN") && !strings.Contains(line, "VIRTUAL TABLE") {
					t.Errorf("the plan has %q:\n%s", line, plan)
				}
			}
		})
	}
}

func explain(t *testing.T, store *sqliteStore, query string, args []any) string {
	t.Helper()
	rows, err := store.Rows(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
