package k8s

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/parley-im/parley/pkg/contract"
)

// workload is what makes pods: a Deployment, a StatefulSet, or a Pod alone.
type workload struct {
	name      string
	component string // auth, social, chat, gateway, nats, …
	labels    labels.Set
	meta      metav1.ObjectMeta // of its pods
	spec      corev1.PodSpec
	replicas  int32                 // the least that there are, by the autoscaler's minimum too
	selector  *metav1.LabelSelector // nil: of a Pod alone
	rolling   *appsv1.Deployment    // nil: it is none
}

const componentLabel = "app.kubernetes.io/component"

// workloads lists them all.
func (r *rendering) workloads() []workload {
	var list []workload
	add := func(name string, meta metav1.ObjectMeta, spec corev1.PodSpec, replicas *int32, selector *metav1.LabelSelector, d *appsv1.Deployment) {
		w := workload{
			name: name, component: meta.Labels[componentLabel], labels: meta.Labels, meta: meta,
			spec: spec, replicas: 1, selector: selector, rolling: d,
		}
		if replicas != nil {
			w.replicas = *replicas
		}
		list = append(list, w)
	}
	for _, o := range of[*appsv1.Deployment](r) {
		replicas := o.Spec.Replicas
		for _, hpa := range of[*autoscalingv2.HorizontalPodAutoscaler](r) {
			if hpa.Spec.ScaleTargetRef.Name == o.Name {
				replicas = hpa.Spec.MinReplicas
			}
		}
		add(o.Name, o.Spec.Template.ObjectMeta, o.Spec.Template.Spec, replicas, o.Spec.Selector, o)
	}
	for _, o := range of[*appsv1.StatefulSet](r) {
		add(o.Name, o.Spec.Template.ObjectMeta, o.Spec.Template.Spec, o.Spec.Replicas, o.Spec.Selector, nil)
	}
	for _, o := range of[*corev1.Pod](r) {
		add(o.Name, o.ObjectMeta, o.Spec, nil, nil, nil)
	}
	return list
}

// service is the workload of one of Parley's services.
func (r *rendering) service(name contract.Service) workload {
	for _, w := range r.workloads() {
		if w.component == string(name) {
			return w
		}
	}
	return workload{}
}

// env is a container's environment, by name.
func env(c corev1.Container) map[string]corev1.EnvVar {
	all := map[string]corev1.EnvVar{}
	for _, v := range c.Env {
		all[v.Name] = v
	}
	return all
}

// containers are all of a pod's, those that run first included.
func (w workload) containers() []corev1.Container {
	return append(append([]corev1.Container{}, w.spec.InitContainers...), w.spec.Containers...)
}
