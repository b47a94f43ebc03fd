package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver/auth"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/schema"
)

// final are the codes of a server that answers the same however often it is
// asked: BadValue, FailedToParse, Unauthorized, AuthenticationFailed,
// IllegalOperation, CommandNotFound, CannotCreateIndex, InvalidOptions,
// InvalidNamespace, IndexOptionsConflict, IndexKeySpecsConflict,
// CommandNotSupported, NotImplemented, AtlasError, DuplicateKey, from
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
var final = []int{2, 9, 13, 18, 20, 59, 67, 72, 73, 85, 86, 115, 238, 8000, 11000}

// opening marks an error of opening a database with schema.ErrNotNow if
// another try may succeed: the server is away, or answers with a code that is
// not known to be final. Two replicas that build indexes at once may get
// codes of the engine's own, such as a deadlock.
func opening(ctx context.Context, err error) error {
	var refused *auth.Error
	var server mongo.ServerError
	var f *fault.Error
	switch {
	case err == nil, ctx.Err() != nil, errors.As(err, &refused), refusesWrites(err):
		return err
	case errors.As(err, &server):
		if slices.ContainsFunc(final, server.HasErrorCode) {
			return err
		}
	case !errors.As(err, &f) || f.Code != fault.Unavailable:
		return err
	}
	return fmt.Errorf("%w: %w", schema.ErrNotNow, err)
}
