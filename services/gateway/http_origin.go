package gateway

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/parley-im/parley/pkg/fault"
)

// What a page of another origin may use.
const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsHeaders = "Authorization, Content-Type, " + headerRequestID
	corsExposed = headerRequestID + ", Retry-After"
	corsMaxAge  = "600" // seconds
)

// origins says which web pages may call. Browsers name the page's origin in
// WebSocket handshakes too, which no other rule of theirs guards. Programs
// send no Origin, and may call.
type origins struct {
	any      bool
	loopback bool
	allowed  map[string]bool
}

func newOrigins(list []string) (*origins, error) {
	o := &origins{allowed: map[string]bool{}}
	for _, entry := range list {
		switch entry = strings.TrimSpace(entry); entry {
		case "":
		case "*":
			o.any = true
		case "loopback":
			o.loopback = true
		default:
			u, err := url.Parse(entry)
			if err != nil || u.Scheme == "" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
				return nil, fmt.Errorf("GATEWAY_ORIGINS: %q is not an origin such as https://chat.example.org", entry)
			}
			o.allowed[origin(u)] = true
		}
	}
	return o, nil
}

// origin writes a URL's origin as browsers do, without a default port.
func origin(u *url.URL) string {
	return strings.ToLower(u.Scheme) + "://" + withoutPort(u.Scheme, u.Host)
}

func withoutPort(scheme, host string) string {
	host = strings.ToLower(host)
	switch strings.ToLower(scheme) {
	case "http", "ws":
		return strings.TrimSuffix(host, ":80")
	case "https", "wss":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// check refuses a page that may not call, and answers preflights; done means
// that the request needs nothing more.
func (o *origins) check(fc *fiber.Ctx) (done bool, err error) {
	from := fc.Get(fiber.HeaderOrigin)
	fc.Vary(fiber.HeaderOrigin)
	if from == "" {
		return false, nil
	}
	if !o.allows(from, fc.Hostname()) {
		return false, fault.New(fault.PermissionDenied, "pages of this origin may not call here")
	}
	fc.Set(fiber.HeaderAccessControlAllowOrigin, from)
	fc.Set(fiber.HeaderAccessControlExposeHeaders, corsExposed)
	if fc.Method() != fiber.MethodOptions || fc.Get(fiber.HeaderAccessControlRequestMethod) == "" {
		return false, nil
	}
	fc.Set(fiber.HeaderAccessControlAllowMethods, corsMethods)
	fc.Set(fiber.HeaderAccessControlAllowHeaders, corsHeaders)
	fc.Set(fiber.HeaderAccessControlMaxAge, corsMaxAge)
	fc.Status(http.StatusNoContent)
	return true, nil
}

// allows reports whether a page of that origin may call the gateway that was
// reached as host.
func (o *origins) allows(from, host string) bool {
	u, err := url.Parse(from)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return o.any // such as "null", for pages without an origin
	}
	// The scheme is not compared: a proxy in front may have ended TLS.
	sameHost := withoutPort(u.Scheme, u.Host) == withoutPort(u.Scheme, host)
	return o.any || sameHost || o.allowed[origin(u)] || o.loopback && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
