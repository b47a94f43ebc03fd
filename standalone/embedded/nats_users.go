package embedded

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-im/parley/pkg/contract"
)

// observerName is who a client is that gives no user on loopback.
const observerName = contract.ObserverUser

// responseTime is how long a service may answer a request that it got; no
// caller waits that long.
const responseTime = 2 * time.Minute

// natsUsers are the services, each with what the contract lets it do, the
// observer and the operator.
func natsUsers(passwords map[string]string) []*server.User {
	permissions := map[string]contract.Permission{
		contract.ObserverUser: contract.ObserverPermission(),
		contract.OperatorUser: contract.OperatorPermission(),
	}
	for _, s := range contract.Services() {
		permissions[string(s)] = contract.Permissions(s)
	}
	users := make([]*server.User, 0, len(permissions))
	for _, name := range natsUserNames() {
		users = append(users, &server.User{
			Username:    name,
			Password:    passwords[name],
			Permissions: natsPermissions(permissions[name]),
		})
	}
	return users
}

func natsPermissions(p contract.Permission) *server.Permissions {
	perms := &server.Permissions{
		Publish:   natsSubjects(p.PublishAllow, p.PublishDeny),
		Subscribe: natsSubjects(p.SubscribeAllow, p.SubscribeDeny),
	}
	if p.AllowResponses {
		perms.Response = &server.ResponsePermission{MaxMsgs: 1, Expires: responseTime}
	}
	return perms
}

// natsSubjects turns an empty allow list, which allows everything to NATS and
// nothing to the contract, into a refusal of everything.
func natsSubjects(allow, deny []string) *server.SubjectPermission {
	if len(allow) == 0 {
		return &server.SubjectPermission{Deny: []string{">"}}
	}
	return &server.SubjectPermission{Allow: allow, Deny: deny}
}
