package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

const (
	// natsCLI is the NATS CLI, as docs/tracing.md names it.
	natsCLI = "github.com/nats-io/natscli/nats@v0.5.1"

	tracingDocument = "../docs/tracing.md"
	// productionSection is run on servers of its own, by TestTracing_production.
	productionSection = "In production"
)

// tracing runs every command of docs/tracing.md, with the real CLI, while
// people talk.
func tracing(t *testing.T, s *system.System) {
	l := newLife(t, s)
	sh := newShell(t, []string{system.Tool(t, natsCLI)},
		"SERVER=nats://"+s.NATSAddr, "DATA="+s.Data, "ROOM="+l.room.ID, "USER_ID="+l.bob.ID)
	if document, err := os.ReadFile(tracingDocument); err != nil || !strings.Contains(string(document), "go install "+natsCLI) {
		t.Errorf("%s does not install %s: %v", tracingDocument, natsCLI, err)
	}
	t.Run("the README", func(t *testing.T) { watchIt(t, s, l) })
	ran := 0
	for _, e := range examples(t, tracingDocument) {
		if e.section == productionSection {
			continue
		}
		ran++
		t.Run(fmt.Sprintf("line %d", e.line), func(t *testing.T) {
			sh.run(t, e, func() { l.turn(t) })
		})
	}
	if ran == 0 {
		t.Fatalf("no commands in %s", tracingDocument)
	}
}

var milliseconds = regexp.MustCompile(`[0-9]+\.[0-9]+`)

// documentedTree is the trace that docs/tracing.md shows, with … for what each
// run has of its own: how long it took, and what was remembered.
func documentedTree(t *testing.T) []string {
	t.Helper()
	document, err := os.ReadFile(tracingDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "\n## One message as a trace\n")
	_, block, found := strings.Cut(section, "\n```text\n")
	block, _, _ = strings.Cut(block, "\n```\n")
	if !found {
		t.Fatalf("no tree in %s", tracingDocument)
	}
	return slices.DeleteFunc(strings.Split(milliseconds.ReplaceAllString(block, "…"), "\n"), func(line string) bool {
		return strings.Contains(line, "membership")
	})
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
	sh := newShell(t, []string{system.Tool(t, natsCLI)}, "NATS_URL=nats://"+s.NATSAddr)
	if err := os.Symlink(s.Data, filepath.Join(sh.dir, "data")); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
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
			e := example{command: command}
			for begins, line := range prints {
				if strings.HasPrefix(command, begins) {
					e.output = []string{line}
					seen++
				}
			}
			switch {
			case e.output == nil:
				t.Errorf("what does it print? %s", command)
			case strings.HasPrefix(command, "nats sub") && !strings.Contains(e.output[0], "error"):
				sh.watch(t, e, func() { l.turn(t) })
			default:
				sh.run(t, e, func() { l.turn(t) })
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
	both := people(t, s, "ann", "bob")
	l := &life{ann: both[0], bob: both[1]}
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
