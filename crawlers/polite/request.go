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

// bare gives ctx its end but none of its values: what the driver said of a page
// (its exact URL, its Fetch) does not hold for the request for robots.txt or a
// token that has to come before it.
type bare struct{ context.Context }

func (bare) Value(any) any { return nil }

func metaOf(ctx context.Context) Meta {
	m, _ := ctx.Value(metaKey{}).(Meta)
	return m
}
