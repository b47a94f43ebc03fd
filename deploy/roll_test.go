package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// docker stands in for the program of that name: it keeps a list of containers
// and notes what it is told.
const docker = `#!/bin/sh
echo "$*" >>"$DIR/told"
case "$1 $2" in
"compose ps") cat "$DIR/containers" ;;
"compose up")
	for n in 1 2; do echo "new$n" >>"$DIR/containers"; done
	[ ! -e "$DIR/broken" ] ;;
rm*) for name; do :; done; grep -v "^$name$" "$DIR/containers" >"$DIR/rest" || true; mv "$DIR/rest" "$DIR/containers" ;;
esac
`

func TestRoll(t *testing.T) {
	roll := func(t *testing.T, containers string, broken bool) (left, told []string, err error) {
		dir := t.TempDir()
		files := map[string]string{"docker": docker, "containers": containers}
		if broken {
			files["broken"] = ""
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("sh", "compose/roll.sh", "chat")
		cmd.Env = []string{"DIR=" + dir, "PATH=" + dir + ":" + os.Getenv("PATH")}
		_, err = cmd.Output()
		text, _ := os.ReadFile(filepath.Join(dir, "containers"))
		lines, _ := os.ReadFile(filepath.Join(dir, "told"))
		return strings.Fields(string(text)), strings.Split(strings.TrimSpace(string(lines)), "\n"), err
	}
	t.Run("the old ones go once the new ones are healthy", func(t *testing.T) {
		left, told, err := roll(t, "old1\nold2\n", false)
		want := []string{
			"compose ps --quiet chat", "compose up --detach --no-deps --no-recreate --wait --scale chat=4 chat",
			"stop old1", "rm old1", "stop old2", "rm old2",
		}
		if err != nil || !slices.Equal(left, []string{"new1", "new2"}) || !slices.Equal(told, want) {
			t.Errorf("left %v, %v, after\n%s", left, err, strings.Join(told, "\n"))
		}
	})
	t.Run("the old ones stay when the new ones are not", func(t *testing.T) {
		left, told, err := roll(t, "old1\nold2\n", true)
		if err == nil || !slices.Equal(left, []string{"old1", "old2"}) || slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, "old") }) {
			t.Errorf("left %v, %v, after\n%s", left, err, strings.Join(told, "\n"))
		}
	})
	t.Run("nothing runs", func(t *testing.T) {
		if left, told, err := roll(t, "", false); err == nil || len(left) > 0 || len(told) != 1 {
			t.Errorf("left %v, %v, after %v", left, err, told)
		}
	})
}
