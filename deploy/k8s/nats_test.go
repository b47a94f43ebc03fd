package k8s

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/parley-im/parley/deploy/secrets/credentials"
)

// The configuration of the chart's own servers, as a real one reads it, with
// the secrets that "make secrets" would have made.
func TestNATS_configuration(t *testing.T) {
	for name, clientCerts := range map[string]bool{"engines": false, "everything": true} {
		t.Run(name, func(t *testing.T) {
			opts := natsOptions(t, render(t, name))
			if len(opts.Routes) != 3 || opts.Routes[2].Host != "parley-nats-2.parley-nats:6222" || opts.Routes[0].User.Username() != "route" {
				t.Errorf("routes are %v", opts.Routes)
			}
			if opts.ServerName != "parley-nats-0" || opts.Cluster.Name != "parley" || opts.Cluster.TLSConfig == nil || opts.Cluster.Password == "" {
				t.Errorf("cluster is %+v", opts.Cluster)
			}
			if opts.TLSConfig == nil || (opts.TLSConfig.ClientAuth == tls.RequireAndVerifyClientCert) != clientCerts {
				t.Errorf("TLS for clients asks for a certificate: %v", !clientCerts)
			}
			if !opts.JetStream || !opts.SyncAlways || opts.StoreDir != "/data" || opts.HTTPPort != 8222 {
				t.Errorf("JetStream is %v, %v, %q; monitoring %d", opts.JetStream, opts.SyncAlways, opts.StoreDir, opts.HTTPPort)
			}
			if opts.NoAuthUser != "" || len(opts.Nkeys) < 14 || len(opts.Users) != 0 {
				t.Errorf("%d users by key, %d by password, %q without", len(opts.Nkeys), len(opts.Users), opts.NoAuthUser)
			}
			if grace := time.Minute; opts.LameDuckDuration+opts.LameDuckGracePeriod >= grace {
				t.Errorf("it leaves over %v, and is given %v", opts.LameDuckDuration, grace)
			}
			opts.StoreDir = t.TempDir()
			if _, err := server.NewServer(opts); err != nil {
				t.Error(err)
			}
		})
	}
}

// natsOptions has a server read the files and the environment that the pod
// gets.
func natsOptions(t *testing.T, r *rendering) *server.Options {
	t.Helper()
	set := credentials.Set{}
	if err := set.Fill(time.Now(), credentials.ClusterHosts("chat")); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tls.crt", set["TLS_CERT"])
	write("tls.key", set["TLS_KEY"])
	write("ca.crt", set["TLS_CA_CERT"])
	for _, o := range of[*corev1.ConfigMap](r) {
		for name, text := range o.Data {
			write(name, strings.ReplaceAll(text, "/etc/nats-tls", dir))
		}
	}
	var pod corev1.PodSpec
	for _, o := range of[*appsv1.StatefulSet](r) {
		if o.Labels[componentLabel] == "nats" {
			pod = o.Spec.Template.Spec
		}
	}
	for name, v := range env(pod.Containers[0]) {
		value := strings.ReplaceAll(v.Value, "$(NATS_CLUSTER_PASSWORD)", set["NATS_CLUSTER_PASSWORD"])
		switch {
		case name == "POD_NAME":
			value = "parley-nats-0"
		case v.ValueFrom != nil:
			value = set[v.ValueFrom.SecretKeyRef.Key]
		}
		if value == "" {
			t.Fatalf("%s is nothing that make secrets makes", name)
		}
		t.Setenv(name, value)
	}
	opts, err := server.ProcessConfigFile(filepath.Join(dir, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	return opts
}
