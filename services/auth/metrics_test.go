package auth_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/services/auth"
)

// Operators see what callers can't tell apart.
func TestMetrics_of_logins(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.LoginFailures = 2 })
	w.start()
	w.register("ann")
	w.login("ann", password)
	unknown := fails(w, contract.Login, contract.LoginRequest{Account: "nobody", Password: password}, fault.Unauthenticated, "")
	for range 2 {
		wrong := fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: "wrong"}, fault.Unauthenticated, "")
		if wrong.Detail != unknown.Detail {
			t.Errorf("%q and %q tell accounts apart", wrong.Detail, unknown.Detail)
		}
	}
	fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: password}, fault.ResourceExhausted, "")
	fails(w, contract.SendCode, contract.SendCodeRequest{Email: "ann@example.org", Purpose: contract.PurposeRegister}, fault.ResourceExhausted, "")
	err := testutil.GatherAndCompare(w.metrics, strings.NewReader(`
# HELP parley_auth_limited_total Acts refused because there were too many: code (asking for one), attempt (proving a password or code).
# TYPE parley_auth_limited_total counter
parley_auth_limited_total{act="attempt",service="auth"} 1
parley_auth_limited_total{act="code",service="auth"} 1
# HELP parley_auth_logins_total Logins by how they ended: ok, unknown_account, wrong_password, disabled (with the right password), limited (too many attempts), busy (too many passwords to hash), failed.
# TYPE parley_auth_logins_total counter
parley_auth_logins_total{outcome="busy",service="auth"} 0
parley_auth_logins_total{outcome="disabled",service="auth"} 0
parley_auth_logins_total{outcome="failed",service="auth"} 0
parley_auth_logins_total{outcome="limited",service="auth"} 1
parley_auth_logins_total{outcome="ok",service="auth"} 1
parley_auth_logins_total{outcome="unknown_account",service="auth"} 1
parley_auth_logins_total{outcome="wrong_password",service="auth"} 2
`), "parley_auth_limited_total", "parley_auth_logins_total")
	if err != nil {
		t.Error(err)
	}
}
