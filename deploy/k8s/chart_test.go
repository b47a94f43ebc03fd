package k8s

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/parley-im/parley/e2e/system"
)

func TestChart_lint(t *testing.T) {
	helm := system.Tool(t, "helm")
	for _, name := range matrix(t) {
		if _, err := runHelm(helm, "lint", "--strict", "--with-subcharts=false", "--values", "testdata/values/"+name+".yaml", chart); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Rendering decodes strictly; here is what the types do not say.
func TestChart_objects(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		if len(r.objects) < 12 {
			t.Errorf("only %d objects", len(r.objects))
		}
		seen := map[string]bool{}
		for _, o := range r.objects {
			key := o.GetObjectKind().GroupVersionKind().Kind + "/" + o.GetName()
			if seen[key] {
				t.Errorf("%s is there twice", key)
			}
			seen[key] = true
			if errs := validation.IsDNS1123Label(o.GetName()); len(errs) > 0 {
				t.Errorf("%s: %v", key, errs)
			}
			if o.GetNamespace() != "" {
				t.Errorf("%s is bound to a namespace", key)
			}
			for name, value := range o.GetLabels() {
				if errs := validation.IsValidLabelValue(value); len(errs) > 0 {
					t.Errorf("%s, label %s: %v", key, name, errs)
				}
			}
		}
	})
}

// secretName matches what is one by its name.
var secretName = regexp.MustCompile(`(?i)password|secret|seed|keyfile|token|_store$|redis_url|smtp_url`)

func TestChart_holds_no_secret(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		if list := of[*corev1.Secret](r); len(list) > 0 {
			t.Errorf("it renders %d Secrets", len(list))
		}
		for _, w := range r.workloads() {
			for _, c := range w.containers() {
				for _, v := range c.Env {
					if secretName.MatchString(v.Name) && v.Value != "" {
						t.Errorf("%s has %s in the clear", w.name, v.Name)
					}
					if from := v.ValueFrom; from != nil && from.SecretKeyRef != nil && (from.SecretKeyRef.Key != v.Name || from.SecretKeyRef.Optional != nil) {
						t.Errorf("%s: %s is not the key of its name", w.name, v.Name)
					}
				}
				if len(c.EnvFrom) > 0 {
					t.Errorf("%s takes variables unnamed", w.name)
				}
			}
		}
	})
}

func TestChart_versions_are_one(t *testing.T) {
	text, err := os.ReadFile("parley/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var meta struct {
		Version      string
		AppVersion   string
		Dependencies []struct{ Name, Version, Condition string }
	}
	if err := yaml.Unmarshal(text, &meta); err != nil {
		t.Fatal(err)
	}
	if meta.Version == "" || meta.Version != meta.AppVersion {
		t.Errorf("version is %q, appVersion %q", meta.Version, meta.AppVersion)
	}
	for _, d := range meta.Dependencies {
		if d.Condition != d.Name+".enabled" {
			t.Errorf("%s has the condition %q", d.Name, d.Condition)
		}
	}
}

func TestChart_notes(t *testing.T) {
	helm := system.Tool(t, "helm")
	for name, want := range map[string][]string{
		"defaults": {"neither ingress nor httpRoute", "set test.existingSecret"},
		"engines":  {"helm -n chat test parley", "port-forward service/parley-mailpit", "too small"},
		"open":     {"without TLS", "chat has one replica", "no NetworkPolicies"},
		"ingress":  {"https://chat.example.org"},
		"gatewayapi": {
			"GATEWAY_TRUSTED_PROXIES is not set",
		},
	} {
		out, err := runHelm(helm, "install", release, chart, "--dry-run=client", "--namespace", "chat", "--values", fmt.Sprintf("testdata/values/%s.yaml", name))
		if err != nil {
			t.Fatal(err)
		}
		_, notes, _ := strings.Cut(out, "NOTES:")
		for _, part := range want {
			if !strings.Contains(notes, part) {
				t.Errorf("%s: no %q in\n%s", name, part, notes)
			}
		}
		if name == "ingress" && strings.Contains(notes, "Mind:") {
			t.Errorf("%s: warned without a reason:\n%s", name, notes)
		}
	}
}

// The chart's copies are the files, byte for byte: nothing in them is taken
// for a template.
func TestChart_files_are_whole(t *testing.T) {
	dashboard, err := os.ReadFile("parley/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := os.ReadFile("parley/files/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(alerts, &want); err != nil {
		t.Fatal(err)
	}
	r, found := render(t, "monitoring"), 0
	for _, o := range of[*corev1.ConfigMap](r) {
		if text, ok := o.Data["parley.json"]; ok {
			found++
			if strings.TrimSpace(text) != strings.TrimSpace(string(dashboard)) {
				t.Error("the dashboard has changed on its way")
			}
			if len(text) > 900<<10 {
				t.Errorf("the dashboard has %d bytes, near to what a ConfigMap takes", len(text))
			}
		}
	}
	for _, o := range of[*monitoringv1.PrometheusRule](r) {
		found++
		if !reflect.DeepEqual(o.Spec, want) {
			t.Error("the rules have changed on their way")
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 are there", found)
	}
}

// One story: whoever tries Parley out by Compose or by Helm has the same
// engines.
func TestChart_engines_are_those_of_compose(t *testing.T) {
	compose, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range render(t, "engines").workloads() {
		image := w.spec.Containers[0].Image
		if !strings.HasPrefix(image, "ghcr.io/parley-im/") && !strings.Contains(string(compose), "image: "+image+"\n") {
			t.Errorf("docker-compose.yml does not run %s", image)
		}
	}
}
