package auth

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/sqlite"
)

// keyName is under which name a generation's key is stored: of replicas that
// make it at once one keeps its own. The first has the name that it had when
// there was one key only.
func keyName(generation int64) string {
	if generation == 1 {
		return "current"
	}
	return strconv.FormatInt(generation, 10)
}

func keyGeneration(name string) (int64, error) {
	if name == keyName(1) {
		return 1, nil
	}
	return strconv.ParseInt(name, 10, 64)
}

func (s *sqliteStore) Keys(ctx context.Context) ([]SealedKey, error) {
	var list []SealedKey
	err := s.Query(ctx, `SELECT name, id, sealed, created_at, signs_from FROM signing_keys WHERE sealed <> x''`, nil, func(rows *sql.Rows) error {
		var k SealedKey
		var name string
		var created, from int64
		err := rows.Scan(&name, &k.ID, &k.Sealed, &created, &from)
		if err != nil {
			return err
		}
		k.CreatedAt, k.SignsFrom = contract.FromMilli(created), fromMilli(from)
		k.Generation, err = keyGeneration(name)
		list = append(list, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	return inOrder(list), nil
}

func (s *sqliteStore) AddKey(ctx context.Context, k SealedKey, events []contract.Event) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		err := sqlite.OneRow(tx.ExecContext(ctx, `INSERT INTO signing_keys (name, id, sealed, created_at, signs_from) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			keyName(k.Generation), k.ID, k.Sealed, k.CreatedAt.UnixMilli(), milli(k.SignsFrom)))
		if err != nil {
			return fmt.Errorf("add signing key: %w", err)
		}
		return s.AddEvents(ctx, tx, events)
	})
}

func (s *sqliteStore) ForgetKey(ctx context.Context, generation int64) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE signing_keys SET sealed = x'' WHERE name = ?`, keyName(generation)); err != nil {
			return fmt.Errorf("forget signing key: %w", err)
		}
		return nil
	})
}
