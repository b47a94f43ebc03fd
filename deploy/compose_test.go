package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"github.com/parley-im/parley/deploy/secrets/credentials"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/gateway"
	"github.com/parley-im/parley/services/social"
)

// mark is the value of a secret in these tests: where it turns up, the secret
// does. Certificates and keys have lines, as in a real .env.
func mark(name string) string {
	if strings.HasPrefix(name, "TLS_") {
		return "-----BEGIN-----\n<" + name + ">\n-----END-----\n"
	}
	return "x" + strings.ReplaceAll(strings.ToLower(name), "_", "-") + "x"
}

// compose loads docker-compose.yml and overrides, all profiles, with the .env
// and nothing else of the environment.
func compose(env string, overrides ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions(append([]string{filepath.Join(root, "docker-compose.yml")}, overrides...),
		cli.WithWorkingDirectory(root), cli.WithEnvFiles(env), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func writeEnv(t *testing.T, names ...string) string {
	t.Helper()
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "%s=\"%s\"\n", name, mark(name))
	}
	path := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func project(t *testing.T) *types.Project {
	t.Helper()
	p, err := compose(writeEnv(t, credentials.Names()...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCompose_reads_what_make_env_writes, lines of certificates included.
func TestCompose_reads_what_make_env_writes(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	file, err := credentials.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Set.Fill(time.Now(), credentials.ComposeHosts()); err != nil {
		t.Fatal(err)
	}
	if err := file.Write(path); err != nil {
		t.Fatal(err)
	}
	p, err := compose(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"TLS_CERT", "TLS_KEY", "TLS_CA_CERT", "MONGO_KEYFILE"} {
		if got, want := *p.Services["prepare"].Environment[name], file.Set[name]; strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s became %d bytes of %d", name, len(got), len(want))
		}
	}
}

// own are Parley's services in it, with their settings.
func own() map[string]any {
	return map[string]any{"auth": &auth.Config{}, "social": &social.Config{}, "chat": &chat.Config{}, "gateway": &gateway.Config{}}
}

// once are those that run to their end.
var once = []string{"prepare", "mongo-users", "smoke"}

func TestCompose_wants_its_secrets(t *testing.T) {
	_, err := compose(writeEnv(t))
	if err == nil || !strings.Contains(err.Error(), "run make env") {
		t.Fatalf("without .env: %v", err)
	}
	unused := []string{"TLS_CA_KEY"} // signs; no container gets it
	for _, user := range []string{"ADMIN", "OBSERVER", "OPERATOR", "SYSTEM"} {
		unused = append(unused, "NATS_"+user+"_SEED") // people's
	}
	names := credentials.Names()
	for i, name := range names {
		_, err := compose(writeEnv(t, slices.Concat(names[:i], names[i+1:])...))
		if wanted := err != nil && strings.Contains(err.Error(), "run make env"); wanted == slices.Contains(unused, name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

var version = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+\.\d+(-[a-z0-9.]+)?$`)

func TestCompose_confines_every_container(t *testing.T) {
	p := project(t)
	may := map[string][]string{"caddy": {"NET_BIND_SERVICE"}, "prepare": {"CHOWN"}} // and no other
	for name, s := range p.Services {
		if !version.MatchString(s.Image) {
			t.Errorf("%s: image %s is not pinned", name, s.Image)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.CapAdd, may[name]) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) || s.Privileged {
			t.Errorf("%s may do too much: read-only %v, capabilities -%v +%v, %v", name, s.ReadOnly, s.CapDrop, s.CapAdd, s.SecurityOpt)
		}
		if root := s.User == "" || strings.HasPrefix(s.User, "0"); root != (name == "prepare") {
			t.Errorf("%s runs as user %q", name, s.User)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			t.Errorf("%s: its log has no end", name)
		}
		if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes == 0 || s.Deploy.Resources.Limits.NanoCPUs == 0 || s.Deploy.Resources.Limits.Pids == 0 {
			t.Errorf("%s has no limits", name)
		}
		if want := map[bool]string{true: "no", false: "unless-stopped"}[slices.Contains(once, name)]; s.Restart != want {
			t.Errorf("%s: restart %s, want %s", name, s.Restart, want)
		}
		for _, port := range s.Ports {
			if ip, err := netip.ParseAddr(port.HostIP); err != nil || !ip.IsLoopback() {
				t.Errorf("%s is published on %q", name, port.HostIP)
			}
		}
		for _, volume := range s.Volumes {
			if strings.Contains(volume.Source, "docker.sock") || volume.Type == types.VolumeTypeBind && !volume.ReadOnly {
				t.Errorf("%s has %s", name, volume.Source)
			}
		}
		if len(s.Secrets)+len(s.Configs) > 0 {
			t.Errorf("%s: Compose puts no secret or config into a read-only container", name)
		}
	}
}

// TestCompose_starts_in_order: nothing starts before what it needs is healthy.
func TestCompose_starts_in_order(t *testing.T) {
	p := project(t)
	for name, s := range p.Services {
		for other, dependency := range s.DependsOn {
			target := p.Services[other]
			switch dependency.Condition {
			case types.ServiceConditionHealthy:
				if target.HealthCheck == nil || len(target.HealthCheck.Test) < 2 || target.HealthCheck.StartPeriod == nil || target.HealthCheck.StartInterval == nil {
					t.Errorf("%s waits for the health of %s, which has no check", name, other)
				}
			case types.ServiceConditionCompletedSuccessfully:
				if !slices.Contains(once, other) {
					t.Errorf("%s waits for the end of %s", name, other)
				}
			case types.ServiceConditionStarted:
				if probe, known := probes[target.Image]; !known || probe != nil {
					t.Errorf("%s waits only for the start of %s, which can tell more", name, other)
				}
			default:
				t.Errorf("%s needs %s only %s", name, other, dependency.Condition)
			}
			if !dependency.Required || dependency.Restart {
				t.Errorf("%s: dependency on %s is %+v", name, other, dependency)
			}
			if len(target.Profiles) > 0 && len(s.Profiles) == 0 {
				t.Errorf("%s needs %s of the profile %v", name, other, target.Profiles)
			}
		}
	}
	for name := range own() {
		test := p.Services[name].HealthCheck.Test
		if !slices.Equal(test, types.HealthCheckTest{"CMD", "/parley", "-check"}) {
			t.Errorf("%s: health is %v", name, test)
		}
		for _, other := range []string{"nats-0", "nats-1", "nats-2", "prepare"} {
			if _, ok := p.Services[name].DependsOn[other]; !ok {
				t.Errorf("%s does not wait for %s", name, other)
			}
		}
	}
}

func TestCompose_scales(t *testing.T) {
	p := project(t)
	for name, replicas := range map[string]int{"auth": 2, "social": 2, "chat": 2, "gateway": 3} {
		s := p.Services[name]
		if s.GetScale() != replicas || s.ContainerName != "" || s.Hostname != "" || len(s.Ports) > 0 {
			t.Errorf("%s: %d replicas, name %q %q, ports %v", name, s.GetScale(), s.ContainerName, s.Hostname, s.Ports)
		}
	}
	// The time to stop is more than what the gateway takes for itself.
	t.Setenv("NATS_URL", "")
	var cfg gateway.Config
	if err := run.Config("GATEWAY", &cfg); err != nil {
		t.Fatal(err)
	}
	grace := time.Duration(*p.Services["gateway"].StopGracePeriod)
	if least := cfg.DrainTime + 4*time.Second + cfg.StopTimeout + run.StopTimeout; grace <= least {
		t.Errorf("a gateway gets %v, but may take %v", grace, least)
	}
	// Whose X-Forwarded-For counts: the network's where Caddy is, alone with the
	// gateways.
	trusted := *p.Services["gateway"].Environment["GATEWAY_TRUSTED_PROXIES"]
	if subnet := p.Networks["edge"].Ipam.Config[0].Subnet; trusted != subnet {
		t.Errorf("gateways trust %s, Caddy is in %s", trusted, subnet)
	}
	var there []string
	for name, s := range p.Services {
		if _, ok := s.Networks["edge"]; ok {
			there = append(there, name)
		}
	}
	if slices.Sort(there); !slices.Equal(there, []string{"caddy", "gateway"}) {
		t.Errorf("%v are where X-Forwarded-For is believed", there)
	}
}

// TestCompose_sets_what_services_read: each variable exists, and the values are
// understood.
func TestCompose_sets_what_services_read(t *testing.T) {
	p := project(t)
	if got, want := slices.Sorted(maps.Keys(own())), contract.Services(); len(got) != len(want) {
		t.Fatalf("services %v, tested %v", want, got)
	}
	for name, cfg := range own() {
		t.Run(name, func(t *testing.T) {
			prefix := strings.ToUpper(name)
			known := map[string]bool{}
			for _, v := range run.Variables(prefix, cfg) {
				known[v.Name], known[v.Shared] = true, true
			}
			for variable, value := range p.Services[name].Environment {
				if !known[variable] {
					t.Errorf("%s reads no %s", name, variable)
				}
				if value == nil {
					t.Errorf("%s has no value", variable)
					continue
				}
				t.Setenv(variable, *value)
			}
			if err := run.Config(prefix, cfg); err != nil {
				t.Error(err)
			}
		})
	}
	for name, cfg := range map[string]struct{ uri string }{
		"auth": {*p.Services["auth"].Environment["AUTH_STORE"]}, "social": {*p.Services["social"].Environment["SOCIAL_STORE"]}, "chat": {*p.Services["chat"].Environment["CHAT_STORE"]},
	} {
		uri, err := connstring.ParseAndValidate(cfg.uri)
		if err != nil || uri.Username != name || uri.Database != name || uri.ReplicaSet != "rs0" || !uri.SSL || uri.SSLCaFile != "/run/parley/ca.crt" {
			t.Errorf("%s: %v, %v", name, uri, err)
		}
	}
}

// TestCompose_gives_secrets_to_whom_they_belong, and there are no others.
func TestCompose_gives_secrets_to_whom_they_belong(t *testing.T) {
	p := project(t)
	owners := map[string][]string{
		"AUTH_KEY_SECRET": {"auth"}, "REDIS_PASSWORD": {"auth", "gateway", "redis"}, "GRAFANA_PASSWORD": {"grafana"},
		"MONGO_ROOT_PASSWORD": {"mongo", "mongo-users"}, "MONGO_KEYFILE": {"prepare"}, "NATS_CLUSTER_PASSWORD": {"nats-0", "nats-1", "nats-2"},
	}
	for _, service := range []string{"auth", "social", "chat", "gateway"} {
		owners["NATS_"+strings.ToUpper(service)+"_SEED"] = []string{service}
		owners["MONGO_"+strings.ToUpper(service)+"_PASSWORD"] = []string{"mongo-users", service}
	}
	delete(owners, "MONGO_GATEWAY_PASSWORD")
	for _, name := range credentials.Names() {
		switch {
		case strings.Contains(name, "_NKEY"): // public halves
			owners[name] = []string{"nats-0", "nats-1", "nats-2"}
		case strings.HasPrefix(name, "TLS_") && name != "TLS_CA_KEY":
			owners[name] = []string{"prepare"}
		}
	}
	for _, secret := range credentials.Names() {
		var found []string
		for name, s := range p.Services {
			text := strings.Join(slices.Concat(s.Command, s.Entrypoint), " ")
			for _, value := range s.Environment {
				text += " " + *value
			}
			if strings.Contains(text, mark(secret)) {
				found = append(found, name)
			}
			if strings.Contains(strings.Join(slices.Concat(s.Command, s.Entrypoint), " "), mark(secret)) {
				t.Errorf("%s stands in the command line of %s", secret, name)
			}
		}
		slices.Sort(found)
		slices.Sort(owners[secret])
		if !slices.Equal(found, owners[secret]) {
			t.Errorf("%s: %v have it, want %v", secret, found, owners[secret])
		}
	}
	named := regexp.MustCompile(`PASSWORD|SECRET|SEED|AUTH$|KEY$`)
	isMark := regexp.MustCompile(`^x[a-z0-9-]+x$|<TLS_[A-Z_]+>`)
	for name, s := range p.Services {
		for variable, value := range s.Environment {
			if named.MatchString(variable) && !isMark.MatchString(*value) && !strings.HasPrefix(*value, "/run/") {
				t.Errorf("%s: %s is written down", name, variable)
			}
			for part := range strings.FieldsFuncSeq(*value, func(r rune) bool { return strings.ContainsRune(" ,[]", r) }) {
				if u, err := url.Parse(part); err == nil && u.User != nil {
					if password, ok := u.User.Password(); ok && !isMark.MatchString(password) {
						t.Errorf("%s: a password in %s is written down", name, variable)
					}
				}
			}
		}
	}
}

// TestCompose_mounts_what_there_is: a bind mount without a source would make
// an empty directory of it.
func TestCompose_mounts_what_there_is(t *testing.T) {
	for name, s := range project(t).Services {
		for _, volume := range s.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestCompose_sets_what_NATS_reads: its configuration and that of its users
// stand on the environment and on certificates in a directory.
func TestCompose_sets_what_NATS_reads(t *testing.T) {
	p := project(t)
	for _, name := range []string{"nats-0", "nats-1", "nats-2"} {
		s := p.Services[name]
		at := map[string]string{}
		for _, volume := range s.Volumes {
			at[volume.Target] = volume.Source
		}
		read := map[string]bool{}
		for _, target := range []string{"/etc/nats/nats.conf", "/etc/nats/nats-accounts.conf"} {
			source, err := os.ReadFile(at[target])
			if err != nil {
				t.Fatal(err)
			}
			for _, variable := range regexp.MustCompile(`[^"]\$(NATS_[A-Z_]+)`).FindAllStringSubmatch(string(source), -1) {
				read[variable[1]] = true
			}
		}
		for variable := range read {
			if value := s.Environment[variable]; value == nil || *value == "" {
				t.Errorf("%s has no %s", name, variable)
			}
		}
		for variable := range s.Environment {
			if !read[variable] {
				t.Errorf("%s reads no %s", name, variable)
			}
		}
		if len(read) < 16 || *s.Environment["NATS_SERVER_NAME"] != name || at["/data"] != name || at["/etc/nats/tls"] != "tls-server" {
			t.Errorf("%s: reads %v, keeps its data in %s, certificates in %s", name, read, at["/data"], at["/etc/nats/tls"])
		}
	}
}

// TestCompose_reaches_engines_by_names_of_their_certificate.
func TestCompose_reaches_engines_by_names_of_their_certificate(t *testing.T) {
	host := regexp.MustCompile(`(?:tls|rediss|mongodb|smtp)://(?:[^@/, ]*@)?([a-z0-9-]+):\d+`)
	reached := map[string]bool{}
	for name, s := range project(t).Services {
		for variable, value := range s.Environment {
			for _, match := range host.FindAllStringSubmatch(*value, -1) {
				reached[match[1]] = true
				if !slices.Contains(credentials.ComposeHosts(), match[1]) {
					t.Errorf("%s: %s leads to %s, which no certificate names", name, variable, match[1])
				}
			}
		}
	}
	for _, engine := range []string{"nats-0", "nats-1", "nats-2", "mongo", "redis", "mailpit"} {
		if !reached[engine] {
			t.Errorf("nobody reaches %s", engine)
		}
	}
}

// TestCompose_takes_engines_of_ones_own, by the override of the manual.
func TestCompose_takes_engines_of_ones_own(t *testing.T) {
	manual, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(services:.*?)```").FindAllSubmatch(manual, -1)
	if len(blocks) != 1 {
		t.Fatalf("%d overrides in the manual", len(blocks))
	}
	override := filepath.Join(t.TempDir(), "docker-compose.override.yml")
	if err := os.WriteFile(override, blocks[0][1], 0o600); err != nil {
		t.Fatal(err)
	}
	env := writeEnv(t, append(credentials.Names(), "AUTH_STORE", "SOCIAL_STORE", "CHAT_STORE")...)
	p, err := compose(env, override)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mongo", "mongo-users"} {
		if _, ok := p.Services[name]; ok {
			t.Errorf("%s is still there", name)
		}
	}
	for name, s := range p.Services {
		for other := range s.DependsOn {
			if _, ok := p.Services[other]; !ok {
				t.Errorf("%s waits for %s", name, other)
			}
		}
	}
	if store := *p.Services["chat"].Environment["CHAT_STORE"]; store != mark("CHAT_STORE") {
		t.Errorf("chat keeps messages in %s", store)
	}
	if _, ok := p.Services["chat"].DependsOn["nats-0"]; !ok {
		t.Error("chat does not wait for NATS any more")
	}
}
