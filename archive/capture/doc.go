// Package capture is an http.RoundTripper that records HTTP exchanges as they
// are on the wire.
//
// # Where the bytes are taken
//
// Requests go through an http.Transport whose connections copy what is written
// and read, below net/http and above TLS. Nothing is rebuilt from an
// http.Request or http.Response: header order and case, blanks, duplicate
// fields, interim answers (1xx), chunk sizes and extensions, trailers and cut
// bodies are in the record byte for byte. Only HTTP/1.1 is spoken, by ALPN:
// HTTP/2 has no header bytes worth keeping. Bodies over SpoolAbove go to a
// temporary file that has no name where the system allows that, so it vanishes
// with the process.
//
// # Where an exchange ends
//
// A splitter follows the framing (RFC 9112 §6) of both directions in step with
// net/http, which gets no byte beyond the end of the response. So what a server
// sends unasked can never be read as the answer to the next request on a kept
// connection. It is treated so:
//
//   - Bytes that come with the end of a response, or before its record is made,
//     are in that record (Block.Excess): bodies on 204, 304 and HEAD among them.
//     The connection is closed; for a short while more is taken.
//   - Bytes on an idle connection belong to nothing: Options.Stray is told.
//   - Where a server's bytes stop being HTTP, the rest is taken likewise, and
//     the caller gets an error of outcome server_error.
//
// The record is made when the caller has read the body to its end or closes
// it. If net/http sends a request again because a kept connection turned out
// to be closed, the attempt without any answer is counted in the field
// silent-attempts. An attempt that got bytes is an exchange of its own.
//
// # What is cut, and why
//
//	WARC-Truncated  when
//	length          MaxWire was reached, or the caller closed the body early
//	time            a time limit or the caller's deadline passed
//	disconnect      the connection broke or ended early, or the caller cancelled
//
// A body that was closed early after all of it had arrived is not cut. A
// response may end before its request was sent whole (413): the request's
// record then holds what was sent, see Exchange.RequestTruncated.
//
// # What is not in the record
//
// The dialogue with a proxy (CONNECT, SOCKS) and the Proxy-Authorization that
// a request to a proxy carries; requests marked by fetchctx.Unrecorded; and secrets.
// Values named with fetchctx.Fetch.AddSecret, and passwords in URLs, are
// replaced by as many bytes of "REDACTEDREDACTED…" in the request, and in the
// response wherever it repeats them, also URL-encoded, escaped for JSON or
// HTML, and cut by the borders of chunks. Requests that carry a secret ask for
// identity coding. If the answer is coded nevertheless and repeats the secret,
// what is stored is the decoded body under a header that fits it; if it has a
// coding that cannot be undone, the body is left out. Exchange.Redactions says
// so, with digests before and after. The name of the key is taken from the
// field "key" of the fetch. Request bodies are searched as they are, not decoded.
//
// # Fields of the metadata record
//
// Exchange.Fields begins with what the layers above said, and goes on with
//
//	fetchTimeMs      milliseconds from Started to Ended
//	proxy            SCHEME://HOST:PORT of the proxy
//	source-address   local address, if Options.LocalAddr sets it
//	origin           http://HOST:PORT that stood in for the URL's host
//	silent-attempts  number of attempts before this one that got no byte
//	excess           "N bytes after the end of the response"
package capture
