package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrepare runs the script; only whom files are given to is noted rather
// than done, for that takes root.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"bin", "client", "server", "nats"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chown := "#!/bin/sh\necho \"$1 ${2##*/}\" >>" + filepath.Join(dir, "owners") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "bin", "chown"), []byte(chown), 0o755); err != nil {
		t.Fatal(err)
	}
	prepare := func(suffix string) {
		cmd := exec.Command("sh", "compose/prepare.sh", "65532:"+filepath.Join(dir, "nats"))
		cmd.Env = []string{
			"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"),
			"CLIENT=" + filepath.Join(dir, "client"), "SERVER=" + filepath.Join(dir, "server"),
		}
		for _, name := range []string{"TLS_CA_CERT", "TLS_CERT", "TLS_KEY", "TLS_CLIENT_CERT", "TLS_CLIENT_KEY", "MONGO_KEYFILE"} {
			cmd.Env = append(cmd.Env, name+"="+strings.TrimSpace(mark(name))+suffix)
		}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	prepare("")
	prepare("2") // renewed

	text := func(names ...string) string {
		var all string
		for _, name := range names {
			all += strings.TrimSpace(mark(name)) + "2\n"
		}
		return all
	}
	for name, want := range map[string]struct {
		mode  os.FileMode
		owner string
		text  string
	}{
		"client/ca.crt":    {0o444, "0:0", text("TLS_CA_CERT")},
		"client/tls.crt":   {0o444, "0:0", text("TLS_CLIENT_CERT")},
		"client/tls.key":   {0o400, "65532:65532", text("TLS_CLIENT_KEY")},
		"server/ca.crt":    {0o444, "0:0", text("TLS_CA_CERT")},
		"server/tls.crt":   {0o444, "0:0", text("TLS_CERT")},
		"server/tls.key":   {0o400, "65532:65532", text("TLS_KEY")},
		"server/mongo.pem": {0o400, "999:999", text("TLS_CERT", "TLS_KEY")},
		"server/mongo.key": {0o400, "999:999", text("MONGO_KEYFILE")},
	} {
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want.mode || string(content) != want.text {
			t.Errorf("%s: mode %o, %q", name, info.Mode().Perm(), content)
		}
		owners, _ := os.ReadFile(filepath.Join(dir, "owners"))
		if line := fmt.Sprintf("%s %s.new\n", want.owner, filepath.Base(name)); !strings.Contains(string(owners), line) {
			t.Errorf("%s is not given to %s:\n%s", name, want.owner, owners)
		}
	}
	for _, volume := range []string{"client", "server"} {
		entries, err := os.ReadDir(filepath.Join(dir, volume))
		if want := map[string]int{"client": 3, "server": 5}[volume]; err != nil || len(entries) != want {
			t.Errorf("%s has %v, %v", volume, entries, err)
		}
	}
	if owners, _ := os.ReadFile(filepath.Join(dir, "owners")); !strings.Contains(string(owners), "65532:65532 nats\n") {
		t.Errorf("the volume is not given away:\n%s", owners)
	}
}

func TestMongoScripts_are_JavaScript(t *testing.T) {
	for _, name := range []string{"health.js", "users.js"} {
		if out, err := exec.Command("node", "--check", filepath.Join("compose/mongo", name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
