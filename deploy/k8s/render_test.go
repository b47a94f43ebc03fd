package k8s

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/parley-im/parley/e2e/system"
)

const release = "parley"

// helmHome keeps helm from what the user's own has.
var helmHome string

func TestMain(m *testing.M) {
	var err error
	if helmHome, err = os.MkdirTemp("", "parley-helm-"); err != nil {
		panic(err)
	}
	code := m.Run()
	system.Cleanup()
	_ = os.RemoveAll(helmHome)
	os.Exit(code)
}

// object is any of the API's.
type object interface {
	runtime.Object
	metav1.Object
}

// rendering is what the chart makes of one file of values.
type rendering struct {
	name    string // of the file, without its extension
	text    string
	objects []object
}

// renderings are made once a file.
var renderings sync.Map // name → func() (*rendering, error)

// render renders testdata/values/NAME.yaml and decodes each object strictly,
// into the type that the API has for it.
func render(t *testing.T, name string) *rendering {
	t.Helper()
	return renderFile(t, filepath.Join("testdata", "values", name+".yaml"))
}

func renderFile(t *testing.T, file string) *rendering {
	t.Helper()
	helm := system.Tool(t, "helm")
	once, _ := renderings.LoadOrStore(file, sync.OnceValues(func() (*rendering, error) {
		text, err := runHelm(helm, "template", release, chart, "--namespace", "chat", "--values", file)
		if err != nil {
			return nil, err
		}
		objects, err := decode(text)
		return &rendering{name: strings.TrimSuffix(filepath.Base(file), ".yaml"), text: text, objects: objects}, err
	}))
	r, err := once.(func() (*rendering, error))()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

// runHelm runs helm; the error has what it said.
func runHelm(helm string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, helm, args...)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+helmHome, "HELM_CONFIG_HOME="+helmHome, "HELM_DATA_HOME="+helmHome, "KUBECONFIG="+os.DevNull)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("helm %s: %w\n%s%s", args[0], err, out.String(), errs.String())
	}
	return out.String(), nil
}

// matrix are the names of all files of values that the chart takes.
func matrix(t *testing.T) []string {
	t.Helper()
	return names(t, "values")
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/%s: %v", dir, err)
	}
	list := make([]string, len(files))
	for i, file := range files {
		list[i] = strings.TrimSuffix(filepath.Base(file), ".yaml")
	}
	return list
}

// each runs a test for every file of values.
func each(t *testing.T, test func(t *testing.T, r *rendering)) {
	t.Helper()
	for _, name := range matrix(t) {
		t.Run(name, func(t *testing.T) { test(t, render(t, name)) })
	}
}

// of lists the objects of a type.
func of[T object](r *rendering) []T {
	var list []T
	for _, o := range r.objects {
		if o, ok := o.(T); ok {
			list = append(list, o)
		}
	}
	return list
}

// decoder refuses fields that the API does not know, and duplicate ones.
var decoder = sync.OnceValues(func() (runtime.Decoder, error) {
	scheme := runtime.NewScheme()
	err := errors.Join(clientscheme.AddToScheme(scheme), gatewayv1.Install(scheme), monitoringv1.AddToScheme(scheme))
	return json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true}), err
})

func decode(text string) ([]object, error) {
	decoder, err := decoder()
	if err != nil {
		return nil, err
	}
	var objects []object
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		decoded, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("decode: %w\n%s", err, document)
		}
		objects = append(objects, decoded.(object))
	}
}
