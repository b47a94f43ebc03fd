package gateway

import (
	"regexp"
	"strings"
)

// plainHost is a host that can stand in a policy: a name or an address, and
// perhaps a port.
var plainHost = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// sitePolicy lets the web client use what came with it, and talk to the gateway
// that it was read from; nothing else. The host is named because some browsers'
// 'self' does not cover WebSocket.
func sitePolicy(host string) string {
	sockets := ""
	if plainHost.MatchString(host) {
		sockets = " ws://" + host + " wss://" + host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'" + sockets +
		"; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// acceptsEncoding reports whether an Accept-Encoding header takes it. What is
// not named there is not taken, unless by *.
func acceptsEncoding(header, encoding string) bool {
	anyOther := false
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, encoding):
			return qualityOf(params) > 0
		case name == "*":
			anyOther = qualityOf(params) > 0
		}
	}
	return anyOther
}

// matchesETag reports whether an If-None-Match header names the form.
func matchesETag(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == etag {
			return true
		}
	}
	return false
}
