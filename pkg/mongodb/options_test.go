package mongodb

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/mongo/readpref"
)

func TestClientOptions(t *testing.T) {
	o := clientOptions("mongodb://h/?w=1&journal=false&readConcernLevel=local&readPreference=secondary&serverSelectionTimeoutMS=700")
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	if wc := o.WriteConcern; wc.W != "majority" || wc.Journal == nil || !*wc.Journal {
		t.Errorf("write concern is %+v", wc)
	}
	if got := o.ReadConcern.Level; got != "majority" {
		t.Errorf("read concern is %s", got)
	}
	if got := o.ReadPreference.Mode(); got != readpref.PrimaryMode {
		t.Errorf("read preference is %s", got)
	}
	if got := *o.ServerSelectionTimeout; got != 700*time.Millisecond {
		t.Errorf("the URI's timeout became %s", got)
	}
	if o := clientOptions("mongodb://h/"); *o.ServerSelectionTimeout != selectTimeout || *o.ConnectTimeout != connectTimeout {
		t.Errorf("timeouts are %s and %s", *o.ServerSelectionTimeout, *o.ConnectTimeout)
	}
	if o := clientOptions("mongodb://h/"); o.RetryWrites != nil {
		t.Error("retryable writes are not left to the driver, which has them on")
	}
}
