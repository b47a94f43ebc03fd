package k8s

import (
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// selected are the workloads whose pods the selector takes.
func (r *rendering) selected(t *testing.T, s *metav1.LabelSelector) []workload {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	var list []workload
	for _, w := range r.workloads() {
		if selector.Matches(w.labels) {
			list = append(list, w)
		}
	}
	return list
}

// one is the workload that the selector takes, and no other.
func (r *rendering) one(t *testing.T, what string, s *metav1.LabelSelector) workload {
	t.Helper()
	list := r.selected(t, s)
	if len(list) != 1 {
		t.Fatalf("%s selects %d workloads", what, len(list))
	}
	return list[0]
}

func TestSelectors_of_workloads(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for _, w := range r.workloads() {
			if w.selector != nil && r.one(t, w.name, w.selector).name != w.name {
				t.Errorf("%s selects the pods of another", w.name)
			}
			for _, spread := range w.spec.TopologySpreadConstraints {
				if got := r.one(t, w.name+"'s spread", spread.LabelSelector).name; got != w.name {
					t.Errorf("%s spreads over the pods of %s", w.name, got)
				}
			}
		}
		for _, o := range of[*policyv1.PodDisruptionBudget](r) {
			if w := r.one(t, "budget "+o.Name, o.Spec.Selector); w.name != o.Name {
				t.Errorf("budget %s is that of %s", o.Name, w.name)
			}
		}
		for _, o := range of[*autoscalingv2.HorizontalPodAutoscaler](r) {
			target, found := o.Spec.ScaleTargetRef, false
			for _, d := range of[*appsv1.Deployment](r) {
				found = found || d.Name == target.Name && target.Kind == "Deployment" && target.APIVersion == "apps/v1"
			}
			if !found {
				t.Errorf("autoscaler %s scales %v, which is not there", o.Name, target)
			}
		}
	})
}

// ports are the names of the workload's ports.
func (w workload) ports() map[string]int32 {
	all := map[string]int32{}
	for _, c := range w.spec.Containers {
		for _, p := range c.Ports {
			all[p.Name] = p.ContainerPort
		}
	}
	return all
}

func TestSelectors_of_services(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for _, o := range of[*corev1.Service](r) {
			w := r.one(t, "service "+o.Name, &metav1.LabelSelector{MatchLabels: o.Spec.Selector})
			for _, p := range o.Spec.Ports {
				if w.ports()[p.TargetPort.StrVal] == 0 {
					t.Errorf("service %s leads to port %v, which %s does not have", o.Name, p.TargetPort, w.name)
				}
			}
		}
		for _, o := range of[*networkingv1.Ingress](r) {
			for _, rule := range o.Spec.Rules {
				backend := rule.HTTP.Paths[0].Backend.Service
				r.leadsToGateway(t, backend.Name, func(p corev1.ServicePort) bool { return p.Name == backend.Port.Name })
			}
		}
		for _, o := range of[*gatewayv1.HTTPRoute](r) {
			backend := o.Spec.Rules[0].BackendRefs[0]
			r.leadsToGateway(t, string(backend.Name), func(p corev1.ServicePort) bool { return p.Port == *backend.Port })
			if timeout := o.Spec.Rules[0].Timeouts; timeout == nil || *timeout.Request != "0s" {
				t.Errorf("route %s ends WebSockets: %v", o.Name, timeout)
			}
		}
	})
}

func (r *rendering) leadsToGateway(t *testing.T, service string, port func(corev1.ServicePort) bool) {
	t.Helper()
	for _, o := range of[*corev1.Service](r) {
		if o.Name != service {
			continue
		}
		for _, p := range o.Spec.Ports {
			if port(p) && p.TargetPort.StrVal == "http" && o.Spec.Selector[componentLabel] == "gateway" {
				return
			}
		}
	}
	t.Errorf("nothing leads to %s", service)
}

func TestSelectors_of_monitors(t *testing.T) {
	monitors := 0
	each(t, func(t *testing.T, r *rendering) {
		for _, o := range of[*monitoringv1.ServiceMonitor](r) {
			monitors++
			selector := labels.SelectorFromSet(o.Spec.Selector.MatchLabels)
			var seen []string
			for _, s := range of[*corev1.Service](r) {
				if !selector.Matches(labels.Set(s.Labels)) {
					continue
				}
				seen = append(seen, s.Spec.Selector[componentLabel])
				named := false
				for _, p := range s.Spec.Ports {
					named = named || p.Name == o.Spec.Endpoints[0].Port && p.TargetPort.StrVal == "ops"
				}
				if !named {
					t.Errorf("%s has no port %s", s.Name, o.Spec.Endpoints[0].Port)
				}
			}
			if len(seen) != 4 {
				t.Errorf("monitor %s reads %v, not each service once", o.Name, seen)
			}
			if !o.Spec.Endpoints[0].HonorLabels {
				t.Errorf("monitor %s renames the label service", o.Name)
			}
		}
		for _, o := range of[*monitoringv1.PrometheusRule](r) {
			monitors++
			if len(o.Spec.Groups) == 0 || len(o.Spec.Groups[0].Rules) == 0 {
				t.Errorf("%s has no rules", o.Name)
			}
		}
	})
	if monitors < 4 {
		t.Errorf("only %d monitors and rules are there", monitors)
	}
}
