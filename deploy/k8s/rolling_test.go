package k8s

import (
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/run"
	"github.com/parley-im/parley/services/gateway"
)

func TestRolling_budgets_leave_replicas(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		held := map[string]bool{}
		for _, o := range of[*policyv1.PodDisruptionBudget](r) {
			w := r.one(t, o.Name, o.Spec.Selector)
			held[w.name] = true
			if o.Spec.MinAvailable != nil || o.Spec.MaxUnavailable == nil || o.Spec.MaxUnavailable.Type != intstr.Int {
				t.Fatalf("%s counts in another way", o.Name)
			}
			if away := o.Spec.MaxUnavailable.IntVal; away < 1 || away >= w.replicas {
				t.Errorf("%s: %d of %d replicas may be away", w.name, away, w.replicas)
			}
		}
		for _, w := range r.workloads() {
			if w.replicas > 1 && !held[w.name] {
				t.Errorf("%s has %d replicas and no budget", w.name, w.replicas)
			}
		}
	})
}

func TestRolling_never_takes_a_replica_away(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for service := range configured() {
			d := r.service(service).rolling
			if d == nil {
				t.Fatalf("%s is no Deployment", service)
			}
			update := d.Spec.Strategy.RollingUpdate
			if update == nil || *update.MaxUnavailable != intstr.FromInt32(0) || update.MaxSurge.String() == "0" {
				t.Errorf("%s rolls by %v", service, update)
			}
			if d.Spec.MinReadySeconds <= 0 {
				t.Errorf("%s counts as available the moment it is ready", service)
			}
		}
	})
}

// stopMargin is what a process needs beside the times that it is set to.
const stopMargin = 15 * time.Second

func TestRolling_grace_is_longer_than_the_drain(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		for service := range configured() {
			w := r.service(service)
			least := stopMargin
			if hook := w.spec.Containers[0].Lifecycle; hook != nil {
				least += time.Duration(hook.PreStop.Sleep.Seconds) * time.Second
			}
			if service == contract.Gateway {
				var cfg gateway.Config
				literal(t, w)
				if err := run.Config("GATEWAY", &cfg); err != nil {
					t.Fatal(err)
				}
				least += cfg.DrainTime + cfg.StopTimeout
			}
			if got := time.Duration(*w.spec.TerminationGracePeriodSeconds) * time.Second; got < least {
				t.Errorf("%s is killed after %v, and needs %v", service, got, least)
			}
		}
	})
}

func TestRolling_gateways_leave_the_endpoints_first(t *testing.T) {
	hook := render(t, "defaults").service(contract.Gateway).spec.Containers[0].Lifecycle
	if hook == nil || hook.PreStop.Sleep.Seconds < 3 {
		t.Errorf("preStop is %v", hook)
	}
}

func TestRolling_autoscalers(t *testing.T) {
	r := render(t, "autoscaling")
	list := of[*autoscalingv2.HorizontalPodAutoscaler](r)
	if len(list) != 4 {
		t.Fatalf("there are %d autoscalers", len(list))
	}
	for _, o := range list {
		w := r.service(contract.Service(o.Labels[componentLabel]))
		if w.rolling.Spec.Replicas != nil {
			t.Errorf("%s: an upgrade would undo what the autoscaler did", w.name)
		}
		if *o.Spec.MinReplicas > o.Spec.MaxReplicas {
			t.Errorf("%s: from %d to %d", w.name, *o.Spec.MinReplicas, o.Spec.MaxReplicas)
		}
		if len(o.Spec.Metrics) != 1 {
			t.Fatalf("%s counts %d things", w.name, len(o.Spec.Metrics))
		}
		metric := o.Spec.Metrics[0]
		if w.component != "gateway" {
			if metric.Resource == nil || metric.Resource.Name != "cpu" {
				t.Errorf("%s counts %v", w.name, metric)
			}
			continue
		}
		if metric.Pods == nil || metric.Pods.Metric.Name != "parley_gateway_connections" || metric.Pods.Target.AverageValue.Value() != 25000 {
			t.Errorf("%s counts %v", w.name, metric)
		}
		down := o.Spec.Behavior.ScaleDown
		if p := down.Policies; len(p) != 1 || p[0].Type != autoscalingv2.PodsScalingPolicy || p[0].Value != 1 || p[0].PeriodSeconds < 300 || *down.StabilizationWindowSeconds < 300 {
			t.Errorf("gateways go by %v", down)
		}
	}
	if hpa, w := list[3], r.service(contract.Social); *hpa.Spec.MinReplicas != 2 || w.replicas != 2 {
		t.Errorf("without a minimum it is %d, not the service's replicas", *hpa.Spec.MinReplicas)
	}
}
