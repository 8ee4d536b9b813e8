package polite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/fetchctx"
)

// A Credential is what the user has for a platform.
type Credential struct {
	ID     string // client id, for crawlers.KeyClientCredentials
	Secret string // key, token or client secret
}

// String hides the credential from whoever prints it.
func (c Credential) String() string { return "(credential)" }

// GoString hides it too.
func (c Credential) GoString() string { return "(credential)" }

// MarshalText hides it from JSON and structured logs.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

const (
	tokenLife    = time.Hour        // of a token whose answer does not say
	tokenMargin  = 30 * time.Second // a token is not used so shortly before its end
	maxTokenBody = 64 << 10         // bytes of a token answer that are read
)

// A keyring is one key of one platform with what was configured for it.
type keyring struct {
	name   string
	about  crawlers.Key
	held   Credential
	absent bool
	token  *tokenSource // for client credentials
}

// newKeyrings joins the keys of the data sheets with the user's credentials. The
// keys of the map are PLATFORM/NAME.
func newKeyrings(platforms []crawlers.About, held map[string]Credential) (map[string]*keyring, error) {
	rings := map[string]*keyring{}
	for _, about := range platforms {
		for _, k := range about.Keys {
			c, ok := held[k.Name]
			ring := &keyring{name: k.Name, about: k, held: c, absent: !ok || c.Secret == ""}
			rings[about.Platform+"/"+k.Name] = ring
			if ring.absent {
				continue
			}
			if hasControl(c.ID) || hasControl(c.Secret) {
				return nil, fmt.Errorf("polite: keys.%s holds a line break or control character: look whether it was copied whole", k.Name)
			}
			switch k.Scheme {
			case crawlers.KeyBearer:
			case crawlers.KeyHeader, crawlers.KeyQuery:
				if k.Param == "" {
					return nil, fmt.Errorf("polite: data sheet of %s: key %s has scheme %s but no Param", about.Platform, k.Name, k.Scheme)
				}
			case crawlers.KeyClientCredentials:
				if c.ID == "" {
					return nil, fmt.Errorf("polite: keys.%s has a secret but no id: set keys.%s.id (%s)", k.Name, k.Name, k.Help)
				}
				u, err := url.Parse(k.TokenURL)
				if err != nil || u.Host == "" || plaintext(u) {
					return nil, fmt.Errorf("polite: data sheet of %s: TokenURL %q of key %s is not an https address", about.Platform, k.TokenURL, k.Name)
				}
				ring.token = &tokenSource{url: u, lock: make(chan struct{}, 1)}
			default:
				return nil, fmt.Errorf("polite: data sheet of %s: key %s has the unknown scheme %q", about.Platform, k.Name, k.Scheme)
			}
		}
	}
	return rings, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// plaintext reports whether what is sent to u can be read on the way.
func plaintext(u *url.URL) bool {
	if u.Scheme == "https" {
		return false
	}
	host := hostname(u)
	ip := net.ParseIP(host)
	return !(u.Scheme == "http" && (host == "localhost" || ip != nil && ip.IsLoopback()))
}

// ring finds the key that a request wants: of its platform, or of any other.
func (t *Transport) ring(m Meta) *keyring {
	if r := t.keys[m.Platform+"/"+m.Key]; r != nil {
		return r
	}
	var names []string
	for name, r := range t.keys {
		if r.name == m.Key {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return t.keys[slices.Min(names)]
}

// addKey puts the key that meta names into req and tells the recorder what to
// hide. It gives nil where none is wanted, and where req goes to a host that the
// key is not for (a redirect led there): such a request goes without it.
func (t *Transport) addKey(req *http.Request, meta Meta, fetch *fetchctx.Fetch) (*keyring, error) {
	if meta.Key == "" {
		return nil, nil
	}
	fail := func(help, reason string) error {
		return &KeyError{Name: meta.Key, URL: displayURL(req), Help: help, Reason: reason}
	}
	ring := t.ring(meta)
	if ring == nil {
		return nil, fail("", "is in no platform's data sheet")
	}
	if ring.absent {
		return nil, fail(ring.about.Help, "is not configured: set keys."+ring.name)
	}
	name := hostname(req.URL)
	if !slices.ContainsFunc(ring.about.Hosts, func(pattern string) bool { return matchHost(pattern, name) }) {
		fetch.Set("key", fmt.Sprintf("none (%s is not for %s)", ring.name, name))
		return nil, nil
	}
	if plaintext(req.URL) {
		return nil, fail("", "is not sent over plain http")
	}
	secret := ring.held.Secret
	if ring.token != nil {
		token, err := t.token(req.Context(), ring, meta)
		if err != nil {
			return nil, t.tokenError(err, ring, req)
		}
		hide(fetch, secret)
		secret = token
	}
	hide(fetch, secret)
	fetch.Set("key", ring.name)
	ring.put(req, secret)
	return ring, nil
}

// put adds the secret to req.
func (k *keyring) put(req *http.Request, secret string) {
	switch k.about.Scheme {
	case crawlers.KeyBearer, crawlers.KeyClientCredentials:
		req.Header.Set("Authorization", "Bearer "+secret)
	case crawlers.KeyHeader:
		req.Header.Set(k.about.Param, secret)
	case crawlers.KeyQuery:
		u := *req.URL
		u.RawQuery = withParam(u.RawQuery, k.about.Param, secret)
		req.URL = &u
		if exact := fetchctx.URL(req.Context()); exact != "" {
			exact, fragment, _ := strings.Cut(exact, "#")
			if fragment != "" {
				fragment = "#" + fragment
			}
			path, query, _ := strings.Cut(exact, "?")
			exact = path + "?" + withParam(query, k.about.Param, secret) + fragment
			*req = *req.WithContext(fetchctx.WithURL(req.Context(), exact))
		}
	}
}

// withParam sets one parameter of a raw query and leaves the others as they are.
func withParam(query, name, value string) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(key); part != "" && (err != nil || plain != name) {
			kept = append(kept, part)
		}
	}
	return strings.Join(append(kept, url.QueryEscape(name)+"="+url.QueryEscape(value)), "&")
}

// hide names a secret to the recorder in the spellings that it may be sent or
// repeated in.
func hide(fetch *fetchctx.Fetch, secret string) {
	fetch.AddSecret(secret)
	for _, s := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		if s != secret {
			fetch.AddSecret(s)
		}
	}
}

