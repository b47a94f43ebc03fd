package k8s

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Who reaches whom, all of it: what is not here is refused. Rules are written
// PORT < WHO MAY COME and PORT > WHERE ONE MAY GO; * is anybody.
var (
	dns     = "53 53/UDP > kube-system:kube-dns"
	metrics = "9090 < monitoring"

	reach = map[string]map[string][]string{
		"defaults": {
			"auth":    {metrics, dns, "4222 > *", "27017 > *", "6379 > *", "465 587 > *"},
			"social":  {metrics, dns, "4222 > *", "27017 > *"},
			"chat":    {metrics, dns, "4222 > *", "27017 > *"},
			"gateway": {metrics, "8080 < *", dns, "4222 > *", "6379 > *"},
		},
		"engines": {
			"auth":    {metrics, dns, "4222 > nats", "27017 > mongodb", "6379 > redis", "1025 > mailpit"},
			"social":  {metrics, dns, "4222 > nats", "27017 > mongodb"},
			"chat":    {metrics, dns, "4222 > nats", "27017 > mongodb"},
			"gateway": {metrics, "8080 < *", dns, "4222 > nats", "6379 > redis"},
			"nats":    {"8222 < monitoring", "4222 < auth,chat,gateway,social", "6222 < nats", dns, "6222 > nats"},
			"mongodb": {"27017 < auth,chat,mongodb,social", dns, "27017 > mongodb"},
			"redis":   {"6379 < auth,gateway"},
			"mailpit": {"1025 < auth", "8025 < smoke"},
			"smoke":   {dns, "8080 > gateway", "8025 > mailpit"},
		},
		"ingress": {
			"auth":    {metrics, dns, "4222 > nats:nats", "27017 > 10.1.0.0/24", "6380 > 10.2.0.7/32", "465 > 0.0.0.0/0-10.0.0.0/8"},
			"social":  {metrics, dns, "4222 > nats:nats", "27017 > 10.1.0.0/24"},
			"chat":    {metrics, dns, "4222 > nats:nats", "27017 > 10.1.0.0/24"},
			"gateway": {metrics, "8080 < ingress-nginx,smoke", dns, "4222 > nats:nats", "6380 > 10.2.0.7/32"},
			"smoke":   {dns, "8080 > gateway"},
		},
		"clientcerts": {
			"auth":    {metrics, dns, "4222 > *", "27017 > *", "6379 > *", "465 587 > *"},
			"social":  {metrics, dns, "4222 > *", "27017 > *"},
			"chat":    {metrics, dns, "4222 > *", "27017 > *", "4318 > *"},
			"gateway": {metrics, "8080 < *", dns, "4222 > *", "6379 > *"},
		},
		"drain": { // nobody reads metrics
			"auth":    {dns, "4222 > *", "27017 > *", "6379 > *", "465 587 > *"},
			"social":  {dns, "4222 > *", "27017 > *"},
			"chat":    {dns, "4222 > *", "27017 > *"},
			"gateway": {"8080 < *", dns, "4222 > *", "6379 > *"},
		},
	}
)

func TestNetwork_reach(t *testing.T) {
	for name, want := range reach {
		t.Run(name, func(t *testing.T) {
			r := render(t, name)
			got := map[string][]string{}
			for _, w := range r.workloads() {
				got[w.component] = r.rules(t, w)
			}
			for _, component := range slices.Sorted(maps.Keys(got)) {
				slices.Sort(want[component])
				if !slices.Equal(got[component], want[component]) {
					t.Errorf("%s\n got %q\nwant %q", component, got[component], want[component])
				}
			}
			if len(got) != len(want) {
				t.Errorf("there are %d parts, not %d", len(got), len(want))
			}
		})
	}
}

// Every pod of a release is held by the default, in both directions, and no
// policy speaks of pods that are not there.
func TestNetwork_default_is_nothing(t *testing.T) {
	each(t, func(t *testing.T, r *rendering) {
		policies := of[*networkingv1.NetworkPolicy](r)
		if r.name == "open" {
			if len(policies) > 0 {
				t.Errorf("there are %d policies", len(policies))
			}
			return
		}
		empty := 0
		for _, p := range policies {
			if len(p.Spec.PolicyTypes) != 2 {
				t.Errorf("%s is about %v", p.Name, p.Spec.PolicyTypes)
			}
			held := r.selected(t, &p.Spec.PodSelector)
			if len(p.Spec.Ingress)+len(p.Spec.Egress) == 0 {
				empty++
				if len(held) != len(r.workloads()) {
					t.Errorf("%s holds %d of %d workloads", p.Name, len(held), len(r.workloads()))
				}
			} else if len(held) != 1 {
				t.Errorf("%s holds %d workloads", p.Name, len(held))
			}
			for _, peer := range peers(p) {
				if peer.NamespaceSelector == nil && peer.PodSelector != nil && len(r.selected(t, peer.PodSelector)) == 0 && r.tested() {
					t.Errorf("%s speaks of pods that are not there: %v", p.Name, peer.PodSelector)
				}
			}
		}
		if empty != 1 {
			t.Errorf("there are %d defaults", empty)
		}
	})
}

// tested reports whether the release has a test.
func (r *rendering) tested() bool {
	return slices.ContainsFunc(r.workloads(), func(w workload) bool { return w.component == "smoke" })
}

func peers(p *networkingv1.NetworkPolicy) []networkingv1.NetworkPolicyPeer {
	var all []networkingv1.NetworkPolicyPeer
	for _, rule := range p.Spec.Ingress {
		all = append(all, rule.From...)
	}
	for _, rule := range p.Spec.Egress {
		all = append(all, rule.To...)
	}
	return all
}

// rules are what the policies allow the workload's pods.
func (r *rendering) rules(t *testing.T, w workload) []string {
	t.Helper()
	var list []string
	for _, p := range of[*networkingv1.NetworkPolicy](r) {
		selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
		if err != nil {
			t.Fatal(err)
		}
		if !selector.Matches(w.labels) {
			continue
		}
		for _, rule := range p.Spec.Ingress {
			list = append(list, portsOf(rule.Ports)+" < "+whoIs(rule.From))
		}
		for _, rule := range p.Spec.Egress {
			list = append(list, portsOf(rule.Ports)+" > "+whoIs(rule.To))
		}
	}
	slices.Sort(list)
	return list
}

func portsOf(ports []networkingv1.NetworkPolicyPort) string {
	var list []string
	for _, p := range ports {
		text := p.Port.String()
		if *p.Protocol != "TCP" {
			text += "/" + string(*p.Protocol)
		}
		list = append(list, text)
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "every port"
	}
	return strings.Join(list, " ")
}

func whoIs(peers []networkingv1.NetworkPolicyPeer) string {
	var list []string
	for _, p := range peers {
		switch {
		case p.IPBlock != nil:
			text := p.IPBlock.CIDR
			for _, except := range p.IPBlock.Except {
				text += "-" + except
			}
			list = append(list, text)
		case p.NamespaceSelector != nil:
			text := labelOf(p.NamespaceSelector, "kubernetes.io/metadata.name")
			if p.PodSelector != nil {
				text += ":" + labelOf(p.PodSelector, "k8s-app", "app.kubernetes.io/name")
			}
			list = append(list, text)
		default:
			list = append(list, labelOf(p.PodSelector, componentLabel))
		}
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "*"
	}
	return strings.Join(list, ",")
}

func labelOf(s *metav1.LabelSelector, names ...string) string {
	for _, name := range names {
		if value, ok := s.MatchLabels[name]; ok {
			return value
		}
	}
	return fmt.Sprint(s)
}
