// Package fetchctx carries what the layers of one fetch tell each other: the
// robots verdict and pace that must stand in the fetch's metadata record, the
// secrets that must not be stored, and the capture that came of it. It rides on
// the request's context, so that the layers (driver, keys, politeness, recorder)
// need not import each other.
package fetchctx

import (
	"context"
	"sync"

	"github.com/refrain-archive/refrain/post"
)

// Field is one line of the fetch's metadata record (application/warc-fields).
type Field struct{ Name, Value string }

// A Fetch is one request and what the layers say of it. Its methods are safe
// for concurrent use and work on a nil Fetch, on which they do nothing.
type Fetch struct {
	mu      sync.Mutex
	fields  []Field
	secrets []string
	result  Result
}

// Result is what the recorder made of the fetch.
type Result struct {
	Capture   post.Capture // zero until recorded
	Truncated string       // "", or why the body is cut: length, time, disconnect (WARC-Truncated)
	WireSize  int64        // bytes of the response on the wire
	Err       error        // the recorder could not keep it: nothing of the exchange may be believed
}

type key struct{}

// New starts a Fetch on ctx.
func New(ctx context.Context) (context.Context, *Fetch) {
	f := &Fetch{}
	return context.WithValue(ctx, key{}, f), f
}

// From gives the Fetch of ctx, nil if there is none.
func From(ctx context.Context) *Fetch {
	f, _ := ctx.Value(key{}).(*Fetch)
	return f
}

// Add appends a field to the metadata record.
func (f *Fetch) Add(name, value string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fields = append(f.fields, Field{name, value})
}

// Set replaces the value of a field, or appends it.
func (f *Fetch) Set(name, value string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.fields {
		if f.fields[i].Name == name {
			f.fields[i].Value = value
			return
		}
	}
	f.fields = append(f.fields, Field{name, value})
}

// Fields gives a copy of the fields so far.
func (f *Fetch) Fields() []Field {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Field(nil), f.fields...)
}

// AddSecret names bytes that the recorder must not store.
func (f *Fetch) AddSecret(secret string) {
	if f == nil || secret == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets = append(f.secrets, secret)
}

// Secrets gives a copy of the secrets so far.
func (f *Fetch) Secrets() []string {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.secrets...)
}

// SetResult is called by the recorder when the exchange is recorded.
func (f *Fetch) SetResult(r Result) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.result = r
}

// Result is complete once the response's body was read to its end or closed.
func (f *Fetch) Result() Result {
	if f == nil {
		return Result{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.result
}

type urlKey struct{}

// WithURL says which bytes must stand in the request line: the exact URL that
// was asked for. The driver's HTTP client parses and rewrites URLs ("/a/../b",
// "'"), which breaks signed links; the layer that writes the request takes the
// target from here.
func WithURL(ctx context.Context, exact string) context.Context {
	return context.WithValue(ctx, urlKey{}, exact)
}

// URL gives the exact URL of WithURL, "" if there is none.
func URL(ctx context.Context) string {
	exact, _ := ctx.Value(urlKey{}).(string)
	return exact
}

type unrecordedKey struct{}

// Unrecorded marks a request that must leave no trace in the archive: one to a
// token endpoint, whose body is a secret in both directions. The recorder sends
// it and keeps nothing of it.
func Unrecorded(ctx context.Context) context.Context {
	return context.WithValue(ctx, unrecordedKey{}, true)
}

// IsUnrecorded reports whether ctx bears the mark of Unrecorded.
func IsUnrecorded(ctx context.Context) bool {
	marked, _ := ctx.Value(unrecordedKey{}).(bool)
	return marked
}
