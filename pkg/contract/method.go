package contract

import (
	"fmt"
	"strings"
)

// Method is one call that a service answers, typed by its request and reply:
// JSON on im.svc.<service>.<name>, in a queue group, so that any replica
// answers.
type Method[Req, Rep any] struct {
	Service Service
	Name    string // one subject token
	// Pinned methods are also served at im.svc.<service>.<name>.<replica>,
	// so that a caller may prefer one replica.
	Pinned bool
	// Repeatable methods may run again with the same request: that changes
	// nothing more. A caller whose request gets no answer sends it again.
	Repeatable bool
	// Grouped methods take several calls in one request, as HeaderGroup says:
	// so many at most, no more than MaxGroup. 0: none.
	Grouped int
	// Leaf methods are called by services while those answer a request, and call
	// no service themselves. They have workers of their own, so that two services
	// that ask each other never wait for each other's workers.
	Leaf bool
	// Callers are the parts that may call it.
	Callers []Service
	Doc     string // one sentence for docs/nats.md
}

// Subject is where any replica listens.
func (m Method[Req, Rep]) Subject() string {
	return svcRoot + string(m.Service) + "." + m.Name
}

// ReplicaSubject is where one replica of a pinned method listens.
func (m Method[Req, Rep]) ReplicaSubject(replica string) (string, error) {
	if !ValidID(replica) {
		return "", fmt.Errorf("%w: %q", ErrUnsafeID, replica)
	}
	return m.Subject() + "." + replica, nil
}

// Info describes the method without its types.
func (m Method[Req, Rep]) Info() MethodInfo {
	return MethodInfo{
		Service:    m.Service,
		Name:       m.Name,
		Subject:    m.Subject(),
		Pinned:     m.Pinned,
		Repeatable: m.Repeatable,
		Grouped:    m.Grouped,
		Callers:    m.Callers,
		Request:    typeName[Req](),
		Reply:      typeName[Rep](),
		Doc:        m.Doc,
	}
}

// MethodInfo is a row of [Methods].
type MethodInfo struct {
	Service        Service
	Name           string
	Subject        string
	Pinned         bool
	Repeatable     bool
	Grouped        int
	Callers        []Service
	Request, Reply string // names of the Go types
	Doc            string
}

func typeName[T any]() string {
	var v T
	return strings.TrimPrefix(fmt.Sprintf("%T", v), "contract.")
}

// Empty is the request or reply of a method that needs none.
type Empty struct{}
