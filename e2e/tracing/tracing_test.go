// Package tracing runs the commands of docs/tracing.md with the NATS CLI.
package tracing

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/shell"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

const (
	tracingDocument = "../../docs/tracing.md"
	// productionSection has servers of its own: TestTracing_production.
	productionSection = "In production"
)

// TestTracing runs every command of docs/tracing.md, with the real CLI, while
// people talk.
func TestTracing(t *testing.T) {
	s := system.Start(t, system.Options{Env: []string{"GATEWAY_GROUP_BURST=10000"}}) // a group with each turn
	l := newLife(t, s)
	sh := shell.New(t, []string{system.Tool(t, "nats")},
		"SERVER=nats://"+s.NATSAddr, "DATA="+s.Data, "ROOM="+l.room.ID, "USER_ID="+l.bob.ID)
	if document, err := os.ReadFile(tracingDocument); err != nil || !strings.Contains(string(document), "go install "+system.ToolPackage("nats")) {
		t.Errorf("%s does not install %s: %v", tracingDocument, system.ToolPackage("nats"), err)
	}
	t.Run("the README", func(t *testing.T) { watchIt(t, s, l) })
	ran := 0
	for _, e := range shell.Examples(t, tracingDocument) {
		if e.Section == productionSection {
			continue
		}
		ran++
		t.Run(fmt.Sprintf("line %d", e.Line), func(t *testing.T) {
			sh.Run(t, e, func() { l.turn(t) })
		})
	}
	if ran == 0 {
		t.Fatalf("no commands in %s", tracingDocument)
	}
}

// watchIt runs the commands of the README's section of that name. Some go on
// until Ctrl-C.
func watchIt(t *testing.T, s *system.System, l *life) {
	prints := map[string]string{
		"nats sub 'im.room.>'":  `Received on "im.room.….message"`,
		"nats sub 'im.evt.>'":   `Received on "im.evt.social.group.…"`,
		"nats micro ls":         "│ social │",
		"nats micro stats chat": "│ … │ send │",
		"nats sub 'im.svc.>'":   `nats: error: …Permissions Violation for Subscription to "im.svc.>"`,
		"nats --user operator":  `Received JetStream message: stream: IM_EVENTS …im.evt.auth.user.registered`,
	}
	sh := shell.New(t, []string{system.Tool(t, "nats")}, "NATS_URL=nats://"+s.NATSAddr)
	if err := os.Symlink(s.Data, filepath.Join(sh.Dir, "data")); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Watch it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	seen := 0
	for i, block := range strings.Split(strings.ReplaceAll(section, "\\\n", ""), "```") {
		if i%2 == 0 {
			continue // prose
		}
		for line := range strings.Lines(strings.TrimPrefix(block, "sh\n")) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "  #")
			e := shell.Example{Command: command}
			for begins, line := range prints {
				if strings.HasPrefix(command, begins) {
					e.Output = []string{line}
					seen++
				}
			}
			switch {
			case e.Output == nil:
				t.Errorf("what does it print? %s", command)
			case strings.HasPrefix(command, "nats sub") && !strings.Contains(e.Output[0], "error"):
				sh.Watch(t, e, func() { l.turn(t) })
			default:
				sh.Run(t, e, func() { l.turn(t) })
			}
		}
	}
	if seen != len(prints) {
		t.Errorf("%d of %d commands are in the README", seen, len(prints))
	}
}

// life is what goes on while somebody watches.
type life struct {
	ann, bob *person.Person
	room     contract.Room
	turns    int
}

// newLife has two friends, a group of theirs, and one of them online on each
// gateway.
func newLife(t *testing.T, s *system.System) *life {
	t.Helper()
	api, err := person.NewAPI("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l := &life{ann: person.New(t, api, s.URLs[0], "ann", s.Code), bob: person.New(t, api, s.URLs[1], "bob", s.Code)}
	l.ann.Befriend(t, l.bob)
	l.room = l.ann.Group(t, "watched", l.bob)
	for _, gateway := range s.URLs {
		l.bob.Login(t, gateway, "phone").Dial(t)
	}
	return l
}

// turn is a message, a change of the room and a new room for bob.
func (l *life) turn(t *testing.T) {
	t.Helper()
	l.turns++
	name := fmt.Sprintf("group %d", l.turns)
	l.ann.Send(t, l.room.ID, id.New(), name).Is(t, http.StatusCreated)
	l.ann.Patch(t, "/api/v1/rooms/"+l.room.ID, map[string]any{"name": name}).Is(t, http.StatusOK)
	l.ann.Group(t, name, l.bob)
}
