package auth_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/pkg/token"
	"github.com/parley-im/parley/services/auth"
)

func TestKey_is_one_for_all_replicas(t *testing.T) {
	w := newWorld(t)
	stops, ready := make([]func(), 3), make([]func(), 3)
	for i := range stops {
		stops[i], ready[i] = w.launch()
	}
	for _, wait := range ready {
		wait()
	}
	ann := w.register("ann")
	keys := must(w, contract.GetKeys, contract.Empty{})
	for range 10 {
		if got := must(w, contract.GetKeys, contract.Empty{}); len(got.Keys) != 1 || got.Keys[0] != keys.Keys[0] {
			t.Fatalf("got %+v and %+v", got, keys)
		}
	}
	for _, stop := range stops {
		stop()
	}
	w.start()
	verifier := token.NewVerifier(time.Now)
	if err := verifier.SetKeys(must(w, contract.GetKeys, contract.Empty{}).JWKS); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(ann.AccessToken); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	list, err := w.store().Keys(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != keys.Keys[0].Kid {
		t.Fatalf("got %+v, %v", list, err)
	}
	sealed := list[0]
	if bytes.Contains(sealed.Sealed, []byte(keys.Keys[0].X)) || len(sealed.Sealed) != 12+32+16 {
		t.Fatalf("the key is not sealed: %d bytes", len(sealed.Sealed))
	}
}

func TestKey_needs_its_secret(t *testing.T) {
	w := newWorld(t)
	w.start()()
	w.cfg.KeySecret = strings.Repeat("x", 32)
	err := auth.Run(t.Context(), w.cfg, auth.Deps{Telemetry: telemetry.Discard(contract.Auth)})
	if err == nil || !strings.Contains(err.Error(), "AUTH_KEY_SECRET is not the one") {
		t.Fatalf("got %v", err)
	}
}
