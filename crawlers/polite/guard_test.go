package polite

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/refrain-archive/refrain/post"
)

// The first and last address of each block of the IANA special-purpose
// registries that is not globally reachable, and their neighbours.
func TestGuard(t *testing.T) {
	refused := []string{
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
		"127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255",
		"172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.0.255",
		"192.0.2.0", "192.0.2.255", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
		"192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255",
		"224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
		"100.100.100.200", "168.63.129.16", // metadata of clouds

		"::", "::1", "::2", "::127.0.0.1", "::8.8.8.8",
		"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:7f00:1",
		"64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
		"100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::1",
		"2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1", "2002:a9fe:a9fe::", "2002:6440:1::",
		"2620:4f:8000::1", "3fff::1", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "5f00::1",
		"fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"fe80::1", "fe80::1%eth0", "febf:ffff::1", "fec0::1", "ff00::", "ff02::1", "ff0e::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"4000::1", "1fff::1", "::ffff:0:127.0.0.1",
	}
	public := []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "8.8.8.8",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
		"2001:200::", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450:4001::1", "3ffe:ffff::1",
	}
	check := Guard(nil)
	for _, ip := range refused {
		err := check("tcp", net.JoinHostPort(ip, "443"))
		var r *Refused
		if !errors.As(err, &r) || r.Outcome() != post.RefusedAddress || r.Reason == "" {
			t.Errorf("%s: %v, want *Refused", ip, err)
		}
	}
	for _, ip := range public {
		if err := check("tcp", net.JoinHostPort(ip, "443")); err != nil {
			t.Errorf("%s: %v, want none", ip, err)
		}
	}
	for _, address := range []string{"", "localhost:80", "127.0.0.1", "0x7f.1:80", "2130706433:80", "127.1:80", "[::1]"} {
		if check("tcp", address) == nil {
			t.Errorf("%q passes, though it is no IP address and port", address)
		}
	}
}

func TestGuardAllowed(t *testing.T) {
	check := Guard(func(address string) bool { return address == "127.0.0.1:8080" })
	if err := check("tcp4", "127.0.0.1:8080"); err != nil {
		t.Error(err)
	}
	if check("tcp4", "127.0.0.1:6379") == nil || check("tcp4", "127.0.0.2:8080") == nil {
		t.Error("another port or address of loopback passes")
	}
	if check := Guard(func(string) bool { return false }); check("tcp", "8.8.8.8:53") != nil {
		t.Error("a public address needs no permission")
	}
}

// A name that leads to loopback is refused at the connection, whatever it is.
func TestGuardAtDialer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	check := Guard(nil)
	dialer := net.Dialer{Control: func(network, address string, _ syscall.RawConn) error { return check(network, address) }}
	conn, err := dialer.Dial("tcp", "localhost:"+port)
	if err == nil {
		conn.Close()
	}
	var r *Refused
	if !errors.As(err, &r) || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("dial localhost: %v, want *Refused", err)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true, "8.8.8.8:1": false, "10.0.0.1:1": false, "localhost:1": false} {
		if err := LoopbackOnly("tcp", address); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}
