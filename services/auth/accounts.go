package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/telemetry"
)

// errCode is for a code that is wrong, spent or too old.
var errCode = fault.Invalid("code", "is wrong or has expired")

// accounts registers users and keeps what they say about themselves.
type accounts struct {
	*guards
	store    Store
	sessions *sessions
	mails    *mailQueue
	reaches  func(email string) bool // false: mail to it is known to be refused
	now      func() time.Time
}

// SendCode mails a code, or what stands in for it. Who asks can't tell
// whether the e-mail is known: neither by the answer nor by its time.
func (a *accounts) SendCode(ctx context.Context, req contract.SendCodeRequest) error {
	if !a.reaches(req.Email) {
		return fault.Invalid("email", "needs SMTPUTF8, which the mail server lacks")
	}
	if err := a.mails.room(); err != nil {
		return err
	}
	if err := a.limits.Code(ctx, req.Email, req.Address); err != nil {
		return err
	}
	user, err := a.store.UserByEmail(ctx, req.Email)
	if err != nil {
		return err
	}
	register := req.Purpose == contract.PurposeRegister
	code, err := a.codes.Issue(ctx, req.Email, req.Purpose, register == (user == nil))
	if err != nil {
		return err
	}
	letter := Letter{To: req.Email, Kind: string(req.Purpose), Code: code, Language: req.Language, Request: telemetry.RequestID(ctx)}
	switch {
	case register && user != nil:
		letter.Kind, letter.Code = letterKnown, ""
	case !register && user == nil:
		return nil
	}
	a.mails.add(ctx, letter)
	return nil
}

// Register makes an account. That an account is taken it says before it looks
// at the code, so that the code stays good for another try; that an e-mail is
// taken only to whoever proves that it is theirs.
func (a *accounts) Register(ctx context.Context, req contract.RegisterRequest) (User, error) {
	taken, err := a.store.UserByAccount(ctx, req.Account)
	if err != nil {
		return User{}, err
	}
	if taken != nil {
		return User{}, errTaken("account")
	}
	password, err := a.spend(ctx, req.Email, contract.PurposeRegister, req.Code, req.Address, req.Password)
	if err != nil {
		return User{}, err
	}
	now := contract.NewTime(a.now())
	user := User{
		ID: id.New(), Account: req.Account, Email: req.Email, Password: password, Nickname: req.Nickname,
		CreatedAt: now, Epoch: 1, ValidFrom: now, Rev: 1,
	}
	event, err := contract.UserRegistered.New(id.New(), user.ID, now.Time, contract.UserEvent{UserID: user.ID})
	if err != nil {
		return User{}, err
	}
	switch err := a.store.SaveUser(ctx, user, []contract.Event{event}); {
	case errors.Is(err, ErrAccountTaken):
		return User{}, errTaken("account")
	case errors.Is(err, ErrEmailTaken):
		return User{}, errTaken("email")
	case err != nil:
		return User{}, err
	}
	a.limits.Meet(ctx, user.ID, req.Address)
	return user, nil
}

// spend spends a code and hashes a password. The turn to hash comes first:
// whoever gets none keeps the code.
func (a *accounts) spend(ctx context.Context, email string, purpose contract.Purpose, code, address, password string) (hash string, err error) {
	forgive, err := a.limits.Attempt(ctx, "", address, true)
	if err != nil {
		return "", err
	}
	done, err := a.passwords.turn(ctx)
	if err != nil {
		forgive()
		return "", err
	}
	defer done()
	right, err := a.codes.Spend(ctx, email, purpose, code)
	if err != nil {
		return "", err
	}
	if !right {
		return "", errCode
	}
	forgive()
	return a.passwords.hash(password), nil
}

// Update changes what is not nil.
func (a *accounts) Update(ctx context.Context, req contract.UpdateMeRequest) (user User, err error) {
	err = revision.Retry(ctx, func() error {
		if user, _, err = a.sessions.Alive(ctx, req.Caller); err != nil {
			return err
		}
		before := user
		if req.Nickname != nil {
			user.Nickname = *req.Nickname
		}
		if req.Sex != nil {
			user.Sex = *req.Sex
		}
		if req.AvatarURL != nil {
			user.AvatarURL = *req.AvatarURL
		}
		if user == before {
			return nil
		}
		user.Rev++
		event, err := contract.UserUpdated.New(id.New(), user.ID, a.now(), contract.UserEvent{UserID: user.ID})
		if err != nil {
			return err
		}
		return a.store.SaveUser(ctx, user, []contract.Event{event})
	})
	return user, err
}

// Find looks a user up by account, in any case. Those who are disabled are not
// found.
func (a *accounts) Find(ctx context.Context, account string) (contract.Profile, error) {
	account = foldAccount(account)
	if !accountForm.MatchString(account) {
		return contract.Profile{}, errNoSuchUser
	}
	user, err := a.store.UserByAccount(ctx, account)
	if err != nil {
		return contract.Profile{}, err
	}
	if user == nil || user.gone() {
		return contract.Profile{}, errNoSuchUser
	}
	return user.profile(), nil
}

// Profiles are those of the ids that exist and are not disabled, in the order
// asked.
func (a *accounts) Profiles(ctx context.Context, ids []string) ([]contract.Profile, error) {
	users, err := a.store.Users(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]User, len(users))
	for _, user := range users {
		if !user.gone() {
			found[user.ID] = user
		}
	}
	list := make([]contract.Profile, 0, len(found))
	for _, id := range ids {
		if user, ok := found[id]; ok {
			list = append(list, user.profile())
			delete(found, id) // asked for twice, answered once
		}
	}
	return list, nil
}

// errTaken says which field another user has.
func errTaken(field string) error {
	return &fault.Error{
		Code: fault.AlreadyExists, Detail: fmt.Sprintf("this %s is taken", field),
		Fields: []fault.Field{{Field: field, Detail: "is taken"}},
	}
}
