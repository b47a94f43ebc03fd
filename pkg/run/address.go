package run

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// CheckAddress refuses what is no host:port to listen on, and says how the
// address is written that was probably meant. An empty host means every
// address of the machine; port 0 takes a free one.
func CheckAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err == nil && isPort(port) {
		return nil
	}
	if err == nil && port != "" && !strings.Contains(text, "://") {
		return fmt.Errorf("%q is not an address: its port must be a number from 0 to 65535, such as %s", text, net.JoinHostPort(host, examplePort))
	}
	return fmt.Errorf("%q is not an address: write host:port, such as %s", text, likeAddress(text))
}

const examplePort = "8080"

// aHost is a name, or an IP address without brackets.
var aHost = regexp.MustCompile(`^[0-9A-Za-z.:%_-]+$`)

// likeAddress is an address as near to text as can be.
func likeAddress(text string) string {
	if _, rest, ok := strings.Cut(text, "://"); ok { // a URL
		text, _, _ = strings.Cut(rest, "/")
	}
	if _, port, err := net.SplitHostPort(text); err == nil && isPort(port) {
		return text
	}
	text = strings.Trim(strings.TrimSuffix(text, ":"), "[]")
	switch {
	case isPort(text):
		return net.JoinHostPort("127.0.0.1", text)
	case aHost.MatchString(text):
		return net.JoinHostPort(text, examplePort)
	default:
		return net.JoinHostPort("127.0.0.1", examplePort)
	}
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
