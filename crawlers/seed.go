package crawlers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// A Seed is what a researcher gives: the address of an account, channel, blog,
// tag, post, page or feed.
type Seed struct {
	Text string   // as given
	URL  *url.URL // absolute, http or https
}

// ParseSeed reads one seed as people write and paste it: with or without
// scheme, within white space, angle brackets or quotes; "PLATFORM:@HANDLE" for
// the platforms whose accounts have one address form, "r/NAME" and "u/NAME" for
// Reddit, and "@NAME@HOST" for Mastodon. The error names what is wrong and what
// to write instead.
func ParseSeed(text string) (Seed, error) {
	s := strings.Trim(strings.TrimSpace(text), "\ufeff\u200b")
	for _, pair := range []string{"<>", `""`, "''", "“”", "()"} {
		r := []rune(pair)
		if t, ok := strings.CutPrefix(s, string(r[0])); ok {
			if t, ok := strings.CutSuffix(t, string(r[1])); ok {
				s = strings.TrimSpace(t)
			}
		}
	}
	if s == "" {
		return Seed{}, errors.New("the seed is empty: give the address of an account, post, page or feed")
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
		return Seed{}, fmt.Errorf("seed %q: an address holds no white space or control characters (byte %d)", s, i)
	}
	address, err := expandHandle(s)
	if err != nil {
		return Seed{}, err
	}
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		switch strings.ToLower(scheme) {
		case "http", "https":
		case "feed": // feed://host/path, as some readers write it
			address = "https://" + rest
		default:
			return Seed{}, fmt.Errorf("seed %q: only http and https addresses can be collected, not %s", s, scheme)
		}
	} else if rest, ok := strings.CutPrefix(address, "//"); ok {
		address = "https://" + rest
	} else {
		if scheme, rest, ok := strings.Cut(address, ":"); ok && !strings.ContainsAny(scheme, "./") && !isPort(rest) {
			return Seed{}, fmt.Errorf("seed %q: only http and https addresses can be collected, not %s", s, scheme)
		}
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err
		}
		return Seed{}, fmt.Errorf("seed %q: not an address: %w", s, err)
	}
	if u.User != nil {
		return Seed{}, fmt.Errorf("seed %s: leave out the user name and password", u.Redacted())
	}
	if err := normalizeHost(u); err != nil {
		return Seed{}, fmt.Errorf("seed %q: %w", s, err)
	}
	return Seed{Text: s, URL: u}, nil
}

// isPort reports whether rest, after a colon, starts with a port number.
func isPort(rest string) bool {
	port, _, _ := strings.Cut(rest, "/")
	return port != "" && strings.Trim(port, "0123456789") == ""
}

func normalizeHost(u *url.URL) error {
	host, port := u.Hostname(), u.Port()
	if host == "" {
		return errors.New("the address names no host")
	}
	if ip := net.ParseIP(host); ip == nil {
		ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
		if err != nil {
			// Names with an underscore exist and resolve; idna refuses them.
			ascii = strings.ToLower(strings.TrimSuffix(host, "."))
			if strings.Trim(ascii, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
				return fmt.Errorf("%q is not a host name", host)
			}
		}
		if !strings.Contains(ascii, ".") && ascii != "localhost" {
			return fmt.Errorf("%q is not a host name: write the whole address, like https://example.org/path", host)
		}
		if slices.Contains(strings.Split(ascii, "."), "") {
			return fmt.Errorf("%q is not a host name: it has an empty part", host)
		}
		host = ascii
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		u.Host = host
		return nil
	}
	u.Host = host + ":" + port
	return nil
}

// expandHandle turns the short ways to name an account into its address.
func expandHandle(s string) (string, error) {
	lower := strings.ToLower(s)
	for _, prefix := range []string{"r/", "/r/"} {
		if name, ok := cutFold(s, lower, prefix); ok && isName(name) {
			return "https://www.reddit.com/r/" + name + "/", nil
		}
	}
	for _, prefix := range []string{"u/", "/u/"} {
		if name, ok := cutFold(s, lower, prefix); ok && isName(name) {
			return "https://www.reddit.com/user/" + name + "/", nil
		}
	}
	if name, ok := strings.CutPrefix(s, "@"); ok {
		if user, host, ok := strings.Cut(name, "@"); ok && isName(user) && strings.Contains(host, ".") {
			return "https://" + host + "/@" + user, nil
		}
		return "", fmt.Errorf("seed %q: many platforms have such a handle: write its platform too, like youtube:%s, or its whole address", s, s)
	}
	platform, handle, ok := strings.Cut(s, ":@")
	if !ok || !isName(handle) {
		return s, nil
	}
	address := ""
	switch strings.ToLower(platform) {
	case "youtube":
		address = "https://www.youtube.com/@" + handle
	case "tiktok":
		address = "https://www.tiktok.com/@" + handle
	case "medium":
		address = "https://medium.com/@" + handle
	case "x", "twitter":
		address = "https://x.com/" + handle
	case "instagram":
		address = "https://www.instagram.com/" + handle + "/"
	case "facebook":
		address = "https://www.facebook.com/" + handle
	case "reddit":
		address = "https://www.reddit.com/user/" + handle + "/"
	case "tumblr":
		address = "https://" + handle + ".tumblr.com/"
	case "livejournal":
		address = "https://" + strings.ReplaceAll(handle, "_", "-") + ".livejournal.com/"
	case "pinterest":
		address = "https://www.pinterest.com/" + handle + "/"
	case "vimeo":
		address = "https://vimeo.com/" + handle
	default:
		return "", fmt.Errorf("seed %q: handles of %q are not known here: write the whole address", s, platform)
	}
	return address, nil
}

func cutFold(s, lower, prefix string) (string, bool) {
	if !strings.HasPrefix(lower, prefix) {
		return "", false
	}
	return strings.TrimSuffix(s[len(prefix):], "/"), true
}

func isName(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range s {
		if c < 0x80 && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-.+", c)) {
			return false
		}
	}
	return true
}

// ParseSeeds reads a list of seeds, one a line. Empty lines and lines that start
// with "#" are left out, as is what follows white space and "#" on a line. It
// reads all lines and joins the errors, each naming name and the line.
func ParseSeeds(name string, r io.Reader) ([]Seed, error) {
	var seeds []Seed
	var faults []error
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 64<<10)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if i := strings.Index(line, " #"); i >= 0 {
			line = strings.TrimSpace(line[:i])
		}
		if line == "" || line[0] == '#' {
			continue
		}
		s, err := ParseSeed(line)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s line %d: %w", name, n, err))
			continue
		}
		seeds = append(seeds, s)
	}
	if err := lines.Err(); err != nil {
		faults = append(faults, fmt.Errorf("%s line %d: %w", name, n+1, err))
	}
	return seeds, errors.Join(faults...)
}
