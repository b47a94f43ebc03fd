package gateway

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html"
	"io/fs"
	"strings"

	swaggerui "github.com/swaggo/files/v2"

	"github.com/parley-im/parley/pkg/fault"
)

// pages are what a browser may open besides the web client: the HTTP API, which
// can be browsed without reaching outside, and a first page for want of a client.
type pages struct {
	home []byte
	docs []byte
	css  string // hash of the first page's style, for its policy
}

// assets holds the first page, and a copy of docs/openapi.yaml: what is
// embedded can't lie outside the module.
//
//go:embed assets
var assets embed.FS

// docsPolicy lets the API's pages use what they bring along, and styles that
// Swagger UI sets itself.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// docsFiles are the parts of the API's page, with their types.
var docsFiles = map[string]string{
	"swagger-ui.css":       "text/css; charset=utf-8",
	"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
	"favicon-32x32.png":    "image/png",
	"docs.js":              "text/javascript; charset=utf-8",
	"openapi.yaml":         "application/yaml",
}

// newPages reads the embedded pages.
func newPages(version string) (*pages, error) {
	home, err := assets.ReadFile("assets/home.html")
	if err != nil {
		return nil, fmt.Errorf("read the first page: %w", err)
	}
	docs, err := assets.ReadFile("assets/docs.html")
	if err != nil {
		return nil, fmt.Errorf("read the API's page: %w", err)
	}
	text := strings.ReplaceAll(string(home), "{{version}}", html.EscapeString(version))
	_, style, _ := strings.Cut(text, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return &pages{home: []byte(text), docs: docs, css: "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"}, nil
}

// file is a part of the API's page: Swagger UI's own, or ours.
func (p *pages) file(name string) ([]byte, error) {
	if data, err := assets.ReadFile("assets/" + name); err == nil {
		return data, nil
	}
	return fs.ReadFile(swaggerui.FS, name)
}

// placeholder is the first page of a gateway without the web client.
func (p *pages) placeholder() answer {
	policy := "default-src 'none'; style-src " + p.css + "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	return file200("text/html; charset=utf-8", p.home).with("Content-Security-Policy", policy).with("Cache-Control", cacheChecked)
}

// docs answers the API's page.
func (a *api) docs(*request) (answer, error) {
	return file200("text/html; charset=utf-8", a.pages.docs).with("Content-Security-Policy", docsPolicy), nil
}

// docsFile answers a part of the API's page.
func (a *api) docsFile(r *request) (answer, error) {
	mime, ok := docsFiles[r.file()]
	if !ok {
		return answer{}, fault.New(fault.NotFound, "there is nothing here")
	}
	data, err := a.pages.file(r.file())
	if err != nil {
		return answer{}, fmt.Errorf("read %s: %w", r.file(), err)
	}
	return file200(mime, data).with("Cache-Control", "public, max-age=3600"), nil
}
