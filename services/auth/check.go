package auth

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/shownname"
)

const (
	minPassword  = 8
	maxPassword  = 128
	maxName      = 64 // characters of a nickname, and of a device's name
	maxAvatarURL = 2048
)

// accountForm is of accounts in lower case.
var accountForm = regexp.MustCompile(`^[a-z][a-z0-9_.]{2,31}$`)

// foldAccount is the one form of an account, whoever types it how.
func foldAccount(account string) string { return strings.ToLower(strings.TrimSpace(account)) }

// checkEmail puts an e-mail into its one form, and refuses what is no address
// or can get no mail.
func checkEmail(check *fault.Check, email *string) {
	canonical, err := canonicalEmail(*email)
	check.That(err == nil, "email", "must be an e-mail address that can get mail")
	*email = canonical
}

func checkCode(check *fault.Check, code *string) {
	*code = strings.TrimSpace(*code)
	check.That(len(*code) == 6 && strings.Trim(*code, "0123456789") == "", "code", "must be six digits")
}

// checkPassword checks a new password; names are what its owner is called.
func checkPassword(check *fault.Check, field, password string, names ...string) {
	valid := utf8.ValidString(password)
	password = normalPassword(password)
	n := utf8.RuneCountInString(password)
	check.That(minPassword <= n && n <= maxPassword, field, "must be 8 to 128 characters")
	check.That(valid, field, "must be UTF-8")
	check.That(n < minPassword || n > maxPassword || !easy(password, names...), field, "is too easy to guess")
}

// checkName trims a name that people read and checks what is left.
func checkName(check *fault.Check, field string, name *string, least int) {
	*name = strings.TrimSpace(*name)
	n := utf8.RuneCountInString(*name)
	check.That(least <= n && n <= maxName, field, fmt.Sprintf("must be %d to %d characters", least, maxName))
	check.That(utf8.ValidString(*name), field, "must be UTF-8")
	shownname.Check(check, field, *name)
}

func checkSendCode(req *contract.SendCodeRequest) error {
	var check fault.Check
	checkEmail(&check, &req.Email)
	check.That(req.Purpose == contract.PurposeRegister || req.Purpose == contract.PurposeResetPassword, "purpose", "must be register or reset_password")
	if req.Language == "" {
		req.Language = english
	}
	check.That(slices.Contains(languages, req.Language), "language", "must be one of "+strings.Join(languages, ", "))
	return check.Err()
}

func checkRegister(req *contract.RegisterRequest) error {
	var check fault.Check
	checkEmail(&check, &req.Email)
	checkCode(&check, &req.Code)
	req.Account = foldAccount(req.Account)
	check.That(accountForm.MatchString(req.Account), "account", "must be 3 to 32 of a-z, 0-9, _ and ., a letter first")
	checkPassword(&check, "password", req.Password, req.Account, req.Email, req.Nickname)
	checkName(&check, "nickname", &req.Nickname, 0)
	checkName(&check, "device_name", &req.DeviceName, 0)
	if req.Nickname == "" {
		req.Nickname = req.Account
	}
	return check.Err()
}

// checkLogin does not look at the password's form: a wrong one is wrong.
func checkLogin(req *contract.LoginRequest) error {
	var check fault.Check
	if req.Account = strings.ReplaceAll(req.Account, "＠", "@"); strings.Contains(req.Account, "@") {
		req.Account = foldEmail(req.Account)
	} else {
		req.Account = foldAccount(req.Account)
	}
	check.That(req.Account != "" && len(req.Account) <= maxEmail, "account", "must be an account or an e-mail address")
	check.That(req.Password != "" && utf8.RuneCountInString(normalPassword(req.Password)) <= maxPassword, "password", "must be 1 to 128 characters")
	checkName(&check, "device_name", &req.DeviceName, 0)
	return check.Err()
}

func checkReset(req *contract.ResetPasswordRequest) error {
	var check fault.Check
	checkEmail(&check, &req.Email)
	checkCode(&check, &req.Code)
	checkPassword(&check, "password", req.Password, req.Email)
	return check.Err()
}

func checkChange(req contract.ChangePasswordRequest) error {
	var check fault.Check
	check.That(req.OldPassword != "" && utf8.RuneCountInString(normalPassword(req.OldPassword)) <= maxPassword, "old_password", "must be 1 to 128 characters")
	checkPassword(&check, "new_password", req.NewPassword)
	return check.Err()
}

func checkUpdate(req *contract.UpdateMeRequest) error {
	var check fault.Check
	if req.Nickname != nil {
		checkName(&check, "nickname", req.Nickname, 1)
	}
	if req.Sex != nil {
		check.That(0 <= *req.Sex && *req.Sex <= 2, "sex", "must be 0, 1 or 2")
	}
	if req.AvatarURL != nil {
		check.That(*req.AvatarURL == "" || isWebURL(*req.AvatarURL), "avatar_url", "must be an http or https URL of at most 2048 bytes")
	}
	return check.Err()
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxAvatarURL && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

func checkGetUsers(req contract.GetUsersRequest) error {
	var check fault.Check
	check.That(len(req.UserIDs) <= contract.MaxPage, "user_ids", "must be at most 200")
	for i, v := range req.UserIDs {
		check.That(contract.ValidID(v), fmt.Sprintf("user_ids[%d]", i), "must be an id")
	}
	return check.Err()
}

// place is where a page of sessions ends: the last used come first.
type place struct {
	usedAt int64 // milliseconds
	id     string
}

// after reports whether p comes later in the list than q. Of two used in one
// millisecond the one opened later comes first: ids grow with time.
func (p place) after(q place) bool {
	return p.usedAt < q.usedAt || p.usedAt == q.usedAt && p.id < q.id
}

func (p place) cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("%d.%s", p.usedAt, p.id)))
}

// checkPage puts the default limit in place of none, and reads the cursor:
// nil without one.
func checkPage(req *contract.ListSessionsRequest) (*place, error) {
	var check fault.Check
	if req.Limit == 0 {
		req.Limit = contract.DefaultPage
	}
	check.That(1 <= req.Limit && req.Limit <= contract.MaxPage, "limit", "must be 1 to 200")
	var from *place
	if req.Cursor != "" {
		text, err := base64.RawURLEncoding.DecodeString(req.Cursor)
		used, id, _ := strings.Cut(string(text), ".")
		ms, bad := strconv.ParseInt(used, 10, 64)
		check.That(err == nil && bad == nil && contract.ValidID(id), "cursor", "is none that was given out")
		from = &place{usedAt: ms, id: id}
	}
	return from, check.Err()
}
