package post

// Outcome says how a fetch ended, told by the content of the answer and never
// by its status alone. Only outcomes of scope target say anything about what
// was asked for; a wall says something about us and is never counted as gone.
type Outcome string

// The item or account was served.
const (
	OK         Outcome = "ok"
	OKPartial  Outcome = "ok_partial"   // the platform withholds items or part of the text
	OKMetaOnly Outcome = "ok_meta_only" // only title, preview or head metadata
	Live       Outcome = "live"
	Upcoming   Outcome = "upcoming"
)

// The item or account is not public any more, or not at all.
const (
	Deleted         Outcome = "deleted" // by its author, on the platform's own word
	Removed         Outcome = "removed" // by the platform or a moderator
	Suspended       Outcome = "suspended"
	NotFound        Outcome = "not_found"
	Private         Outcome = "private"
	Protected       Outcome = "protected"
	MembersOnly     Outcome = "members_only"
	Password        Outcome = "password"
	AgeGated        Outcome = "age_gated"
	GeoBlocked      Outcome = "geo_blocked"
	Withheld        Outcome = "withheld" // in some countries, by legal demand
	EmbedRestricted Outcome = "embed_restricted"
	Unavailable     Outcome = "unavailable" // they do not say why
)

// The answer is about us.
const (
	LoginWall    Outcome = "login_wall"
	ConsentWall  Outcome = "consent_wall"
	BotCheck     Outcome = "bot_check"
	Challenge    Outcome = "challenge"
	RateLimited  Outcome = "rate_limited"
	Blocked      Outcome = "blocked"
	RobotsDenied Outcome = "robots_denied"
	NeedsKey     Outcome = "needs_key"
)

// The fetch itself failed.
const (
	DNSError       Outcome = "dns_error"
	TLSError       Outcome = "tls_error"
	ConnectError   Outcome = "connect_error"
	Timeout        Outcome = "timeout"
	ServerError    Outcome = "server_error"
	TooLarge       Outcome = "too_large"
	CutBody        Outcome = "cut_body"
	RedirectLoop   Outcome = "redirect_loop"
	RefusedAddress Outcome = "refused_address" // loopback, private or link-local, not named in origins
)

// Our reader could not make sense of the answer.
const (
	LayoutChanged  Outcome = "layout_changed"  // no wall, no tombstone, and none of the expected data
	UnexpectedType Outcome = "unexpected_type" // HTML where JSON was due, and the like
)

// Scope says with whom an outcome speaks about.
type Scope string

// The scopes of outcomes.
const (
	ScopeServed Scope = "served" // the item or account was served
	ScopeTarget Scope = "target" // the item or account is not public (any more)
	ScopeUs     Scope = "us"     // a wall, a limit, a rule
	ScopeFetch  Scope = "fetch"  // network or server
	ScopeReader Scope = "reader" // our reader
)

// outcomes is the one list behind Outcomes and Scope, in the order of documentation.
var outcomes = []struct {
	scope Scope
	list  []Outcome
}{
	{ScopeServed, []Outcome{OK, OKPartial, OKMetaOnly, Live, Upcoming}},
	{ScopeTarget, []Outcome{Deleted, Removed, Suspended, NotFound, Private, Protected, MembersOnly, Password, AgeGated, GeoBlocked, Withheld, EmbedRestricted, Unavailable}},
	{ScopeUs, []Outcome{LoginWall, ConsentWall, BotCheck, Challenge, RateLimited, Blocked, RobotsDenied, NeedsKey}},
	{ScopeFetch, []Outcome{DNSError, TLSError, ConnectError, Timeout, ServerError, TooLarge, CutBody, RedirectLoop, RefusedAddress}},
	{ScopeReader, []Outcome{LayoutChanged, UnexpectedType}},
}

// Outcomes are all outcomes, in the order of documentation.
func Outcomes() []Outcome {
	var all []Outcome
	for _, row := range outcomes {
		all = append(all, row.list...)
	}
	return all
}

// Scope says with whom o speaks about. It is empty for an unknown outcome.
func (o Outcome) Scope() Scope {
	for _, row := range outcomes {
		for _, known := range row.list {
			if o == known {
				return row.scope
			}
		}
	}
	return ""
}