// A tokenSource holds the bearer token that client credentials were exchanged
// for.
type tokenSource struct {
	url  *url.URL
	lock chan struct{} // holds one element while somebody uses the fields below

	value string
	until time.Time // of value
}

func (s *tokenSource) acquire(ctx context.Context) error {
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *tokenSource) release() { <-s.lock }

// token gives a token that is good for now, asking for one if need be.
func (t *Transport) token(ctx context.Context, ring *keyring, meta Meta) (string, error) {
	s := ring.token
	if err := s.acquire(ctx); err != nil {
		return "", err
	}
	defer s.release()
	if s.value != "" && t.now().Before(s.until) {
		return s.value, nil
	}
	value, life, err := t.askToken(ctx, ring, meta)
	if err != nil {
		return "", err
	}
	s.value, s.until = value, t.now().Add(life-min(tokenMargin, life/10))
	return s.value, nil
}

// askToken does the client credentials grant (RFC 6749 section 4.4). Parameters
// in the query of the token URL are sent in the form, beside grant_type.
func (t *Transport) askToken(ctx context.Context, ring *keyring, meta Meta) (token string, life time.Duration, err error) {
	ctx, fetch := fetchctx.New(fetchctx.Unrecorded(bare{ctx}))
	hide(fetch, ring.held.Secret)
	u := *ring.token.url
	form := u.Query()
	form.Set("grant_type", "client_credentials")
	// A platform that does not take HTTP Basic names the parameter of the client's
	// id (RFC 6749 section 2.3.1, last part).
	inForm := ring.about.Param != ""
	if inForm {
		form.Set(ring.about.Param, ring.held.ID)
		form.Set("client_secret", ring.held.Secret)
	}
	u.RawQuery = ""
	ctx = fetchctx.WithURL(ctx, u.String())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	t.dress(req.Header)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if !inForm {
		req.SetBasicAuth(url.QueryEscape(ring.held.ID), url.QueryEscape(ring.held.Secret))
		hide(fetch, strings.TrimPrefix(req.Header.Get("Authorization"), "Basic "))
	}

	p := pool{name: hostname(&u) + " (token)", every: DefaultEvery, why: "default"}
	if d, ok := t.configured(hostname(&u)); ok {
		p.every, p.why = d, "configured"
	}
	resp, err := t.exchange(req, Meta{Platform: meta.Platform}, p, fetch)
	if err != nil {
		return "", 0, redact(err, fetch)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenBody))
	if err != nil {
		return "", 0, redact(err, fetch)
	}
	var answer struct {
		Token   string      `json:"access_token"`
		Type    string      `json:"token_type"`
		Expires json.Number `json:"expires_in"`
		Error   any         `json:"error"` // a word (RFC 6749 section 5.2); a number from Reddit
	}
	jsonErr := json.Unmarshal(body, &answer)
	if resp.StatusCode == http.StatusTooManyRequests {
		return "", 0, &Wait{Host: u.Hostname(), Until: t.opening(p), Reason: "token request: status 429"}
	}
	word := ""
	if answer.Error != nil && jsonErr == nil {
		word = " (" + shown(fmt.Sprint(answer.Error)) + ")"
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, redact(fmt.Errorf("status %d%s: check keys.%s.id and keys.%s.secret", resp.StatusCode, word, ring.name, ring.name), fetch)
	}
	switch {
	case jsonErr != nil:
		return "", 0, errors.New("the answer is not a JSON object")
	case answer.Token == "":
		return "", 0, redact(fmt.Errorf("the answer has no access_token%s: check keys.%s.id and keys.%s.secret", word, ring.name, ring.name), fetch)
	case hasControl(answer.Token):
		return "", 0, errors.New("the access_token holds control characters")
	case answer.Type != "" && !strings.EqualFold(answer.Type, "bearer"):
		return "", 0, fmt.Errorf("token_type %q is not bearer", clip(answer.Type, 20))
	}
	life = tokenLife
	if seconds, err := answer.Expires.Float64(); err == nil && seconds > 0 {
		life = time.Duration(min(seconds, 30*24*3600) * float64(time.Second))
	}
	return answer.Token, life, nil
}

