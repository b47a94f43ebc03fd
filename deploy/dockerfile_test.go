package deploy

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// stage is the one of that name in deploy/Dockerfile; the image's own has none.
func stage(t *testing.T, name string) instructions.Stage {
	t.Helper()
	for _, s := range dockerfile(t) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no stage %q", name)
	return instructions.Stage{}
}

// dockerfile parses deploy/Dockerfile; what BuildKit's linter says fails the
// test.
func dockerfile(t *testing.T) []instructions.Stage {
	t.Helper()
	source, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	result, err := parser.Parse(bytes.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, at []parser.Range) {
		t.Errorf("Dockerfile:%d: %s: %s", at[0].Start.Line, rule, message)
	}})
	stages, _, err := instructions.Parse(result.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// commands are those of one type in a stage.
func commands[C instructions.Command](stage instructions.Stage) []C {
	var list []C
	for _, command := range stage.Commands {
		if c, ok := command.(C); ok {
			list = append(list, c)
		}
	}
	return list
}

// arguments are the values of a stage's ARGs and ENVs when given is set with
// --build-arg.
func arguments(t *testing.T, stage instructions.Stage, given map[string]string) map[string]string {
	t.Helper()
	values, lex := maps.Clone(given), shell.NewLex('\\')
	var env []string
	set := func(name, word string) {
		value, _, err := lex.ProcessWord(word, shell.EnvsFromSlice(env))
		if err != nil {
			t.Fatal(err)
		}
		values[name] = value
		env = append(env, name+"="+value)
	}
	for _, command := range stage.Commands {
		switch c := command.(type) {
		case *instructions.EnvCommand:
			for _, pair := range c.Env {
				set(pair.Key, pair.Value)
			}
		case *instructions.ArgCommand:
			for _, arg := range c.Args {
				value, ok := given[arg.Key]
				if !ok {
					value = arg.ValueString()
				}
				set(arg.Key, value)
			}
		}
	}
	return values
}

var pinned = regexp.MustCompile(`^[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}$`)

func TestDockerfile(t *testing.T) {
	build, final := stage(t, "build"), stage(t, "")

	t.Run("the builder cross-compiles", func(t *testing.T) {
		if build.Platform != "$BUILDPLATFORM" || !regexp.MustCompile(`^golang:\d+\.\d+\.\d+-`).MatchString(build.BaseName) {
			t.Errorf("builds on %s for %s", build.BaseName, build.Platform)
		}
		values := arguments(t, build, map[string]string{})
		for name, want := range map[string]string{"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"} {
			if values[name] != want {
				t.Errorf("%s is %q, want %q", name, values[name], want)
			}
		}
		for _, run := range commands[*instructions.RunCommand](build) {
			line := strings.Join(run.CmdLine, " ")
			if !strings.Contains(strings.Join(run.FlagsUsed, " "), "mount") {
				t.Errorf("no cache is mounted for %s", line)
			}
		}
	})
	t.Run("only a gateway needs Node", func(t *testing.T) {
		chosen, lex := stage(t, "web"), shell.NewLex('\\')
		for service := range programs(t) {
			name, _, err := lex.ProcessWord(chosen.BaseName, shell.EnvsFromSlice([]string{"SERVICE=" + service}))
			if err != nil {
				t.Fatal(err)
			}
			base := stage(t, name)
			for strings.HasPrefix(base.BaseName, "web-") {
				base = stage(t, base.BaseName)
			}
			if node := regexp.MustCompile(`^node:20\.\d+\.\d+-`).MatchString(base.BaseName); node != (service == "gateway") {
				t.Errorf("the pages of %s come from %s", service, base.BaseName)
			}
		}
		if pages := stage(t, "web-gateway"); pages.Platform != "$BUILDPLATFORM" {
			t.Errorf("pages are built on %s", pages.Platform)
		}
	})
	t.Run("the base is pinned and has no shell", func(t *testing.T) {
		if !pinned.MatchString(final.BaseName) || !strings.Contains(final.BaseName, "distroless/static") || final.Platform != "" {
			t.Errorf("based on %s for %q", final.BaseName, final.Platform)
		}
		if runs := commands[*instructions.RunCommand](final); len(runs) > 0 {
			t.Errorf("it runs %v", runs)
		}
	})
	t.Run("nobody in particular runs it", func(t *testing.T) {
		users := commands[*instructions.UserCommand](final)
		if len(users) != 1 || users[0].User != "65532:65532" {
			t.Errorf("users %v", users)
		}
		for _, copied := range commands[*instructions.CopyCommand](final) {
			if copied.Chown != "" || copied.Chmod != "" {
				t.Errorf("%v is not root's", copied)
			}
		}
	})
	t.Run("it says how it runs", func(t *testing.T) {
		values := arguments(t, final, map[string]string{})
		if values["OPS_ADDR"] != ":9090" || values["GATEWAY_ADDR"] != ":8080" {
			t.Errorf("environment %v", values)
		}
		entry := commands[*instructions.EntrypointCommand](final)
		if len(entry) != 1 || !slices.Equal(entry[0].CmdLine, []string{"/parley"}) || entry[0].PrependShell {
			t.Errorf("entrypoint %v", entry)
		}
		health := commands[*instructions.HealthCheckCommand](final)
		if len(health) != 1 || !slices.Equal(health[0].Health.Test, []string{"CMD", "/parley", "-check"}) {
			t.Errorf("health check %v", health)
		}
		expose := commands[*instructions.ExposeCommand](final)
		if len(expose) != 1 || !slices.Equal(expose[0].Ports, []string{"8080", "9090"}) {
			t.Errorf("ports %v", expose)
		}
	})
	t.Run("labels", func(t *testing.T) {
		given := map[string]string{"SERVICE": "chat", "VERSION": "1.2.3", "REVISION": "abc", "CREATED": "2026-01-02T03:04:05Z"}
		values, lex := arguments(t, final, given), shell.NewLex('\\')
		var env []string
		for name, value := range values {
			env = append(env, name+"="+value)
		}
		labels := map[string]string{}
		for _, command := range commands[*instructions.LabelCommand](final) {
			for _, pair := range command.Labels {
				value, _, err := lex.ProcessWord(pair.Value, shell.EnvsFromSlice(env))
				if err != nil {
					t.Fatal(err)
				}
				labels[strings.TrimPrefix(pair.Key, "org.opencontainers.image.")] = value
			}
		}
		for name, want := range map[string]string{
			"title": "parley-chat", "version": "1.2.3", "revision": "abc", "created": "2026-01-02T03:04:05Z",
			"licenses": "Apache-2.0", "source": "https://github.com/parley-im/parley",
		} {
			if labels[name] != want {
				t.Errorf("label %s is %q, want %q", name, labels[name], want)
			}
		}
		if !strings.Contains(labels["description"], "chat") {
			t.Errorf("description %q", labels["description"])
		}
	})
}
