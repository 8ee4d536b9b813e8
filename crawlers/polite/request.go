package polite

import "context"

// Meta is what the driver knows of a request and the transport must know too.
type Meta struct {
	Platform string // registry name; empty for none
	Route    string // name of one of About.Routes; empty for none
	Key      string // name of the key that the request wants; empty for none
	Robots   bool   // robots.txt binds it although a key is used. Without a key it always does
}

type metaKey struct{}

// WithRequest says what the request made with ctx is for. A request without it
// has the zero Meta: no key, robots.txt binds, the pace of its host.
func WithRequest(ctx context.Context, m Meta) context.Context {
	return context.WithValue(ctx, metaKey{}, m)
}

func metaOf(ctx context.Context) Meta {
	m, _ := ctx.Value(metaKey{}).(Meta)
	return m
}