// opening is when a pool may be asked again.
func (t *Transport) opening(p pool) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.host(p).next()
}

// tokenError makes a failed token request the error of the request that wanted
// the token. A wait and the end of a context stay what they are.
func (t *Transport) tokenError(err error, ring *keyring, req *http.Request) error {
	var wait *Wait
	if errors.As(err, &wait) || req.Context().Err() != nil {
		return err
	}
	return &KeyError{Name: ring.name, URL: displayURL(req), Help: ring.about.Help, Reason: "gave no token: request to " + ring.token.url.Host, Err: err}
}

// refresh is called when the answer to a request with a token is 401: the token
// may have been withdrawn before its time. It asks for a new one, once, and sends
// the request again.
func (t *Transport) refresh(sent *http.Request, resp *http.Response, ring *keyring, meta Meta, fetch *fetchctx.Fetch) (*http.Response, error) {
	ctx := sent.Context()
	if err := ring.token.acquire(ctx); err != nil {
		resp.Body.Close()
		return nil, err
	}
	if sent.Header.Get("Authorization") == "Bearer "+ring.token.value {
		ring.token.value = ""
	}
	ring.token.release()
	if err := drain(sent, resp, fetch); err != nil {
		return nil, err
	}
	token, err := t.token(ctx, ring, meta)
	if err != nil {
		return nil, t.tokenError(err, ring, sent)
	}
	hide(fetch, token)
	again, err := nextAttempt(sent, 2)
	if err != nil {
		return nil, err
	}
	ring.put(again, token)
	fetch.Set("attempt", "2 (status 401 before, with another token)")
	return t.exchange(again, meta, t.pool(again.URL), fetch)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
