package embedded

import (
	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-im/parley/pkg/contract"
)

// observerName is who a client is that gives no user on loopback.
const observerName = contract.ObserverUser

// natsUsers are the services, each with what the contract lets it do, the
// admin, the observer and the operator.
func natsUsers(passwords map[string]string) []*server.User {
	var users []*server.User
	for _, u := range contract.NATSUsers() {
		publish, subscribe := u.Permission.Rules()
		users = append(users, &server.User{
			Username: u.Name,
			Password: passwords[u.Name],
			Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: publish.Allow, Deny: publish.Deny},
				Subscribe: &server.SubjectPermission{Allow: subscribe.Allow, Deny: subscribe.Deny},
			},
		})
	}
	return users
}
