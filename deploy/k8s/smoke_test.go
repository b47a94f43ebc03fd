package k8s

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/parley-im/parley/e2e/system"
)

// "helm test" runs smoke by words that it knows, against the Service that has
// the gateways' addresses.
func TestSmoke_pod(t *testing.T) {
	binary := system.Build(t, "github.com/parley-im/parley/deploy/smoke")
	for name, want := range map[string][]string{
		"defaults":   nil, // no accounts, no Mailpit
		"engines":    {"-resolve=parley-gateway-pods:8080", "-mailpit=http://parley-mailpit:8025"},
		"everything": {"-resolve=im-gateway-pods:8080"},
	} {
		r := render(t, name)
		pods := of[*corev1.Pod](r)
		if len(pods) != min(1, len(want)) {
			t.Fatalf("%s has %d pods of tests", name, len(pods))
		}
		if want == nil {
			continue
		}
		pod := pods[0]
		c := pod.Spec.Containers[0]
		if pod.Annotations["helm.sh/hook"] != "test" || pod.Spec.RestartPolicy != corev1.RestartPolicyNever || !slices.Equal(c.Args, want) {
			t.Errorf("%s: %v, %s, %q", name, pod.Annotations, pod.Spec.RestartPolicy, c.Args)
		}
		if _, accounts := env(c)["SMOKE_ACCOUNTS"]; accounts != (name == "everything") {
			t.Errorf("%s: accounts are given: %v", name, accounts)
		}
		if out, err := exec.Command(binary, append(c.Args, "-version")...).CombinedOutput(); err != nil {
			t.Errorf("%s: smoke does not know %q: %v\n%s", name, c.Args, err, out)
		}
		r.addresses(t, want[0])
	}
}

// addresses checks that -resolve=HOST:PORT names the gateways' pods.
func (r *rendering) addresses(t *testing.T, flag string) {
	t.Helper()
	host, port, _ := strings.Cut(strings.TrimPrefix(flag, "-resolve="), ":")
	for _, o := range of[*corev1.Service](r) {
		if o.Name != host {
			continue
		}
		for _, p := range o.Spec.Ports {
			if p.TargetPort.StrVal == "http" && port == "8080" && o.Spec.ClusterIP == corev1.ClusterIPNone && o.Spec.Selector[componentLabel] == "gateway" {
				return
			}
		}
	}
	t.Errorf("%s does not lead to the gateways' pods", flag)
}
