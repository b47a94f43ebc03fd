package gateway

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// guards are headers of every answer, whatever it is. A page says more of what
// it may load by a Content-Security-Policy of its own.
var guards = [][2]string{
	{fiber.HeaderXContentTypeOptions, "nosniff"},
	{fiber.HeaderXFrameOptions, "DENY"}, // for browsers that know no frame-ancestors
	{fiber.HeaderReferrerPolicy, "no-referrer"},
	{fiber.HeaderContentSecurityPolicy, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"}, // pages of GATEWAY_ORIGINS ask by CORS, which it does not touch
	{fiber.HeaderPermissionsPolicy, "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"},
}

// guard sets the headers that every answer has.
func (a *api) guard(fc *fiber.Ctx) {
	fc.Set(headerRequestID, requestID(fc))
	for _, h := range guards {
		fc.Set(h[0], h[1])
	}
	if a.cfg.HSTS != "" && fc.Secure() { // told by a trusted proxy: gateways speak no TLS
		fc.Set(fiber.HeaderStrictTransportSecurity, a.cfg.HSTS)
	}
	if strings.HasPrefix(fc.Path(), apiPrefix) {
		fc.Set(fiber.HeaderCacheControl, "no-store")
	}
	if a.leaving.Load() {
		// A proxy would send its next request into a connection that is about to end.
		fc.Response().SetConnectionClose()
	}
	if inChunks(fc.Request().Header.RawHeaders()) {
		// It may have told a length, too, by which what follows would be another
		// request than by its chunks (RFC 9112, section 6.3).
		fc.Response().SetConnectionClose()
	}
}

// inChunks reports whether a body came with a Transfer-Encoding; fasthttp has
// forgotten that once the body is read.
func inChunks(header []byte) bool {
	const name = "transfer-encoding"
	for line := range bytes.Lines(header) {
		if len(line) > len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			return true
		}
	}
	return false
}
