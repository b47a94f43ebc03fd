package gateway

import (
	"bytes"
	"flag"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "copy docs/openapi.yaml instead of checking the copy")

//go:generate go test . -run TestDocs_copy_is_current -update

const (
	document = "../../docs/openapi.yaml"
	copied   = "assets/openapi.yaml"
)

func TestDocs_copy_is_current(t *testing.T) {
	want, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(copied, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the embedded openapi.yaml is not docs/openapi.yaml: run make generate")
	}
}

var parameter = regexp.MustCompile(`:(\w+)`)

// Every call is documented, and every documented call is answered.
func TestDocs_have_every_route(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented[method+" "+path] = true
		}
	}
	routed := map[string]bool{}
	for _, r := range (&api{}).routes() {
		if r.path != "/" && !strings.HasPrefix(r.path, "/docs") && !strings.HasPrefix(r.path, "/assets") {
			routed[r.method+" "+parameter.ReplaceAllString(r.path, "{$1}")] = true
		}
	}
	if !maps.Equal(documented, routed) {
		t.Fatalf("documented\n%q\nrouted\n%q", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(routed)))
	}
}

func TestDocs_pages_bring_what_they_need(t *testing.T) {
	w := newWorld(t, nil)
	linked := regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	for _, page := range []string{"/", "/docs"} {
		status, header, body := w.do(t, http.MethodGet, page, "")
		if status != http.StatusOK || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Fatalf("%s: %d %v", page, status, header)
		}
		for _, link := range linked.FindAllStringSubmatch(body, -1) {
			if !strings.HasPrefix(link[1], "/") || strings.HasPrefix(link[1], "//") {
				t.Errorf("%s reaches outside: %s", page, link[1])
				continue
			}
			if status, _, _ := w.do(t, http.MethodGet, link[1], ""); status != http.StatusOK {
				t.Errorf("%s links to %s: %d", page, link[1], status)
			}
		}
	}
	if status, _, body := w.do(t, http.MethodGet, "/docs/openapi.yaml", ""); status != http.StatusOK || !strings.HasPrefix(body, "openapi:") {
		t.Fatalf("%d %.40s", status, body)
	}
	if status, _, _ := w.do(t, http.MethodGet, "/docs/home.html", ""); status != http.StatusNotFound {
		t.Fatalf("a file that is no part of the page: %d", status)
	}
}
