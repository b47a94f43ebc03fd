package gateway

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// v6Network is what one customer of a provider usually has of IPv6, in bits:
// its addresses count as one.
const v6Network = 64

// addresses tells where requests come from.
type addresses struct {
	proxies       []netip.Prefix
	countLoopback bool
}

func newAddresses(proxies []string, countLoopback bool) (*addresses, error) {
	a := &addresses{countLoopback: countLoopback}
	for _, entry := range proxies {
		entry = strings.TrimSpace(entry)
		network, err := netip.ParsePrefix(entry)
		if ip, ipErr := netip.ParseAddr(entry); ipErr == nil {
			network, err = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("GATEWAY_TRUSTED_PROXIES: %q is neither an address nor a network", entry)
		}
		a.proxies = append(a.proxies, network.Masked())
	}
	return a, nil
}

// counted is the address for limits: the client's IPv4 address, or its IPv6
// network; empty when it does not count.
func (a *addresses) counted(fc *fiber.Ctx) string {
	peer, ok := netip.AddrFromSlice(fc.Context().RemoteIP())
	if !ok {
		return ""
	}
	var forwarded []string
	for _, line := range fc.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		forwarded = append(forwarded, strings.Split(string(line), ",")...)
	}
	client := a.client(peer, forwarded)
	if client.IsLoopback() && !a.countLoopback {
		return ""
	}
	if client.Is6() {
		network, err := client.WithZone("").Prefix(v6Network)
		if err != nil {
			return ""
		}
		client = network.Masked().Addr()
	}
	return client.String()
}

// client follows X-Forwarded-For from its end, where the nearest proxy wrote,
// as long as those who wrote are trusted: what stands before that may be made
// up.
func (a *addresses) client(peer netip.Addr, forwarded []string) netip.Addr {
	client := peer.Unmap()
	for i := len(forwarded) - 1; i >= 0 && a.trusted(client); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(forwarded[i]))
		if err != nil {
			break
		}
		client = next.Unmap()
	}
	return client
}

func (a *addresses) trusted(ip netip.Addr) bool {
	for _, network := range a.proxies {
		if network.Contains(ip.WithZone("")) {
			return true
		}
	}
	return false
}
