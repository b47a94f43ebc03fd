package auth_test

import (
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/token"
)

// TestAuth_a_life is what a user does, over two replicas on one file.
func TestAuth_a_life(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	ann := w.register("ann")
	if ann.User.Account != "ann" || ann.User.Nickname != "ann" || ann.User.Email != "ann@example.org" || ann.ExpiresIn != 900 {
		t.Fatalf("registered %+v", ann)
	}
	verifier := token.NewVerifier(time.Now)
	if err := verifier.SetKeys(must(w, contract.GetKeys, contract.Empty{}).JWKS); err != nil {
		t.Fatal(err)
	}
	claims, err := verifier.Verify(ann.AccessToken)
	if err != nil || claims.UserID != ann.User.ID || claims.SessionID != caller(ann).SessionID {
		t.Fatalf("the access token says %+v, %v", claims, err)
	}
	if me := must(w, contract.GetMe, contract.GetMeRequest{Caller: caller(ann)}); me != ann.User {
		t.Fatalf("got %+v, want %+v", me, ann.User)
	}
	for _, name := range []string{"ann", " ANN", "Ann@Example.org"} {
		if g := w.login(name, password); g.User != ann.User {
			t.Fatalf("%s is %+v", name, g.User)
		}
	}
	unknown := fails(w, contract.Login, contract.LoginRequest{Account: "nobody", Password: password}, fault.Unauthenticated, "")
	wrong := fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: "wrong"}, fault.Unauthenticated, "")
	if unknown.Detail != wrong.Detail || wrong.Detail != "wrong account or password" {
		t.Fatalf("%q and %q", unknown.Detail, wrong.Detail)
	}
	must(w, contract.Logout, contract.LogoutRequest{Caller: caller(ann)})
	fails(w, contract.GetMe, contract.GetMeRequest{Caller: caller(ann)}, fault.Unauthenticated, "")
	fails(w, contract.Refresh, contract.RefreshRequest{RefreshToken: ann.RefreshToken}, fault.Unauthenticated, "")
}
