package traces

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// emails takes mail addresses.
func (l *list) emails(text string) {
	for at := 0; !l.full(); {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			break
		}
		at += i
		from := at
		for from > 0 && at-from < 64 && localPart(text[from-1]) {
			from--
		}
		before, _ := utf8.DecodeLastRuneInString(text[:from])
		from += len(text[from:at]) - len(strings.TrimLeft(text[from:at], ".'-+"))
		end := at + 1
		for end < len(text) && end-at <= 254 {
			r, size := utf8.DecodeRuneInString(text[end:])
			if !(r == '.' || r == '-' || r < utf8.RuneSelf && (letter(byte(r)) || digit(byte(r))) || r >= 0xa1 && r < 0x2e80 && unicode.IsLetter(r)) {
				break
			}
			end += size
		}
		domain := strings.TrimRight(text[at+1:end], ".-")
		next := byte(0)
		if end < len(text) {
			next = text[end]
		}
		// "@name@host" is a handle, "//user@host" and "host/@name" parts of addresses.
		if from < at && text[at-1] != '.' && !strings.ContainsRune("@/", before) && next != '@' && !(next == '/' && domain == text[at+1:end]) {
			l.email(text[from:at], domain)
		}
		at++
	}
	l.spelledEmails(text)
}

func localPart(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("._%+-'", c) >= 0
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// email adds a mail address, if its domain can be one.
func (l *list) email(local, domain string) {
	host, err := idna.Lookup.ToASCII(strings.ToLower(domain))
	if err != nil || !strings.Contains(host, ".") {
		return
	}
	top := host[strings.LastIndexByte(host, '.')+1:]
	if len(top) < 2 || digit(top[0]) || fileEnding(top) {
		return
	}
	l.add(Email, strings.ToLower(local)+"@"+host)
}

// fileEnding reports whether the last label of a "domain" is that of a file:
// logo@2x.png is no mail address.
func fileEnding(s string) bool {
	switch s {
	case "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "ico", "css", "js", "mjs", "json", "html", "htm", "php", "mp4", "webm", "mp3", "pdf", "woff", "woff2", "ttf":
		return true
	}
	return false
}

// spelledEmails takes mail addresses whose signs are written as words in
// brackets: "desk [at] news [dot] example".
func (l *list) spelledEmails(text string) {
	for _, brackets := range []string{"[]", "()", "{}"} {
		sign := string(brackets[0]) + "at" + string(brackets[1])
		for at := 0; at < len(text) && !l.full(); {
			i := indexFold(text[at:], sign)
			if i < 0 {
				break
			}
			at += i
			before := strings.TrimRight(text[max(0, at-80):at], " ")
			from := len(before)
			for from > 0 && localPart(before[from-1]) {
				from--
			}
			after := text[at+len(sign) : min(len(text), at+len(sign)+200)]
			for _, dot := range []string{"[dot]", "(dot)", "{dot}"} {
				for n := 0; n < 4; n++ {
					k := indexFold(after, dot)
					if k < 0 {
						break
					}
					after = strings.TrimRight(after[:k], " ") + "." + strings.TrimLeft(after[k+len(dot):], " ")
				}
			}
			after = strings.TrimLeft(after, " ")
			end := 0
			for end < len(after) && (letter(after[end]) || digit(after[end]) || after[end] == '.' || after[end] == '-') {
				end++
			}
			if local := strings.Trim(before[from:], ".'-+"); local != "" {
				l.email(local, strings.TrimRight(after[:end], ".-"))
			}
			at += len(sign)
		}
	}
}

// indexFold is strings.Index that ignores the case of ASCII; what is sought is
// in lower case and begins with a sign.
func indexFold(s, small string) int {
	for at := 0; ; {
		i := strings.IndexByte(s[at:], small[0])
		if i < 0 || at+i+len(small) > len(s) {
			return -1
		}
		at += i
		if strings.EqualFold(s[at:at+len(small)], small) {
			return at
		}
		at++
	}
}

// phones takes numbers that are written with their plus sign, in groups parted
// by one or two signs.
func (l *list) phones(text string) {
	for at := 0; !l.full(); {
		i := strings.IndexByte(text[at:], '+')
		if i < 0 {
			return
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		at++
		if at >= len(text) || at > 1 && (unicode.IsLetter(before) || unicode.IsDigit(before) || before == '+' || before == '/' || before == '=') {
			continue
		}
		number, size := phone(text[at:])
		if number != "" {
			l.add(Phone, number)
		}
		at += size
	}
}

// phone reads the digits behind a plus sign, and says how far it read.
func phone(s string) (number string, size int) {
	digits := make([]byte, 1, 16)
	digits[0] = '+'
	gap := 0
	for size < len(s) {
		r, n := utf8.DecodeRuneInString(s[size:])
		switch {
		case r >= '0' && r <= '9':
			if len(digits) == 16 {
				return "", size // too long for a number
			}
			digits = append(digits, byte(r))
			gap = 0
		case strings.ContainsRune(" -.()/\u00a0\u2009\u202f\u2010\u2011\u2012\u2013", r):
			if gap++; gap > 2 || size == 0 && r != '(' {
				return phoneOf(digits), size
			}
		default:
			if unicode.IsLetter(r) && gap == 0 {
				return "", size // +1000x, a part of a word
			}
			return phoneOf(digits), size
		}
		size += n
	}
	return phoneOf(digits), size
}

func phoneOf(digits []byte) string {
	if len(digits) < 9 || digits[1] == '0' {
		return ""
	}
	return string(digits)
}

// contact takes the contact that an address names, by the known forms of each
// service.
func (l *list) contact(u *url.URL) {
	if u == nil {
		return
	}
	switch u.Scheme {
	case "http", "https":
	case "mailto":
		if to, err := url.PathUnescape(u.Opaque); err == nil {
			for address := range strings.SplitSeq(to, ",") {
				if local, domain, ok := strings.Cut(strings.TrimSpace(address), "@"); ok && local != "" && !strings.ContainsAny(local+domain, "@ ") {
					l.email(local, domain)
				}
			}
		}
		return
	case "tel":
		if s, err := url.PathUnescape(u.Opaque); err == nil && strings.HasPrefix(s, "+") {
			number, _ := phone(s[1:])
			l.add(Phone, number)
		}
		return
	case "tg":
		if u.Host == "resolve" {
			l.telegram(u.Query().Get("domain"))
		} else if u.Host == "join" {
			l.telegram("+" + u.Query().Get("invite"))
		}
		return
	case "whatsapp":
		if u.Host == "send" {
			l.whatsapp(u.Query().Get("phone"))
		}
		return
	case "weixin":
		if name := u.RawQuery; u.Host == "dl" && u.Path == "/chat" && isName(name, "_-") {
			l.add(WeChat, strings.ToLower(name))
		}
		return
	default:
		return
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	first, second := parts[0], ""
	if len(parts) > 1 {
		second = parts[1]
	}
	switch host {
	case "t.me", "telegram.me", "telegram.dog":
		switch first {
		case "":
		case "s":
			l.telegram(second)
		case "joinchat":
			l.telegram("+" + second)
		case "c":
			if number(second, 5, 15) {
				l.add(Telegram, "c/"+second)
			}
		default:
			l.telegram(first)
		}
	case "wa.me":
		if first == "message" && isName(second, "") {
			l.add(WhatsApp, "message/"+second)
		} else {
			l.whatsapp(first)
		}
	case "api.whatsapp.com", "web.whatsapp.com":
		l.whatsapp(u.Query().Get("phone"))
	case "chat.whatsapp.com":
		if first == "invite" {
			first = second
		}
		if isName(first, "_-") && len(first) >= 10 {
			l.add(WhatsApp, "chat/"+first)
		}
	case "whatsapp.com":
		if first == "channel" && isName(second, "_-") {
			l.add(WhatsApp, "channel/"+second)
		}
	case "discord.gg", "dsc.gg":
		if host == "discord.gg" && first == "invite" {
			first = second
		}
		if host == "discord.gg" && isName(first, "-") {
			l.add(Discord, "invite/"+first)
		}
	case "discord.com", "discordapp.com":
		if first == "invite" && isName(second, "-") {
			l.add(Discord, "invite/"+second)
		} else if first == "users" && number(second, 15, 21) {
			l.add(Discord, "user/"+second)
		}
	case "u.wechat.com":
		if isName(first, "_-") {
			l.add(WeChat, "u/"+first)
		}
	case "weixin.qq.com":
		if first == "r" && isName(second, "_-") {
			l.add(WeChat, "r/"+second)
		}
	default:
		if name, ok := strings.CutSuffix(host, ".t.me"); ok {
			l.telegram(name)
		}
	}
}

// telegram adds a name, or an invitation that begins with "+".
func (l *list) telegram(name string) {
	if hash, ok := strings.CutPrefix(name, "+"); ok {
		if number(hash, 8, 15) {
			l.add(Phone, name) // t.me/+49… is a phone number
		} else if isName(hash, "_-") && len(hash) >= 10 && len(hash) <= 64 {
			l.add(Telegram, name)
		}
		return
	}
	switch name = strings.ToLower(name); name {
	case "share", "addstickers", "addemoji", "addtheme", "addlist", "proxy", "socks", "setlanguage", "login", "confirmphone", "invoice", "boost", "giftcode", "contact", "passport":
		return
	}
	if isName(name, "_") && len(name) >= 4 && len(name) <= 32 && letter(name[0]) {
		l.add(Telegram, name)
	}
}

// whatsapp adds the number of a link, which has no plus sign.
func (l *list) whatsapp(digits string) {
	digits = strings.TrimPrefix(strings.NewReplacer(" ", "", "-", "").Replace(digits), "+")
	if number(digits, 8, 15) && digits[0] != '0' {
		l.add(WhatsApp, "+"+digits)
	}
}

// isName reports whether s holds ASCII letters, digits and signs of more only,
// and is not empty.
func isName(s, more string) bool {
	for i := range len(s) {
		if !letter(s[i]) && !digit(s[i]) && strings.IndexByte(more, s[i]) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= 100
}
