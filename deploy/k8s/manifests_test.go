package k8s

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const manifests = "manifests"

// helmLines say that Helm manages an object, which of the plain manifests is
// not true, and where in the chart it comes from.
var helmLines = regexp.MustCompile(`(?m)^(# Source: .*|\s*(app\.kubernetes\.io/managed-by|helm\.sh/chart): .*)\n`)

// split cuts what helm rendered into a file for each part of Parley, by the
// component of its objects.
func split(t *testing.T, r *rendering) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for i, document := range documents(r.text) {
		component := r.objects[i].GetLabels()[componentLabel]
		if component == "" {
			t.Fatalf("%s has no component", r.objects[i].GetName())
		}
		name := component + ".yaml"
		if files[name] == nil {
			files[name] = []byte("# Rendered from ../parley by \"make generate\"; do not edit.\n")
		}
		text := strings.TrimSpace(helmLines.ReplaceAllString(document, ""))
		files[name] = append(files[name], "---\n"+text+"\n"...)
	}
	return files
}

// documents are those of a YAML stream that have something in them.
func documents(text string) []string {
	var list []string
	for document := range strings.SplitSeq("\n"+text, "\n---\n") {
		if strings.Contains(document, "kind:") {
			list = append(list, document)
		}
	}
	return list
}

func TestManifests_are_current(t *testing.T) {
	files := split(t, render(t, "defaults"))
	if *update {
		old, _ := filepath.Glob(manifests + "/*.yaml")
		for _, file := range old {
			if text, _ := os.ReadFile(file); bytes.HasPrefix(text, []byte("# Rendered from")) {
				_ = os.Remove(file)
			}
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(manifests, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{"kustomization.yaml", "namespace.yaml"}
	for name, text := range files {
		want = append(want, name)
		got, err := os.ReadFile(filepath.Join(manifests, name))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s/%s does not match the chart: run make generate (%v)", manifests, name, err)
		}
	}
	entries, err := os.ReadDir(manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) {
			t.Errorf("%s/%s is nothing of the chart's", manifests, e.Name())
		}
	}
}

// What "kubectl apply -k" does before it applies.
func TestManifests_build(t *testing.T) {
	objects := build(t, manifests)
	namespaces, rendered := 0, 0
	for _, o := range objects {
		if _, is := o.(*corev1.Namespace); is {
			namespaces++
			if level := o.GetLabels()["pod-security.kubernetes.io/enforce"]; level != "restricted" {
				t.Errorf("the namespace enforces %q", level)
			}
			continue
		}
		rendered++
		if o.GetNamespace() != "parley" {
			t.Errorf("%s is in the namespace %q", o.GetName(), o.GetNamespace())
		}
	}
	if all := len(render(t, "defaults").objects); namespaces != 1 || rendered != all {
		t.Errorf("%d namespaces and %d objects are built, not 1 and %d", namespaces, rendered, all)
	}
}

// The overlay that docs/operations.md shows.
func TestManifests_take_an_overlay(t *testing.T) {
	found := 0
	for _, o := range build(t, "testdata/overlay") {
		d, is := o.(*appsv1.Deployment)
		if !is {
			continue
		}
		found++
		c := d.Spec.Template.Spec.Containers[0]
		if got := env(c)["NATS_URL"].Value; got != "tls://nats-0.example.org:4222,tls://nats-1.example.org:4222" {
			t.Errorf("%s has NATS_URL %q", d.Name, got)
		}
		if len(d.Spec.Template.Spec.Containers) != 1 || len(c.Env) < 6 {
			t.Errorf("%s lost what it had: %v", d.Name, c.Env)
		}
		if d.Name == "parley-gateway" && (*d.Spec.Replicas != 12 || !strings.HasSuffix(c.Image, ":0.2.0")) {
			t.Errorf("gateways: %d of %s", *d.Spec.Replicas, c.Image)
		}
	}
	if found != 4 {
		t.Errorf("%d Deployments", found)
	}
}

func build(t *testing.T, dir string) []object {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := decode(string(text))
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", dir, err))
	}
	return objects
}
