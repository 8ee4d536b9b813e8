package polite

import (
	"fmt"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// Denied says that robots.txt forbids the request, or could not be read. No
// request was sent. Test for it with errors.As.
type Denied struct {
	URL         string    // that was not fetched, without user information and secrets
	Rule        string    // the line of robots.txt: "Disallow: /private"; empty if Unreachable
	Line        int       // its number, from 1
	Group       string    // the User-agent value of its group as it stands there: "*" or our token
	Robots      string    // URL of the robots.txt that was asked
	Record      string    // id of the record of that answer (post.Capture.RecordID); empty if it was not recorded
	Unreachable string    // why robots.txt could not be read ("status 503"): all is forbidden until it can be; empty otherwise
	RetryAt     time.Time // when robots.txt is asked again at the earliest
}

func (e *Denied) Error() string {
	if e.Unreachable != "" {
		return fmt.Sprintf("polite: %s: not fetched: %s could not be read (%s), which forbids everything until it can; asked again after %s",
			e.URL, e.Robots, e.Unreachable, e.RetryAt.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("polite: %s: not fetched: robots.txt forbids it by %q (%s line %d, group %q); a key for the platform's documented API, or --robots=override with a reason, would allow it",
		e.URL, e.Rule, e.Robots, e.Line, e.Group)
}

// Outcome is post.RobotsDenied.
func (e *Denied) Outcome() post.Outcome { return post.RobotsDenied }

// Wait says that the next slot of a host lies further away than Options.MaxWait
// or the deadline of the request. No request was sent; the step is to be done
// at Until. Test for it with errors.As.
type Wait struct {
	Host   string    // of the request, as in its URL
	Until  time.Time // the earliest moment at which it makes sense to ask again
	Reason string    // "pace: 1 request per 1m5s", "status 429, Retry-After: 3600"
}

func (e *Wait) Error() string {
	return fmt.Sprintf("polite: %s may be asked again at %s (%s)", e.Host, e.Until.UTC().Format(time.RFC3339), e.Reason)
}

// Outcome is post.RateLimited.
func (e *Wait) Outcome() post.Outcome { return post.RateLimited }

// KeyError says that a request's key is missing, may not be sent, or gave no
// token. It never holds the key. No request was sent to URL.
type KeyError struct {
	Name   string // of the key: keys.NAME in the configuration
	URL    string // that was asked for, without user information and secrets
	Help   string // how to get one, from the platform's data sheet; may be empty
	Reason string // "is not configured", "token request to HOST: status 401"
	Err    error  // the cause; may be nil
}

func (e *KeyError) Error() string {
	s := fmt.Sprintf("polite: %s: key %s %s", e.URL, e.Name, e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Help != "" {
		s += " (" + e.Help + ")"
	}
	return s
}

// Unwrap is the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// Outcome is post.NeedsKey.
func (e *KeyError) Outcome() post.Outcome { return post.NeedsKey }

// Refused says that Guard refused an address.
type Refused struct {
	Address string // IP:port
	Reason  string // "loopback (RFC 1122)"
}

func (e *Refused) Error() string {
	return fmt.Sprintf("polite: connection to %s refused: %s is not a public address; only a host named under origins: may be sent there", e.Address, e.Reason)
}

// Outcome is post.RefusedAddress.
func (e *Refused) Outcome() post.Outcome { return post.RefusedAddress }
