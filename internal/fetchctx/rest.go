package fetchctx

import "io"

// A Rester is a body that may know how long it is before it is read, though no
// Content-Length says so: the recorder unpacks coded bodies as a whole. A layer
// that wraps a body passes the question on, by Rest.
type Rester interface {
	// Rest gives the number of bytes that are left to read, content coding
	// removed, and whether that is known. It may read from the connection.
	Rest() (n int, known bool)
}

// Rest asks body, which may know nothing of it.
func Rest(body io.Reader) (n int, known bool) {
	if r, ok := body.(Rester); ok {
		return r.Rest()
	}
	return 0, false
}
