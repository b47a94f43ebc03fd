package gateway

import (
	"context"
	"log/slog"
)

// defaultMaxConns is the default of GATEWAY_MAX_CONNS: so many at most, when
// nobody has asked for any number.
const defaultMaxConns = 100_000

// reservedFiles is how many open files a gateway keeps for what is no
// WebSocket: requests, NATS, Redis, the operations port.
const reservedFiles = 1000

// fittingConns is how many connections there may be when the process may have
// so many files open, 0 for any number: else silent sockets could use up all of
// them, and neither a request nor NATS would come through. Fewer than somebody
// asked for are worth a warning.
func fittingConns(conns int, files uint64, log *slog.Logger) int {
	if files == 0 || uint64(conns)+reservedFiles <= files {
		return conns
	}
	fitting := int(files - min(reservedFiles, files/2))
	level := slog.LevelWarn
	if conns == defaultMaxConns {
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, "the process may have too few files open for GATEWAY_MAX_CONNS: raise its limit (ulimit -n)",
		slog.Int("max_conns", conns), slog.Uint64("files", files), slog.Int("fitting", fitting))
	return fitting
}
