package crawlers

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/internal/words"
	"github.com/refrain-archive/refrain/post"
)

// classifyHead is how much of a body Classify looks at. The pages that it knows
// say what they are within a few kilobytes; the largest seen is 190 kB of style
// sheet before the words, which its status tells anyway.
const classifyHead = 256 << 10

// Classify tells what is the same on every platform: walls, challenges, consent
// pages, login redirects, rate limits, and, where the content tells nothing, the
// meaning of the status. It gives the outcome and the words that it rests on, or
// "" where the exchange may be an ordinary answer (also for a redirect that is
// not to a wall).
//
// A collector looks for its platform's own words first, where it knows any for
// the status at hand (a 403 that says "private", a 404 that names the reason),
// and calls Classify for the rest:
//
//	if outcome, reason := crawlers.Classify(ex); outcome != "" {
//		return crawlers.Page{Outcome: outcome, Reason: reason}, nil
//	}
//
// Classify reads no more than 256 kB of the body and never changes ex.
func Classify(ex Exchange) (post.Outcome, string) {
	if outcome, reason := classifyHeader(ex); outcome != "" {
		return outcome, reason
	}
	if ex.Status >= 300 && ex.Status < 400 {
		if location := ex.Header.Get("Location"); location != "" {
			return ClassifyRedirect(ex.URL, location)
		}
		return post.ServerError, fmt.Sprintf("status %d without a Location", ex.Status)
	}
	if LooksHTML(ex) {
		if outcome, reason := classifyHTML(ex); outcome != "" {
			return outcome, reason
		}
	}
	return classifyStatus(ex)
}

// ClassifyJSON is Classify for a route that answers in JSON: a body that does
// not start like a JSON object or array is unexpected_type. A prefix against
// script inclusion (`)]}'` and the like) must be cut off before.
func ClassifyJSON(ex Exchange) (post.Outcome, string) {
	if outcome, reason := Classify(ex); outcome != "" {
		return outcome, reason
	}
	if ex.Status >= 300 && ex.Status < 400 {
		return "", ""
	}
	body := trimBOM(ex.Body)
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		return "", ""
	}
	return post.UnexpectedType, "JSON was due, the answer is " + describe(ex)
}

// ClassifyXML is Classify for a route that answers in XML (a feed): a body that
// is HTML, or does not start with "<", is unexpected_type.
func ClassifyXML(ex Exchange) (post.Outcome, string) {
	if outcome, reason := Classify(ex); outcome != "" {
		return outcome, reason
	}
	if ex.Status >= 300 && ex.Status < 400 {
		return "", ""
	}
	body := trimBOM(ex.Body)
	// UTF-16 has a zero beside its "<".
	start := bytes.HasPrefix(body, []byte("<")) || bytes.HasPrefix(body, []byte("\x00<")) ||
		bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff"))
	if start && !startsHTML(body) {
		return "", ""
	}
	return post.UnexpectedType, "XML was due, the answer is " + describe(ex)
}

// ClassifyRedirect tells a redirect to a known wall: login, consent, captcha.
// It gives "" for every other redirect. location may be relative to from. A
// redirect from one login address to another is not a wall: the login page
// itself was asked for.
func ClassifyRedirect(from, location string) (post.Outcome, string) {
	base, err := url.Parse(from)
	if err != nil {
		return "", ""
	}
	to, err := base.Parse(strings.TrimSpace(location))
	if err != nil {
		return "", ""
	}
	reason := "redirect to " + to.Redacted()
	host, path := strings.ToLower(to.Hostname()), strings.ToLower(to.Path)
	switch {
	case strings.HasPrefix(host, "consent.") || strings.Contains(path, "/privacy/consent") || strings.HasPrefix(path, "/cookie/consent"):
		return post.ConsentWall, reason
	case strings.HasSuffix(host, "google.com") && strings.HasPrefix(path, "/sorry"):
		return post.RateLimited, reason
	case strings.HasSuffix(host, "captcha-delivery.com") || pathHas(path, "captcha"):
		return post.BotCheck, reason
	case pathHas(path, "challenge", "checkpoint"):
		return post.Challenge, reason
	}
	if isLogin(host, path) && !isLogin(strings.ToLower(base.Hostname()), strings.ToLower(base.Path)) {
		return post.LoginWall, reason
	}
	return "", ""
}

// isLogin reports whether an address is a login form by its words.
func isLogin(host, path string) bool {
	if strings.HasPrefix(host, "login.") || strings.HasPrefix(host, "signin.") || strings.HasPrefix(host, "accounts.google.") {
		return true
	}
	return pathHas(path, "login", "login.php", "login.bml", "log-in", "log_in", "signin", "sign-in", "sign_in", "logon", "servicelogin", "wp-login.php")
}

// pathHas reports whether one of the path's segments is one of words.
func pathHas(path string, words ...string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		for _, w := range words {
			if segment == w {
				return true
			}
		}
	}
	return false
}

