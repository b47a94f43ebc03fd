package gateway

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	indexText  = `<!doctype html><script type="module" src="/assets/index-1a2b.js"></script>`
	scriptText = `console.log("hello")`
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// build is what a build of the web client leaves. What stands for Brotli is
// only named so: the gateway never looks into it.
func build(t *testing.T) fstest.MapFS {
	t.Helper()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"index.html":               file(indexText),
		"index.html.gz":            {Data: zipped(t, indexText)},
		".gitkeep":                 file(""),
		"favicon.svg":              file("<svg/>"),
		"manifest.webmanifest":     file("{}"),
		"assets/index-1a2b.js":     file(scriptText),
		"assets/index-1a2b.js.br":  file("brotli"),
		"assets/index-1a2b.js.gz":  {Data: zipped(t, scriptText)},
		"assets/index-3c4d.css":    file("body{}"),
		"assets/avatar-5e6f.woff2": file("font"),
	}
}

// has fails unless the header has these values, given as name, value, …
func has(t *testing.T, header http.Header, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := strings.Join(header.Values(want[i]), ", "); got != want[i+1] {
			t.Errorf("%s is %q, want %q", want[i], got, want[i+1])
		}
	}
}

func TestSite_index(t *testing.T) {
	w := newSiteWorld(t, nil, build(t))
	host := strings.TrimPrefix(w.url, "http://")
	status, header, body := w.do(t, http.MethodGet, "/", "", "Accept-Encoding", "identity")
	if status != http.StatusOK || body != indexText {
		t.Fatalf("%d %q", status, body)
	}
	has(t, header,
		"Content-Type", "text/html; charset=utf-8",
		"Cache-Control", "no-cache",
		"Vary", "Origin, Accept-Encoding",
		"X-Content-Type-Options", "nosniff",
		"Referrer-Policy", "no-referrer",
		"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws://"+host+" wss://"+host+
			"; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy", "same-origin",
		"Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	status, headHeader, body := w.do(t, http.MethodHead, "/", "", "Accept-Encoding", "identity")
	if status != http.StatusOK || body != "" {
		t.Fatalf("HEAD: %d %q", status, body)
	}
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Security-Policy", "ETag", "Vary"} {
		has(t, headHeader, name, strings.Join(header.Values(name), ", "))
	}

	etag := header.Get("ETag")
	for name, c := range map[string]struct {
		given string
		want  int
	}{
		"the_same":        {etag, http.StatusNotModified},
		"one_of_several":  {`"x", W/` + etag, http.StatusNotModified},
		"another":         {`"x"`, http.StatusOK},
		"the_zipped_form": {strings.TrimSuffix(etag, `"`) + `-gzip"`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := w.do(t, http.MethodGet, "/", "", "Accept-Encoding", "identity", "If-None-Match", c.given)
			if status != c.want || (status == http.StatusNotModified) != (body == "") {
				t.Fatalf("%d %q", status, body)
			}
			has(t, header, "ETag", etag, "Cache-Control", "no-cache")
		})
	}
	if status, _, _ := w.do(t, http.MethodGet, "/docs", ""); status != http.StatusOK {
		t.Fatalf("the API's page: %d", status)
	}
}

func TestSite_files(t *testing.T) {
	w := newSiteWorld(t, nil, build(t))
	const forever, checked = "public, max-age=31536000, immutable", "no-cache"
	for path, c := range map[string]struct{ body, mime, cache string }{
		"/assets/index-1a2b.js":     {scriptText, "text/javascript; charset=utf-8", forever},
		"/assets/index-3c4d.css":    {"body{}", "text/css; charset=utf-8", forever},
		"/assets/avatar-5e6f.woff2": {"font", "font/woff2", forever},
		"/favicon.svg":              {"<svg/>", "image/svg+xml", checked},
		"/manifest.webmanifest":     {"{}", "application/manifest+json", checked},
	} {
		t.Run(path[1:], func(t *testing.T) {
			status, header, body := w.do(t, http.MethodGet, path, "", "Accept-Encoding", "identity")
			if status != http.StatusOK || body != c.body {
				t.Fatalf("%d %q", status, body)
			}
			has(t, header, "Content-Type", c.mime, "Cache-Control", c.cache, "Content-Encoding", "", "Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
			status, headHeader, body := w.do(t, http.MethodHead, path, "", "Accept-Encoding", "identity")
			if status != http.StatusOK || body != "" {
				t.Fatalf("HEAD: %d %q", status, body)
			}
			has(t, headHeader, "Content-Type", c.mime, "ETag", header.Get("ETag"), "Content-Length", header.Get("Content-Length"))
		})
	}
}

func TestSite_encodings(t *testing.T) {
	w := newSiteWorld(t, nil, build(t))
	const path = "/assets/index-1a2b.js"
	etags := map[string]string{}
	for name, c := range map[string]struct{ accepted, want, body string }{
		"a_browser":       {"gzip, deflate, br, zstd", "br", "brotli"},
		"only_gzip":       {"gzip", "gzip", string(zipped(t, scriptText))},
		"anything":        {"*", "br", "brotli"},
		"no_brotli":       {"br;q=0, *;q=0.5", "gzip", string(zipped(t, scriptText))},
		"neither":         {"br; q=0.0, gzip;q=0", "", scriptText},
		"other":           {"zstd", "", scriptText},
		"as_it_is":        {"identity", "", scriptText},
		"weighed_in_case": {"BR;Q=0.1", "br", "brotli"},
		"nonsense":        {"br;q=x,;,", "", scriptText},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := w.do(t, http.MethodGet, path, "", "Accept-Encoding", c.accepted)
			if status != http.StatusOK || body != c.body {
				t.Fatalf("%d %q", status, body)
			}
			has(t, header, "Content-Encoding", c.want, "Vary", "Origin, Accept-Encoding")
			etags[header.Get("ETag")] = c.want
		})
	}
	if len(etags) != 3 {
		t.Errorf("three forms have the tags %v", etags)
	}
}

