// Package chat owns messages: the log of each room, its sequence numbers, and
// how far each user has read. What it promises is that an acknowledged
// message is never lost, never doubled, and always in order.
package chat

import (
	"context"
	"fmt"
	"strings"
)

// OpenStore opens the store that the URL names: sqlite:PATH, or mongodb://…
// and mongodb+srv://….
func OpenStore(ctx context.Context, url string) (Store, error) {
	path, isFile := strings.CutPrefix(url, sqliteScheme)
	switch {
	case isFile:
		return openSQLite(ctx, path)
	case strings.HasPrefix(url, "mongodb://"), strings.HasPrefix(url, "mongodb+srv://"):
		return openMongo(ctx, url)
	default:
		return nil, fmt.Errorf("open chat store: its URL must begin with %s, mongodb:// or mongodb+srv://", sqliteScheme)
	}
}

// sqliteScheme begins the URL of a store in a file.
const sqliteScheme = "sqlite:"
