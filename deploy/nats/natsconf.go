// Package natsconf writes the configuration of NATS servers that follows from
// pkg/contract: accounts, users and their permissions.
//
// The files hold no secret. Users are known by the public halves of their
// NKeys, which the server takes from its environment, so that what a user may
// do can be reviewed and is the same everywhere, while who it is belongs to
// the installation.
package natsconf

//go:generate go test . -run TestFiles_are_current -update

import (
	"fmt"
	"strings"

	"github.com/parley-im/parley/pkg/contract"
)

const (
	// Account is the account in which all of Parley talks.
	Account = "PARLEY"
	// SystemAccount is the servers' own: their state, and commands to them.
	SystemAccount = "SYS"
	// SystemUser is the one user of the system account.
	SystemUser = "system"
)

// Users are the names of all users: those of the contract, and the system's.
func Users() []string {
	var names []string
	for _, u := range contract.NATSUsers() {
		names = append(names, u.Name)
	}
	return append(names, SystemUser)
}

// SeedVar is the variable of a user's NKey seed. No server has it.
func SeedVar(user string) string { return variable(user) + "_SEED" }

// NKeyVar is the variable of a user's public NKey.
func NKeyVar(user string) string { return variable(user) + "_NKEY" }

// OldNKeyVar is the variable of the public NKey that a user had before, which
// counts as well: servers and users change keys one after the other.
func OldNKeyVar(user string) string { return NKeyVar(user) + "_OLD" }

func variable(user string) string { return "NATS_" + strings.ToUpper(user) }

const accountsIntro = `# NATS: Parley's accounts, users and permissions.
# Generated from pkg/contract by "make generate"; do not edit.
#
# For a server of its own: include this file from the server's configuration.
# Each user is known by the public half of its NKey, from the server's
# environment: NATS_<USER>_NKEY, and NATS_<USER>_NKEY_OLD for the key before,
# so that a rotation interrupts nobody. All of them must be set. "make env" and
# "make secrets" make them, with an old key at first that nobody has.

`

// Accounts is the part of a server's configuration that says who may do what:
// both accounts, and that nobody else may connect.
func Accounts() []byte {
	var b strings.Builder
	b.WriteString(accountsIntro)
	permissions(&b)
	b.WriteString("accounts {\n")
	account(&b, "  ")
	fmt.Fprintf(&b, "  %s {\n    users: [\n", SystemAccount)
	user(&b, "      ", SystemUser, "")
	b.WriteString("    ]\n  }\n}\n\n")
	fmt.Fprintf(&b, "system_account: %s\n", SystemAccount)
	return []byte(b.String())
}

const accountIntro = `# NATS: Parley's account, users and permissions.
# Generated from pkg/contract by "make generate"; do not edit.
#
# For a server that has accounts already: include this file inside its block
# "accounts". Each user is known by the public half of its NKey, from the
# server's environment: NATS_<USER>_NKEY, and NATS_<USER>_NKEY_OLD for the key
# before. All of them must be set.

`

// AccountOnly is Parley's account, to stand among the accounts of a server
// that serves others too and has a system account of its own.
func AccountOnly() []byte {
	var b strings.Builder
	b.WriteString(accountIntro)
	permissions(&b)
	account(&b, "")
	return []byte(b.String())
}

// account is the block of Parley's account.
func account(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%s%s {\n%s  jetstream: enabled\n%s  users: [\n", indent, Account, indent, indent)
	for _, u := range contract.NATSUsers() {
		user(b, indent+"    ", u.Name, permissionVar(u.Name))
	}
	fmt.Fprintf(b, "%s  ]\n%s}\n", indent, indent)
}

// user is a user by the key that it has and by the one that it had.
func user(b *strings.Builder, indent, name, permissions string) {
	if permissions != "" {
		permissions = ", permissions: $" + permissions
	}
	for _, key := range []string{NKeyVar(name), OldNKeyVar(name)} {
		fmt.Fprintf(b, "%s{ nkey: $%s%s }\n", indent, key, permissions)
	}
}

// permissionVar names a user's permissions within the file. "OPERATOR" alone
// would be a setting of the server.
func permissionVar(user string) string { return Account + "_" + strings.ToUpper(user) }

// permissions are the named maps that users refer to.
func permissions(b *strings.Builder) {
	for _, u := range contract.NATSUsers() {
		publish, subscribe := u.Permission.Rules()
		fmt.Fprintf(b, "%s = {\n", permissionVar(u.Name))
		rule(b, "publish", publish)
		rule(b, "subscribe", subscribe)
		b.WriteString("}\n\n")
	}
}

func rule(b *strings.Builder, direction string, r contract.SubjectRule) {
	fmt.Fprintf(b, "  %s: {\n", direction)
	list(b, "allow", r.Allow)
	list(b, "deny", r.Deny)
	b.WriteString("  }\n")
}

// list leaves out an empty list: to NATS it would say something else.
func list(b *strings.Builder, name string, subjects []string) {
	if len(subjects) == 0 {
		return
	}
	fmt.Fprintf(b, "    %s: [\n", name)
	for _, subject := range subjects {
		fmt.Fprintf(b, "      %q\n", subject)
	}
	b.WriteString("    ]\n")
}
