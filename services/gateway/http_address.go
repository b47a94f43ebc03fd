package gateway

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// v6Network is what one customer of a provider usually has of IPv6, in bits:
// its addresses count as one.
const v6Network = 64

// addresses tells where requests come from.
type addresses struct {
	proxies       []netip.Prefix
	countLoopback bool
	log           *slog.Logger
	warned        atomic.Pointer[time.Time] // of an entry that is no address
}

func newAddresses(proxies []string, countLoopback bool, log *slog.Logger) (*addresses, error) {
	a := &addresses{countLoopback: countLoopback, log: log}
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
// as long as those who wrote are trusted: what precedes may be made up. Empty
// entries are passed over. It stops at an entry that is no address, and reports
// it.
func (a *addresses) client(peer netip.Addr, forwarded []string) netip.Addr {
	client := peer.Unmap()
	for i := len(forwarded) - 1; i >= 0 && a.trusted(client); i-- {
		entry := strings.TrimSpace(forwarded[i])
		if entry == "" {
			continue
		}
		next, ok := parseForwarded(entry)
		if !ok {
			a.unreadable()
			break
		}
		client = next
	}
	return client
}

// parseForwarded reads an entry of X-Forwarded-For as proxies write it: an
// address, also in quotes, in brackets, or followed by a port.
func parseForwarded(entry string) (netip.Addr, bool) {
	if quoted, ok := strings.CutPrefix(entry, `"`); ok {
		entry = strings.TrimSpace(strings.TrimSuffix(quoted, `"`))
	}
	if withPort, err := netip.ParseAddrPort(entry); err == nil {
		return withPort.Addr().Unmap(), true
	}
	if inner, ok := strings.CutPrefix(entry, "["); ok {
		entry = strings.TrimSuffix(inner, "]")
	}
	ip, err := netip.ParseAddr(entry)
	return ip.Unmap(), err == nil
}

// warnEvery is the shortest time between two warnings about X-Forwarded-For.
const warnEvery = time.Minute

// unreadable warns of an entry that is no address: the clients behind that
// proxy then share one address, and its limits. The entry is not logged, it may
// be personal.
func (a *addresses) unreadable() {
	now := time.Now()
	last := a.warned.Load()
	if last != nil && now.Sub(*last) < warnEvery || !a.warned.CompareAndSwap(last, &now) {
		return
	}
	a.log.Warn("a trusted proxy sends an X-Forwarded-For that holds no address: clients behind it count as one; see GATEWAY_TRUSTED_PROXIES")
}

func (a *addresses) trusted(ip netip.Addr) bool {
	for _, network := range a.proxies {
		if network.Contains(ip.WithZone("")) {
			return true
		}
	}
	return false
}