// classifyHeader reads the headers by which protection services mark their own
// answers.
func classifyHeader(ex Exchange) (post.Outcome, string) {
	if ex.Header == nil {
		return "", ""
	}
	if v := ex.Header.Get("Cf-Mitigated"); strings.EqualFold(v, "challenge") {
		return post.Challenge, "cf-mitigated: " + v
	}
	switch v := ex.Header.Get("X-Amzn-Waf-Action"); strings.ToLower(v) {
	case "challenge":
		return post.Challenge, "x-amzn-waf-action: " + v
	case "captcha":
		return post.BotCheck, "x-amzn-waf-action: " + v
	}
	if ex.Status == 403 && ex.Header.Get("X-Datadome") != "" {
		return post.BotCheck, "x-datadome on status 403"
	}
	return "", ""
}

// A sign is words that stand on a wall and, all together, on nothing else.
type sign struct {
	title   string   // the page's title holds this, in lower case; empty is any
	all     []string // and the page holds all of these, byte for byte
	refused bool     // only on a status of 400 and above
	outcome post.Outcome
	reason  string
}

// signs gives the walls that any site may put up, most telling first. Cloudflare
// adds scripts from /cdn-cgi/challenge-platform/ to ordinary pages too, and a
// comment form may carry a captcha: neither is a sign by itself.
func signs() []sign {
	return []sign{
		{all: []string{"_cf_chl_opt"}, outcome: post.Challenge, reason: "Cloudflare challenge page"},
		{title: "just a moment", all: []string{"challenge"}, outcome: post.Challenge, reason: "Just a moment..."},
		{title: "just a moment", refused: true, outcome: post.Challenge, reason: "Just a moment..."},
		{title: "attention required! | cloudflare", all: []string{"cf-captcha"}, outcome: post.BotCheck, reason: "Attention Required! | Cloudflare, with a captcha"},
		{title: "attention required! | cloudflare", outcome: post.Blocked, reason: "Attention Required! | Cloudflare"},
		{all: []string{"Sorry, you have been blocked"}, refused: true, outcome: post.Blocked, reason: "Sorry, you have been blocked"},
		{title: "access denied", all: []string{"cf-error-details"}, refused: true, outcome: post.Blocked, reason: "Access denied (Cloudflare)"},
		{title: "ddos-guard", refused: true, outcome: post.Challenge, reason: "DDoS-Guard"},
		{all: []string{"Checking your browser before accessing"}, refused: true, outcome: post.Challenge, reason: "Checking your browser before accessing"},
		{all: []string{"captcha-delivery.com"}, refused: true, outcome: post.BotCheck, reason: "DataDome captcha"},
		{all: []string{"px-captcha"}, refused: true, outcome: post.BotCheck, reason: "px-captcha"},
		{title: "pardon our interruption", outcome: post.BotCheck, reason: "Pardon Our Interruption"},
		{all: []string{"Incapsula incident ID"}, outcome: post.BotCheck, reason: "Incapsula incident"},
		{title: "access denied", all: []string{"Reference&#32;&#35;"}, outcome: post.Blocked, reason: "Access Denied (Akamai)"},
		{title: "are you a robot", outcome: post.BotCheck, reason: "Are you a robot?"},
		{title: "robot or human", outcome: post.BotCheck, reason: "Robot or human?"},
		{title: "security verification", all: []string{"captcha"}, outcome: post.BotCheck, reason: "security verification with a captcha"},
		{all: []string{`action="https://consent.youtube.com/`}, outcome: post.ConsentWall, reason: "consent form"},
		{all: []string{`action="https://consent.google.com/`}, outcome: post.ConsentWall, reason: "consent form"},
		{all: []string{`action="/das_captcha`}, outcome: post.RateLimited, reason: "captcha form /das_captcha"},
		{all: []string{"Our systems have detected unusual traffic"}, outcome: post.RateLimited, reason: "unusual traffic"},
		{all: []string{"blocked by network security"}, refused: true, outcome: post.Blocked, reason: "blocked by network security"},
		{all: []string{"blocked due to a network policy"}, refused: true, outcome: post.Blocked, reason: "blocked due to a network policy"},
		{all: []string{"g-recaptcha"}, refused: true, outcome: post.BotCheck, reason: "captcha form"},
		{all: []string{"h-captcha"}, refused: true, outcome: post.BotCheck, reason: "captcha form"},
	}
}

// always are the words of the signs that any page is searched for, whatever its
// title and status.
var always = func() *words.Set {
	var list []string
	for _, s := range signs() {
		if s.title == "" && !s.refused {
			list = append(list, s.all...)
		}
	}
	return words.New(list...)
}()

func classifyHTML(ex Exchange) (post.Outcome, string) {
	head := ex.Body
	if len(head) > classifyHead {
		head = head[:classifyHead]
	}
	title := Title(head)
	lower := strings.ToLower(title)
	refused := ex.Status >= 400
	common := always.In(head)
next:
	for _, s := range signs() {
		if s.refused && !refused || s.title != "" && !strings.Contains(lower, s.title) {
			continue
		}
		for _, w := range s.all {
			if s.title == "" && !s.refused && !common.Has(w) || !bytes.Contains(head, []byte(w)) {
				continue next
			}
		}
		return s.outcome, s.reason
	}
	for _, prefix := range []string{"log in", "login", "sign in", "log into"} {
		if !strings.HasPrefix(lower, prefix) || !bytes.Contains(head, []byte(`type="password"`)) {
			continue
		}
		if u, err := url.Parse(ex.URL); err == nil && !isLogin(strings.ToLower(u.Hostname()), strings.ToLower(u.Path)) {
			return post.LoginWall, "login form titled " + title
		}
	}
	return "", ""
}

