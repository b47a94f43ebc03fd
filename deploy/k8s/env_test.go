package k8s

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// ofGo are the variables that Go's runtime reads, not the services.
var ofGo = map[string]bool{"GOMEMLIMIT": true, "SSL_CERT_DIR": true}

// literal puts the values that stand in a workload into the test's
// environment, with something in place of those from elsewhere.
func literal(t *testing.T, w workload) {
	t.Helper()
	for _, v := range w.spec.Containers[0].Env {
		value := v.Value
		if v.ValueFrom != nil {
			value = fromSecret(v.Name)
		}
		t.Setenv(v.Name, value)
	}
}

// fromSecret returns a value of the form that a variable from a Secret must have.
func fromSecret(name string) string {
	switch {
	case strings.HasSuffix(name, "_STORE"):
		return "mongodb://from.elsewhere"
	case strings.HasSuffix(name, "REDIS_URL"):
		return "rediss://from.elsewhere:6379"
	case strings.HasSuffix(name, "SMTP_URL"):
		return "smtps://from.elsewhere:465"
	default:
		return "from elsewhere"
	}
}

func TestEnv_is_what_the_services_read(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for service, variables := range configured() {
			known := map[string]bool{}
			for _, v := range variables {
				known[given(v)], known[v.Name] = true, true
			}
			for name := range env(r.service(service).spec.Containers[0]) {
				if !known[name] && !ofGo[name] {
					t.Errorf("%s does not know %s", service, name)
				}
			}
		}
	})
}

func TestEnv_is_taken_by_the_services(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for service, cfg := range map[contract.Service]any{
			contract.Auth: &auth.Config{}, contract.Social: &social.Config{},
			contract.Chat: &chat.Config{}, contract.Gateway: &gateway.Config{},
		} {
			t.Run(string(service), func(t *testing.T) {
				literal(t, r.service(service))
				if err := run.Config(strings.ToUpper(string(service)), cfg); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// Secrets, what the chart sets, and settings are all that there is, and each
// reaches the container.
func TestEnv_has_every_variable(t *testing.T) {
	set := map[contract.Service]map[string]bool{}
	for _, name := range matrix(t) {
		for service := range configured() {
			for variable := range env(render(t, name).service(service).spec.Containers[0]) {
				if set[service] == nil {
					set[service] = map[string]bool{}
				}
				set[service][variable] = true
			}
		}
	}
	for service, variables := range configured() {
		for _, v := range variables {
			if !free(v) && !set[service][given(v)] {
				t.Errorf("%s never gets %s", service, given(v))
			}
		}
	}
	for name := range managed {
		if secret[name] {
			t.Errorf("%s is a secret and set by the chart", name)
		}
	}
}

func TestEnv_has_every_setting(t *testing.T) {
	values, want := map[string]any{}, map[contract.Service]map[string]string{}
	shared := map[string]any{}
	for service, variables := range configured() {
		own := map[string]any{}
		want[service] = map[string]string{}
		for i, v := range variables {
			if !free(v) {
				continue
			}
			value, text := sample(v, i)
			own[v.Name], want[service][v.Name] = value, text
			if v.Shared != "" && usedByAll(v.Shared) {
				shared[v.Shared] = value
			}
		}
		values[string(service)] = map[string]any{"config": own}
	}
	values["config"] = shared
	text, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := renderFile(t, file)
	for service, variables := range want {
		got := env(r.service(service).spec.Containers[0])
		for name, value := range variables {
			if got[name].Value != value {
				t.Errorf("%s: %s is %q, not %q", service, name, got[name].Value, value)
			}
		}
		for name := range shared {
			if _, ok := got[name]; !ok {
				t.Errorf("%s has no %s", service, name)
			}
		}
	}
}

func usedByAll(shared string) bool {
	users := 0
	for _, variables := range configured() {
		for _, v := range variables {
			if v.Shared == shared {
				users++
			}
		}
	}
	return users == len(configured())
}

// sample is a value of a setting as YAML has it, and as the service reads it.
func sample(v run.Variable, i int) (value any, text string) {
	switch v.Type {
	case "bool":
		return true, "true"
	case "int", "int64", "uint32", "uint64":
		return 1_000_000 + i, fmt.Sprint(1_000_000 + i) // from here on YAML's numbers come with an exponent
	case "uint8":
		return i, fmt.Sprint(i)
	case "float64":
		return 0.25, "0.25"
	case "time.Duration":
		return fmt.Sprintf("1m%ds", i), fmt.Sprintf("1m%ds", i)
	case "slog.Level":
		return "warn", "warn"
	case "[]string":
		return []string{"a", "b"}, "a,b"
	default:
		return "it's \"" + v.Name + "\"", "it's \"" + v.Name + "\""
	}
}
