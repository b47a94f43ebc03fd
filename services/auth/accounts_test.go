package auth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/auth"
)

func TestRegister_names_what_is_wrong(t *testing.T) {
	w := newWorld(t)
	w.start()
	for field, edits := range map[string][]func(*contract.RegisterRequest){
		"account": {
			func(r *contract.RegisterRequest) { r.Account = "ab" },
			func(r *contract.RegisterRequest) { r.Account = "1abc" },
			func(r *contract.RegisterRequest) { r.Account = "a b c" },
			func(r *contract.RegisterRequest) { r.Account = "änn" },
			func(r *contract.RegisterRequest) { r.Account = "a@b.c" },
			func(r *contract.RegisterRequest) { r.Account = strings.Repeat("a", 33) },
		},
		"email": {
			func(r *contract.RegisterRequest) { r.Email = "" },
			func(r *contract.RegisterRequest) { r.Email = "ann" },
			func(r *contract.RegisterRequest) { r.Email = "Ann <ann@example.org>" },
			func(r *contract.RegisterRequest) { r.Email = "<ann@example.org>" },
			func(r *contract.RegisterRequest) { r.Email = "ann@example.org, bob@example.org" },
			func(r *contract.RegisterRequest) { r.Email = "ann@example.org\r\nBcc: bob@example.org" },
			func(r *contract.RegisterRequest) { r.Email = strings.Repeat("a", 250) + "@b.cd" },
		},
		"code": {
			func(r *contract.RegisterRequest) { r.Code = "" },
			func(r *contract.RegisterRequest) { r.Code = "12345a" },
		},
		"password": {
			func(r *contract.RegisterRequest) { r.Password = "1234567" },
			func(r *contract.RegisterRequest) { r.Password = strings.Repeat("x", 129) },
		},
		"nickname": {
			func(r *contract.RegisterRequest) { r.Nickname = strings.Repeat("x", 65) },
			func(r *contract.RegisterRequest) { r.Nickname = "a\nb" },
		},
		"device_name": {func(r *contract.RegisterRequest) { r.DeviceName = strings.Repeat("x", 65) }},
	} {
		for _, edit := range edits {
			req := signUp("ann", "123456")
			edit(&req)
			if f := fails(w, contract.Register, req, fault.InvalidArgument, field); len(f.Fields) != 1 {
				t.Errorf("%s: got %v", field, f.Fields)
			}
		}
	}
	f := fails(w, contract.Register, contract.RegisterRequest{}, fault.InvalidArgument, "password")
	if len(f.Fields) < 4 {
		t.Errorf("of all that is wrong it names %v", f.Fields)
	}
}

func TestRegister_what_is_taken(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	w.register("ann")
	code := w.code("new@example.org", contract.PurposeRegister)
	req := contract.RegisterRequest{Email: "New@Example.org", Code: code, Account: "ANN", Password: password, Nickname: " Änn "}
	fails(w, contract.Register, req, fault.AlreadyExists, "account")
	req.Account = "Ann_2.x" // the code is still good
	g := must(w, contract.Register, req)
	if g.User.Account != "ann_2.x" || g.User.Nickname != "Änn" || g.User.Email != "new@example.org" {
		t.Fatalf("got %+v", g.User)
	}
	// A code for an e-mail that registers first by another way.
	code = w.code("twice@example.org", contract.PurposeRegister)
	store := w.store()
	now := contract.NewTime(time.Now())
	if err := store.SaveUser(t.Context(), auth.User{
		ID: id.New(), Account: "twice", Email: "twice@example.org", CreatedAt: now, Epoch: 1, ValidFrom: now, Rev: 1,
	}, nil); err != nil {
		t.Fatal(err)
	}
	req = contract.RegisterRequest{Email: "twice@example.org", Code: notThe(code), Account: "twice2", Password: password}
	fails(w, contract.Register, req, fault.InvalidArgument, "code")
	req.Code = code
	fails(w, contract.Register, req, fault.AlreadyExists, "email")
}

func TestProfiles(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann, bob := w.register("ann"), w.register("bob")
	nickname, avatar, sex := "Ännchen", "https://example.org/a.png", contract.Sex(2)
	me := must(w, contract.UpdateMe, contract.UpdateMeRequest{Caller: caller(ann), Nickname: &nickname, Sex: &sex, AvatarURL: &avatar})
	if me.Nickname != nickname || me.Sex != sex || me.AvatarURL != avatar || me.Account != "ann" {
		t.Fatalf("got %+v", me)
	}
	if again := must(w, contract.UpdateMe, contract.UpdateMeRequest{Caller: caller(ann)}); again != me {
		t.Fatalf("got %+v", again)
	}
	profile := contract.Profile{ID: me.ID, Account: "ann", Nickname: nickname, Sex: sex, AvatarURL: avatar}
	if got := must(w, contract.FindUser, contract.FindUserRequest{Account: " ANN "}); got != profile {
		t.Fatalf("found %+v", got)
	}
	for _, none := range []string{"", "nobody", "ann@example.org", strings.Repeat("x", 5000)} {
		fails(w, contract.FindUser, contract.FindUserRequest{Account: none}, fault.NotFound, "")
	}
	got := must(w, contract.GetUsers, contract.GetUsersRequest{UserIDs: []string{bob.User.ID, id.New(), ann.User.ID}})
	if len(got.Users) != 2 || got.Users[0].ID != bob.User.ID || got.Users[1] != profile {
		t.Fatalf("got %+v", got.Users)
	}
	fails(w, contract.GetUsers, contract.GetUsersRequest{UserIDs: slices.Repeat([]string{"x"}, 201)}, fault.InvalidArgument, "user_ids")
	long, empty, bad, sexless := "https://example.org/"+strings.Repeat("x", 2048), " ", "javascript:alert(1)", contract.Sex(3)
	for field, req := range map[string]contract.UpdateMeRequest{
		"nickname":   {Nickname: &empty},
		"avatar_url": {AvatarURL: &bad},
		"sex":        {Sex: &sexless},
	} {
		req.Caller = caller(ann)
		fails(w, contract.UpdateMe, req, fault.InvalidArgument, field)
	}
	fails(w, contract.UpdateMe, contract.UpdateMeRequest{Caller: caller(ann), AvatarURL: &long}, fault.InvalidArgument, "avatar_url")
}

// TestLogin_rehashes when the parameters have changed.
func TestLogin_rehashes(t *testing.T) {
	w := newWorld(t)
	stop := w.start()
	ann := w.register("ann")
	stop()
	store := w.store()
	hash := func() string {
		user, err := store.User(t.Context(), ann.User.ID)
		if err != nil || user == nil {
			t.Fatalf("got %v, %v", user, err)
		}
		return user.Password
	}
	if got := hash(); !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("got %s", got)
	}
	w.start(func(c *auth.Config) { c.ArgonTime = 3 })
	w.login("ann", password)
	if got := hash(); !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=3,p=1$") {
		t.Fatalf("got %s", got)
	}
	w.login("ann", password)
	if !w.lives(ann) {
		t.Fatal("a session ended")
	}
}
