package natsconf_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	natsconf "github.com/parley-im/parley/deploy/nats"
)

var update = flag.Bool("update", false, "write the generated files instead of checking them")

func TestFiles_are_current(t *testing.T) {
	for path, want := range map[string][]byte{
		"../k8s/parley/files/nats-accounts.conf": natsconf.Accounts(),
		"parley-account.conf":                    natsconf.AccountOnly(),
	} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s does not match pkg/contract: run make generate", path)
		}
	}
}