// classifyStatus is the last word, for an answer whose content says nothing that
// is known.
func classifyStatus(ex Exchange) (post.Outcome, string) {
	s := ex.Status
	reason := fmt.Sprintf("status %d", s)
	if said := FirstWords(ex); said != "" {
		reason += ": " + said
	}
	switch {
	case s == 0, s >= 200 && s < 300:
		if len(bytes.TrimSpace(ex.Body)) == 0 {
			if ex.Truncated {
				return post.CutBody, "the body was cut before its first byte"
			}
			return post.LayoutChanged, "the answer is empty"
		}
		return "", ""
	case s == 401:
		if LooksHTML(ex) {
			return post.LoginWall, reason
		}
		return post.NeedsKey, reason
	case s == 402:
		return post.MembersOnly, reason
	case s == 403, s == 999:
		return post.Blocked, reason
	case s == 404, s == 410:
		return post.NotFound, reason
	case s == 407:
		return post.ConnectError, reason + " from the proxy"
	case s == 408:
		return post.Timeout, reason
	case s == 429, s == 420:
		return post.RateLimited, reason
	case s == 451:
		return post.Withheld, reason
	case s == 421, s == 425, s >= 500, s < 200:
		return post.ServerError, reason
	}
	return post.UnexpectedType, reason
}

// LooksHTML reports whether the answer is HTML, by its first bytes or, where
// they do not tell, by its Content-Type.
func LooksHTML(ex Exchange) bool {
	body := trimBOM(ex.Body)
	if startsHTML(body) {
		return true
	}
	if bytes.HasPrefix(body, []byte("<?xml")) || bytes.HasPrefix(body, []byte("{")) || bytes.HasPrefix(body, []byte("[")) {
		return false
	}
	return strings.Contains(strings.ToLower(ex.Header.Get("Content-Type")), "html") && bytes.Contains(body[:min(len(body), 4096)], []byte("<"))
}

// startsHTML reports whether body starts as only HTML does. XHTML behind an XML
// declaration counts, by its root element or document type.
func startsHTML(body []byte) bool {
	if bytes.HasPrefix(body, []byte("<?xml")) {
		if end := bytes.Index(body[:min(len(body), 512)], []byte("?>")); end > 0 {
			body = bytes.TrimLeft(body[end+2:], " \t\r\n")
		}
	}
	start := bytes.ToLower(body[:min(len(body), 64)])
	for bytes.HasPrefix(start, []byte("<!--")) {
		end := bytes.Index(body[:min(len(body), 4096)], []byte("-->"))
		if end < 0 {
			return false
		}
		body = bytes.TrimLeft(body[end+3:], " \t\r\n")
		start = bytes.ToLower(body[:min(len(body), 64)])
	}
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if bytes.HasPrefix(start, []byte(tag)) {
			return true
		}
	}
	return false
}

// Title gives the text of the first title element within head, with white space
// made plain. Character references stay as they are.
func Title(head []byte) string {
	rest := head
	for {
		i := bytes.IndexByte(rest, '<')
		if i < 0 || len(rest) < i+7 {
			return ""
		}
		rest = rest[i+1:]
		if bytes.EqualFold(rest[:5], []byte("title")) && (rest[5] == '>' || rest[5] == ' ') {
			break
		}
	}
	open := bytes.IndexByte(rest, '>')
	if open < 0 {
		return ""
	}
	rest = rest[open+1:]
	rest = rest[:min(len(rest), 1024)]
	if end := bytes.IndexByte(rest, '<'); end >= 0 {
		rest = rest[:end]
	}
	return strings.ToValidUTF8(strings.Join(strings.Fields(string(rest)), " "), "\uFFFD")
}

// FirstWords is what an answer says for itself, for Page.Reason: the title of a
// page, or the first 120 bytes of any other text, on one line. It is "" for
// binary and empty bodies.
func FirstWords(ex Exchange) string {
	head := ex.Body[:min(len(ex.Body), classifyHead)]
	if LooksHTML(ex) {
		title := Title(head)
		return strings.ToValidUTF8(title[:min(len(title), 120)], "")
	}
	head = trimBOM(head)
	head = head[:min(len(head), 120)]
	for _, c := range head {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return ""
		}
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(head), "")), " ")
}

// describe names an answer of the wrong type.
func describe(ex Exchange) string {
	what := "text"
	switch {
	case len(bytes.TrimSpace(ex.Body)) == 0:
		what = "empty"
	case LooksHTML(ex):
		what = "HTML"
	case FirstWords(ex) == "":
		what = "binary"
	}
	if said := FirstWords(ex); said != "" {
		what += fmt.Sprintf(" %q", said)
	}
	return what
}

func trimBOM(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
}
