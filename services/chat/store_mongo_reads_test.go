package chat

import (
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/integration/mtest"
)

// TestMongo_SetReads_beside_one_that_fails has the server answer as MongoDB does
// to an unordered bulk write of which one update fails: FerretDB stops at the
// first.
func TestMongo_SetReads_beside_one_that_fails(t *testing.T) {
	refused := bson.E{Key: "writeErrors", Value: bson.A{bson.D{
		{Key: "index", Value: 1}, {Key: "code", Value: 121}, {Key: "errmsg", Value: "Document failed validation"},
	}}}
	noMajority := bson.E{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}}
	counts := func(moved int32) []bson.E { return []bson.E{{Key: "n", Value: 2}, {Key: "nModified", Value: moved}} }
	positions := []Position{position("ann", 5), position("ben", 5), position("cem", 5)}
	stand := mtest.CreateCursorResponse(0, "db.read_positions", mtest.FirstBatch,
		bson.D{{Key: "_id", Value: readID("ann", "room")}, {Key: "seq", Value: int64(9)}},
		bson.D{{Key: "_id", Value: readID("cem", "room")}, {Key: "seq", Value: int64(5)}},
	)
	mt := mtest.New(t, mtest.NewOptions().ClientType(mtest.Mock))
	for name, c := range map[string]struct {
		replies []bson.D
		moved   []Position
	}{
		"the_others_moved":       {[]bson.D{mtest.CreateSuccessResponse(append(counts(2), refused)...)}, []Position{positions[0], positions[2]}},
		"one_other_moved":        {[]bson.D{mtest.CreateSuccessResponse(append(counts(1), refused)...), stand}, []Position{positions[2]}},
		"none_moved":             {[]bson.D{mtest.CreateSuccessResponse(append(counts(0), refused)...)}, nil},
		"none_moved_for_certain": {[]bson.D{mtest.CreateSuccessResponse(append(counts(2), refused, noMajority)...)}, nil},
	} {
		mt.Run(name, func(mt *mtest.T) {
			mt.AddMockResponses(c.replies...)
			moved, err := (&mongoStore{reads: mt.Coll}).SetReads(mt.Context(), positions)
			if err == nil || !slices.Equal(moved, c.moved) {
				mt.Errorf("moved %v, want %v; %v", moved, c.moved, err)
			}
		})
	}
}
