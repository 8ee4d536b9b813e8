package polite

import (
	"fmt"
	"net/netip"
)

// A block is a range of addresses that no public site has.
type block struct {
	prefix netip.Prefix
	reason string
}

// blocks gives the ranges of the IANA special-purpose registries that are not
// globally reachable or hold infrastructure and no sites (AS112, AMT), multicast,
// and addresses by which a cloud reaches its own machinery. Ranges that hold an
// IPv4 address inside are taken apart by embedded.
func blocks() []block {
	b := func(prefix, reason string) block { return block{netip.MustParsePrefix(prefix), reason} }
	return []block{
		b("0.0.0.0/8", "this network (RFC 791)"),
		b("10.0.0.0/8", "private (RFC 1918)"),
		b("100.64.0.0/10", "shared address space of a carrier (RFC 6598)"),
		b("127.0.0.0/8", "loopback (RFC 1122)"),
		b("169.254.0.0/16", "link-local, cloud metadata (RFC 3927)"),
		b("168.63.129.16/32", "cloud platform service (Azure)"),
		b("172.16.0.0/12", "private (RFC 1918)"),
		b("192.0.0.0/24", "protocol assignments (RFC 6890)"),
		b("192.0.2.0/24", "documentation (RFC 5737)"),
		b("192.31.196.0/24", "AS112 (RFC 7535)"),
		b("192.52.193.0/24", "AMT (RFC 7450)"),
		b("192.88.99.0/24", "6to4 relay anycast (RFC 7526)"),
		b("192.168.0.0/16", "private (RFC 1918)"),
		b("192.175.48.0/24", "AS112 (RFC 7534)"),
		b("198.18.0.0/15", "benchmarking (RFC 2544)"),
		b("198.51.100.0/24", "documentation (RFC 5737)"),
		b("203.0.113.0/24", "documentation (RFC 5737)"),
		b("224.0.0.0/4", "multicast (RFC 5771)"),
		b("240.0.0.0/4", "reserved, broadcast (RFC 1112)"),

		b("::/128", "unspecified (RFC 4291)"),
		b("::1/128", "loopback (RFC 4291)"),
		b("::/96", "IPv4-compatible, deprecated (RFC 4291)"),
		b("64:ff9b:1::/48", "translation of local use (RFC 8215)"),
		b("100::/64", "discard only (RFC 6666)"),
		b("100:0:0:1::/64", "dummy prefix (RFC 9780)"),
		b("2001::/23", "protocol assignments (RFC 2928)"),
		b("2001:db8::/32", "documentation (RFC 3849)"),
		b("2620:4f:8000::/48", "AS112 (RFC 7534)"),
		b("3fff::/20", "documentation (RFC 9637)"),
		b("5f00::/16", "segment routing (RFC 9602)"),
		b("fc00::/7", "unique local, cloud metadata (RFC 4193)"),
		b("fe80::/10", "link-local (RFC 4291)"),
		b("fec0::/10", "site-local (RFC 3879)"),
		b("ff00::/8", "multicast (RFC 4291)"),
	}
}

// embedded gives the IPv4 address that an IPv6 address leads to, and by what.
func embedded(ip netip.Addr) (netip.Addr, string, bool) {
	b := ip.As16()
	v4 := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	in := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(ip) }
	switch {
	case in("64:ff9b::/96"):
		return v4(12), "NAT64 (RFC 6052)", true
	case in("2002::/16"):
		return v4(2), "6to4 (RFC 3056)", true
	}
	return netip.Addr{}, "", false
}

// Guard makes the check that a dialer does of the resolved address (IP:port)
// before it connects, so that neither a redirect nor DNS leads it into a private
// network. Its error is a *Refused for every address that the IANA registries of
// special-purpose addresses do not call globally reachable: loopback, private,
// link-local with the metadata services of clouds, carrier-grade NAT, multicast,
// unspecified, reserved, documentation; also where such an IPv4 address is
// mapped, translated (NAT64) or tunnelled (6to4, Teredo) in an IPv6 one. An
// address that is not an IP and port is refused too.
//
// allowed is asked first, with the same IP:port; true lets it pass. nil allows
// nothing more. It is for what the user named: an origin, a proxy.
func Guard(allowed func(address string) bool) func(network, address string) error {
	list := blocks()
	return func(network, address string) error {
		if allowed != nil && allowed(address) {
			return nil
		}
		if reason := refusal(list, address); reason != "" {
			return &Refused{Address: address, Reason: reason}
		}
		return nil
	}
}

// LoopbackOnly is a check like Guard's for a demo or test: it refuses every
// address that is not loopback.
func LoopbackOnly(network, address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err == nil && ap.Addr().Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("polite: connection to %s refused: only loopback is asked in this mode", address)
}

// refusal says why address is not a public one; "" if it is.
func refusal(list []block, address string) string {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return "not an IP address and port"
	}
	ip := ap.Addr().WithZone("")
	by := ""
	if ip.Is4In6() {
		ip, by = ip.Unmap(), "IPv4-mapped "
	} else if ip.Is6() {
		if v4, how, ok := embedded(ip); ok {
			ip, by = v4, how+" "
		}
	}
	for _, b := range list {
		if b.prefix.Contains(ip) {
			return by + b.reason
		}
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return "outside of global unicast (RFC 4291)"
	}
	return ""
}
