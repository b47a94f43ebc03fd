package gateway

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/parley-im/parley/pkg/fault"
)

// webBuild holds the web client's build in web/dist when there was one as this
// was compiled: make web.
//
//go:embed all:web
var webBuild embed.FS

// site is the web client: the page at /, and the files that it brings along.
// All of it is read once, so that serving copies and compresses nothing.
type site struct {
	index *siteFile            // nil when the client was not built
	files map[string]*siteFile // the others by their path, such as assets/index-1a2b.js
}

// siteFile is one file in the forms in which it can be sent.
type siteFile struct {
	mime  string
	cache string     // for Cache-Control
	forms []siteForm // the smallest first, the last one as it is
}

// siteForm is a file in one encoding.
type siteForm struct {
	encoding string // for Content-Encoding; empty for none
	etag     string
	body     []byte
}

const (
	// siteAssets are the files whose names change with their content.
	siteAssets   = "assets/"
	cacheForever = "public, max-age=31536000, immutable"
	// cacheChecked is kept, but used only after asking whether it still holds.
	cacheChecked = "no-cache"
)

// siteTypes are the files that a build may have, by their ends.
var siteTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// siteEncodings are what the build compresses to, the smallest first.
var siteEncodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// newSite reads a build: nil stands for the embedded one. Without an
// index.html there is no client; that is no error.
func newSite(build fs.FS) (*site, error) {
	if build == nil {
		var err error
		if build, err = fs.Sub(webBuild, "web/dist"); err != nil {
			return nil, fmt.Errorf("open the web client's build: %w", err)
		}
	}
	s := &site{files: map[string]*siteFile{}}
	if _, err := fs.Stat(build, "index.html"); errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	err := fs.WalkDir(build, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || isForm(name) {
			return err
		}
		file, err := readSiteFile(build, name)
		if name == "index.html" {
			s.index = file
		} else {
			s.files[name] = file
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the web client's build: %w", err)
	}
	return s, nil
}

// isForm reports whether the file is another one, compressed.
func isForm(name string) bool {
	for _, encoding := range siteEncodings {
		if strings.HasSuffix(name, encoding.suffix) {
			return true
		}
	}
	return false
}

// readSiteFile reads a file and its compressed forms.
func readSiteFile(build fs.FS, name string) (*siteFile, error) {
	mime, ok := siteTypes[path.Ext(name)]
	if !ok {
		return nil, fmt.Errorf("%s: a file of this kind is not expected", name)
	}
	body, err := fs.ReadFile(build, name)
	if err != nil {
		return nil, err
	}
	f := &siteFile{mime: mime, cache: cacheChecked}
	if strings.HasPrefix(name, siteAssets) {
		f.cache = cacheForever
	}
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:12])
	for _, encoding := range siteEncodings {
		packed, err := fs.ReadFile(build, name+encoding.suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.forms = append(f.forms, siteForm{encoding: encoding.name, etag: `"` + tag + "-" + encoding.name + `"`, body: packed})
	}
	f.forms = append(f.forms, siteForm{etag: `"` + tag + `"`, body: body})
	return f, nil
}

// answer is the file in the best form that the client takes, or word that the
// client's copy still holds.
func (f *siteFile) answer(r *request) answer {
	form := f.forms[len(f.forms)-1]
	accepted := r.header("Accept-Encoding")
	for _, candidate := range f.forms {
		if candidate.encoding == "" || acceptsEncoding(accepted, candidate.encoding) {
			form = candidate
			break
		}
	}
	w := file200(f.mime, form.body)
	if matchesETag(r.header("If-None-Match"), form.etag) {
		w = notModified304()
	} else if form.encoding != "" {
		w = w.with("Content-Encoding", form.encoding)
	}
	return w.with("ETag", form.etag).with("Cache-Control", f.cache).varying("Accept-Encoding")
}

// home answers the first page: the web client's, or in a build without it
// one that says how it comes in.
func (a *api) home(r *request) (answer, error) {
	if a.site.index == nil {
		return a.pages.placeholder(), nil
	}
	return a.site.index.answer(r).with("Content-Security-Policy", sitePolicy(r.host())), nil
}

// siteFile answers one of the web client's other files.
func (a *api) siteFile(r *request) (answer, error) {
	file, ok := a.site.files[strings.TrimPrefix(r.path(), "/")]
	if !ok {
		return answer{}, fault.New(fault.NotFound, "there is nothing here")
	}
	return file.answer(r), nil
}
