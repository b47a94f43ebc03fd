package credentials_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

// written fills what the file lacks and writes it.
func written(t *testing.T, path string) *credentials.File {
	t.Helper()
	f, err := credentials.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	return f
}

// compose reads a file as Docker Compose does.
func compose(t *testing.T, path string) map[string]string {
	t.Helper()
	values, err := dotenv.ReadWithLookup(func(string) (string, bool) { return "", false }, path)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func text(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	f := written(t, path)
	if got := compose(t, path); !maps.Equal(got, f.Set) {
		t.Error("Docker Compose reads other values")
	}
	before := text(t, path)
	if again := written(t, path); !maps.Equal(again.Set, f.Set) || !bytes.Equal(text(t, path), before) {
		t.Error("a second run changed the file")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// People write into the file, too.
func TestFile_keeps_what_is_there(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	own := `# ours
PARLEY_IMAGE=registry.example/parley
export REDIS_PASSWORD='it''s'
EMPTY=

  GRAFANA_PASSWORD : "a \"quoted\"
# second line, REDIS_PASSWORD=no"
SMTP_URL="smtp://${PARLEY_IMAGE}:587" # interpolated
MONGO_CHAT_PASSWORD=
LAST=without a line's end`
	own = strings.Replace(own, "'it''s'", `'it is'`, 1)
	if err := os.WriteFile(path, []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	before := compose(t, path)
	f := written(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	filledIn := strings.Replace(own, "MONGO_CHAT_PASSWORD=", "MONGO_CHAT_PASSWORD="+f.Set["MONGO_CHAT_PASSWORD"], 1)
	if !bytes.HasPrefix(text(t, path), []byte(filledIn+"\n")) {
		t.Errorf("the file begins differently:\n%s", text(t, path)[:len(filledIn)+100])
	}
	after := compose(t, path)
	for name, value := range before {
		if name != "MONGO_CHAT_PASSWORD" && after[name] != value {
			t.Errorf("%s was %q and is %q", name, value, after[name])
		}
	}
	if after["REDIS_PASSWORD"] != "it is" || !strings.HasPrefix(after["GRAFANA_PASSWORD"], "a \"quoted\"\n#") {
		t.Errorf("read %q", after)
	}

	if err := f.Set.RotateNKeys(); err != nil {
		t.Fatal(err)
	}
	if err := f.Set.RotateCertificates(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	if got := compose(t, path); !maps.Equal(got, f.Set) {
		t.Error("after a rotation Docker Compose reads other values")
	}
	if !bytes.HasPrefix(text(t, path), []byte(filledIn+"\n")) || bytes.Count(text(t, path), []byte("TLS_CERT=")) != 1 {
		t.Error("the rotation did not happen in place")
	}
}

func TestFile_refuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ".env")
	const secret = `REDIS_PASSWORD="hunter2`
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := credentials.ReadFile(path); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a damaged file: %v", err)
	}
	if string(text(t, path)) != secret {
		t.Error("the damaged file changed")
	}
	f, err := credentials.ReadFile(filepath.Join(dir, "none"))
	if err != nil || len(f.Set) != 0 {
		t.Errorf("a missing file: %v, %v", f, err)
	}
	if err := f.Write(filepath.Join(dir, "no", "such", "directory")); err == nil {
		t.Error("written nowhere")
	}
}