func TestSite_unknown_files(t *testing.T) {
	w := newSiteWorld(t, nil, build(t))
	for name, path := range map[string]string{
		"an_older_build's": "/assets/index-0000.js",
		"a_form":           "/assets/index-1a2b.js.br",
		"of_the_index":     "/index.html.gz",
		"outside":          "/assets/..%2Findex.html",
		"a_folder":         "/assets/",
		"out_and_in":       "/assets/../../site.go",
		"backslashes":      "/assets/..%5Cindex.html",
		"the_index's_name": "/index.html",
		"of_the_API":       "/api/v1/assets/index-1a2b.js",
		"another":          "/favicon.ico",
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := w.do(t, http.MethodGet, path, "")
			if status != http.StatusNotFound || !strings.Contains(body, `"code":"not_found"`) {
				t.Fatalf("%d %q", status, body)
			}
			has(t, header, "Content-Type", "application/problem+json", "Cache-Control", "no-store")
		})
	}
	// Part of a file may be asked for, and all of it answered.
	status, header, body := w.do(t, http.MethodGet, "/assets/index-1a2b.js", "", "Accept-Encoding", "identity", "Range", "bytes=0-3")
	if status != http.StatusOK || body != scriptText {
		t.Errorf("a range: %d %q", status, body)
	}
	has(t, header, "Content-Range", "")
	if status, header, _ := w.do(t, http.MethodPost, "/assets/index-1a2b.js", "{}"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d %v", status, header)
	}
	if n := w.metric(t, "parley_http_requests_total", "GET /assets/:file", "404"); n != 4 {
		t.Errorf("%v requests are counted for files that are not there", n)
	}
}

// A page full of files leaves its user's calls alone, also while the limits
// are used up or can't be checked.
func TestSite_is_outside_the_limits(t *testing.T) {
	w := newSiteWorld(t, func(cfg *Config) {
		cfg.LimitLoopback = true
		cfg.OpenBurst, cfg.OpensPerMinute = 1, 0.001
	}, build(t))
	refresh := func() int {
		status, _, _ := w.do(t, http.MethodPost, "/api/v1/auth/refresh", `{}`)
		return status
	}
	files := func() {
		t.Helper()
		for range 20 {
			if status, _, _ := w.do(t, http.MethodGet, "/assets/index-1a2b.js", ""); status != http.StatusOK {
				t.Fatalf("a file: %d", status)
			}
		}
	}
	files()
	if status := refresh(); status == http.StatusTooManyRequests {
		t.Fatal("files used up the limit of calls")
	}
	if status := refresh(); status != http.StatusTooManyRequests {
		t.Fatalf("the limit is not at work: %d", status)
	}
	files()
	w.redis.Close()
	files()
}

func TestSite_refuses_builds_it_does_not_know(t *testing.T) {
	b := build(t)
	b["assets/tool.exe"] = &fstest.MapFile{Data: []byte("MZ")}
	if _, err := newSite(b); err == nil || !strings.Contains(err.Error(), "assets/tool.exe") {
		t.Fatal(err)
	}
}

func TestSite_without_a_build(t *testing.T) {
	w := newSiteWorld(t, nil, fstest.MapFS{".gitignore": {}})
	status, header, body := w.do(t, http.MethodGet, "/", "")
	if status != http.StatusOK || !strings.Contains(body, "make web") || !strings.Contains(body, `href="/docs"`) {
		t.Fatalf("%d %q", status, body)
	}
	has(t, header, "Cache-Control", "no-cache")
	if status, _, _ := w.do(t, http.MethodGet, "/assets/index-1a2b.js", ""); status != http.StatusNotFound {
		t.Fatal(status)
	}
}

// What is embedded now, a build or none, is a site.
func TestSite_embedded(t *testing.T) {
	s, err := newSite(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.index == nil {
		return
	}
	linked := regexp.MustCompile(`(?:src|href)="/([^"]+)"`)
	index := s.index.forms[len(s.index.forms)-1].body
	for _, link := range linked.FindAllSubmatch(index, -1) {
		file := s.files[string(link[1])]
		if file == nil {
			t.Errorf("the index needs %s, which is not there", link[1])
		} else if strings.HasPrefix(string(link[1]), siteAssets) && len(file.forms) < 2 && len(file.forms[0].body) > 2048 {
			t.Errorf("%s is not compressed", link[1])
		}
	}
}

func TestSitePolicy_names_only_hosts(t *testing.T) {
	for host, named := range map[string]bool{
		"chat.example.org": true, "127.0.0.1:8080": true, "[::1]:8080": true, "": false,
		"a; script-src *": false, "a b": false, "a:b": false, "*": false, "a'": false,
	} {
		if policy := sitePolicy(host); strings.Contains(policy, "ws://"+host) != named || strings.Count(policy, "script-src") != 1 {
			t.Errorf("%q: %s", host, policy)
		}
	}
}
