package k8s

import (
	"regexp"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func TestSecurity_pods_are_restricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	each(t, func(t *testing.T, r *rendering) {
		for _, w := range r.workloads() {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &w.meta, &w.spec))
			if !result.Allowed {
				t.Errorf("%s: %s", w.name, result.ForbiddenDetail())
			}
		}
	})
}

func TestSecurity_beyond_restricted(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		accounts := map[string]bool{}
		for _, o := range of[*corev1.ServiceAccount](r) {
			if o.AutomountServiceAccountToken == nil || *o.AutomountServiceAccountToken {
				t.Errorf("account %s gives its token", o.Name)
			}
			accounts[o.Name] = true
		}
		for _, w := range r.workloads() {
			if token := w.spec.AutomountServiceAccountToken; token == nil || *token {
				t.Errorf("%s has a token of the API", w.name)
			}
			if links := w.spec.EnableServiceLinks; links == nil || *links {
				t.Errorf("%s has variables named after Services", w.name)
			}
			if name := w.spec.ServiceAccountName; name != "" && !accounts[name] {
				t.Errorf("%s runs as %s, which is not there", w.name, name)
			}
			if user := w.spec.SecurityContext.RunAsUser; user == nil || *user == 0 {
				t.Errorf("%s has no user", w.name)
			}
			for _, c := range w.containers() {
				if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
					t.Errorf("%s, %s: the root file system can be written", w.name, c.Name)
				}
			}
		}
		for service := range configured() {
			w := r.service(service)
			if *w.spec.SecurityContext.RunAsUser != 65532 || w.spec.ServiceAccountName != w.name {
				t.Errorf("%s runs as %d, account %s", service, *w.spec.SecurityContext.RunAsUser, w.spec.ServiceAccountName)
			}
		}
	})
}

// pinned is an image with a version, as full as it has one, or a digest.
var pinned = regexp.MustCompile(`^[a-z0-9./:-]+(:v?[0-9]+\.[0-9]+\.[0-9]+[-.a-z0-9]*|@sha256:[0-9a-f]{64})$`)

func TestSecurity_images_are_pinned(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for _, w := range r.workloads() {
			for _, c := range w.containers() {
				if !pinned.MatchString(c.Image) {
					t.Errorf("%s runs %s", w.name, c.Image)
				}
			}
		}
	})
}

func TestSecurity_resources_are_bounded(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for _, w := range r.workloads() {
			for _, c := range w.containers() {
				requests, limits := c.Resources.Requests, c.Resources.Limits
				if requests.Cpu().IsZero() || requests.Memory().IsZero() || limits.Memory().IsZero() || requests.Memory().Cmp(*limits.Memory()) > 0 {
					t.Errorf("%s, %s has %v", w.name, c.Name, c.Resources)
				}
			}
		}
	})
}

func TestSecurity_probes_are_there(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for service := range configured() {
			c := r.service(service).spec.Containers[0]
			for path, probe := range map[string]*corev1.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
				if probe == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "ops" {
					t.Errorf("%s: %s is %v", service, path, probe)
				}
			}
			if p := c.StartupProbe; p == nil || p.HTTPGet.Path != "/readyz" || p.FailureThreshold*p.PeriodSeconds < 120 {
				t.Errorf("%s starts by %v", service, c.StartupProbe)
			}
		}
	})
}
