package capture

import (
	"crypto/tls"
	"net"
	"net/url"
	"time"
)

// The limits that stand where Options gives none.
const (
	DefaultMaxWire       = 1 << 30   // bytes of one response on the wire
	DefaultMaxDecoded    = 256 << 20 // bytes of one body, content coding removed
	DefaultDialTimeout   = 30 * time.Second
	DefaultHeaderTimeout = 60 * time.Second
	DefaultIdleTimeout   = 60 * time.Second
	DefaultTotalTimeout  = 30 * time.Minute
)

// Options is what a Transport is built from. Only Recorder is required.
type Options struct {
	Recorder Recorder // keeps the exchanges. Required.
	SpoolDir string   // where bodies over SpoolAbove go while they arrive; "" is os.TempDir

	// MaxWire bounds a response as it is on the wire, head included. A longer
	// one is cut there, recorded with WARC-Truncated: length, and its reader
	// gets an error of outcome too_large. 0 is DefaultMaxWire, below 0 is no limit.
	MaxWire int64

	// MaxDecoded bounds the body that a reader gets where a content coding
	// (gzip, deflate) was removed. Beyond it the reader gets an error of outcome too_large; the record is
	// whole, within MaxWire. 0 is DefaultMaxDecoded, below 0 is no limit.
	MaxDecoded int64

	// The time limits give WARC-Truncated: time and outcome timeout. 0 is the
	// default of that name, below 0 is no limit.
	DialTimeout   time.Duration // for name, connection, proxy and TLS handshake together
	HeaderTimeout time.Duration // from the request sent to the whole head of the response
	IdleTimeout   time.Duration // between two reads of the body that bring bytes
	TotalTimeout  time.Duration // from RoundTrip to the last byte of the body

	// MaxIdlePerHost is how many connections are kept open for reuse for each
	// host; 0 is 4.
	MaxIdlePerHost int

	// Proxy is the proxy for all requests that no Origin takes: http, https
	// or socks5, with user information where it wants that. nil is none.
	Proxy *url.URL

	// ProxyFromEnvironment takes the proxy from HTTP_PROXY, HTTPS_PROXY and
	// NO_PROXY where Proxy is nil.
	ProxyFromEnvironment bool

	// LocalAddr is the source address of connections; nil leaves it to the system.
	LocalAddr net.IP

	// Guard is asked with the resolved address, IP:port, before each
	// connection; its error refuses it (outcome refused_address). It is not
	// asked for a proxy and for what Origin names. Over a proxy it is asked
	// only where the URL's host is an IP address: names are resolved there.
	// nil allows all.
	Guard func(network, address string) error

	// Origin sends a host (lower case, without port) to another address,
	// HOST:PORT. plain means no TLS although the URL says https. nil, and ok
	// false, leave a host where it is.
	Origin func(host string) (addr string, plain, ok bool)

	// Stray is told of bytes (those of one read) that a server sent on an idle
	// connection, where they belong to no exchange. The connection is closed.
	// nil drops them.
	Stray func(remote string, bytes []byte)

	// TLS is the base of the configuration for TLS; nil is the zero Config.
	// NextProtos and ServerName are set by the Transport.
	TLS *tls.Config

	// Resolver looks up names; nil is net.DefaultResolver.
	Resolver *net.Resolver

	// Now is the clock behind Started and Ended; nil is time.Now.
	Now func() time.Time
}

// SpoolAbove is the size in bytes from which a block is kept in a temporary
// file instead of memory while it arrives.
const SpoolAbove = 1 << 20

// withDefaults fills in what o leaves open; 0 means no limit afterwards.
func (o Options) withDefaults() Options {
	size := func(v *int64, standard int64) {
		if *v == 0 {
			*v = standard
		}
		*v = max(*v, 0)
	}
	span := func(v *time.Duration, standard time.Duration) {
		if *v == 0 {
			*v = standard
		}
		*v = max(*v, 0)
	}
	size(&o.MaxWire, DefaultMaxWire)
	size(&o.MaxDecoded, DefaultMaxDecoded)
	span(&o.DialTimeout, DefaultDialTimeout)
	span(&o.HeaderTimeout, DefaultHeaderTimeout)
	span(&o.IdleTimeout, DefaultIdleTimeout)
	span(&o.TotalTimeout, DefaultTotalTimeout)
	if o.MaxIdlePerHost == 0 {
		o.MaxIdlePerHost = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
