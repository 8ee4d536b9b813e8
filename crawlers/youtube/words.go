package youtube

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

type value = jsontree.Value

// text gives a text of the interface: {simpleText}, {runs[].text}, {content},
// or a plain string.
func text(v value) string {
	if v.IsString() {
		return v.String()
	}
	if s := v.Get("simpleText"); s.Exists() {
		return s.String()
	}
	if s := v.Get("content"); s.IsString() {
		return s.String()
	}
	if runs := v.Get("runs"); runs.IsArray() {
		var b strings.Builder
		for _, r := range runs.Array() {
			if emoji := r.Get("emoji"); emoji.Exists() && r.Get("text").String() == "" {
				b.WriteString(emoji.Get("emojiId").String())
				continue
			}
			b.WriteString(r.Get("text").String())
		}
		return b.String()
	}
	return v.Get("text").String()
}

// number reads the number that s begins with and gives what follows it. A
// number with a word or letter for thousands, millions and so on is rounded;
// one without is exact, whatever sign parts its groups of three digits.
func number(s string) (n int64, precision post.Precision, rest string, ok bool) {
	s = strings.TrimSpace(strings.Trim(s, "\u200e\u200f\u2068\u2069"))
	digits, marks := "", []int{} // marks: positions of separators within digits
	end := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits += string(r)
			end = i + 1
			continue
		case (r == '.' || r == ',' || r == '\'' || r == '’' || r == '\u00a0' || r == '\u202f' || r == '٬') && digits != "":
			next := strings.TrimLeft(s[i:], string(r))
			if next != "" && next[0] >= '0' && next[0] <= '9' && len(s)-i-len(string(r)) == len(next) {
				marks = append(marks, len(digits))
				continue
			}
		}
		break
	}
	if digits == "" || len(digits) > 18 {
		return 0, "", s, false
	}
	rest = s[end:]
	factor, rest := multiplier(rest)
	if factor == 1 {
		for i, m := range marks {
			after := len(digits) - m
			if i+1 < len(marks) {
				after = marks[i+1] - m
			}
			if after != 3 && !(after == 2 && len(digits)-marks[len(marks)-1] == 3) { // 12,34,567 in India
				return 0, "", s, false
			}
		}
		v, err := strconv.ParseInt(digits, 10, 64)
		return v, post.PrecisionExact, rest, err == nil
	}
	number := digits
	switch {
	case len(marks) == 1:
		number = digits[:marks[0]] + "." + digits[marks[0]:]
		if len(digits)-marks[0] == 3 { // 1,234 thousand
			number = digits
		}
	case len(marks) > 1:
		return 0, "", s, false
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*factor > 1e18 {
		return 0, "", s, false
	}
	return int64(math.Round(f * factor)), post.PrecisionRounded, rest, true
}

// multiplier reads a word or letter behind a number.
func multiplier(rest string) (float64, string) {
	trimmed := strings.TrimLeft(rest, " \u00a0\u202f")
	word := trimmed
	if i := strings.IndexFunc(trimmed, func(r rune) bool { return !unicode.IsLetter(r) && r != '.' }); i >= 0 {
		word = trimmed[:i]
	}
	behind := trimmed[len(word):]
	f := 1.0
	switch w := strings.ToLower(strings.TrimSuffix(word, ".")); w {
	case "k", "thousand", "tsd", "tys", "тыс", "тис", "mil", "mille", "mila", "rb", "bin", "tn", "ribu":
		f = 1e3
	case "m", "mn", "mln", "mio", "million", "millions", "millionen", "millones", "milhões", "milhão", "milioni", "milione", "mi", "млн", "jt", "juta", "miljoen", "milj":
		f = 1e6
	case "b", "bn", "mrd", "mld", "md", "billion", "milliard", "milliards", "milliarden", "miliardi", "млрд":
		f = 1e9
	case "lakh":
		f = 1e5
	case "crore", "cr":
		f = 1e7
	default:
		for _, s := range []struct {
			sign string
			f    float64
		}{{"万", 1e4}, {"萬", 1e4}, {"만", 1e4}, {"億", 1e8}, {"亿", 1e8}, {"억", 1e8}, {"천", 1e3}} {
			if strings.HasPrefix(trimmed, s.sign) {
				return s.f, trimmed[len(s.sign):]
			}
		}
		return 1, rest
	}
	// "5.1k" and "5,1 mil": a letter sticks to its number in English only, so a
	// word that merely starts a name does not count.
	return f, behind
}

// noun tells which count a phrase speaks of, by its words in the languages that
// the pages come in: views, viewers, likes, followers, posts (videos), comments,
// replies. It is "" for a phrase that it does not know.
func noun(phrase string) string {
	p := strings.ToLower(phrase)
	for _, row := range nouns {
		for _, w := range row.words {
			if strings.Contains(p, w) {
				return row.name
			}
		}
	}
	return ""
}

var nouns = []struct {
	name  string
	words []string
}{
	{"viewers", []string{"watching", "waiting", "viewer", "zuschauer", "spectateur", "espectador", "viendo", "spettator", "смотр", "assistindo"}},
	{"followers", []string{"subscriber", "suscriptor", "abonnent", "abonné", "inscrito", "iscritt", "abonnee", "подписчик", "チャンネル登録者", "订阅者", "訂閱", "구독자"}},
	{"views", []string{"view", "visualiz", "visualis", "aufruf", "vues", "vue", "vistas", "weergav", "просмотр", "回視聴", "次观看", "次觀看", "조회수", "visning", "wyświetle", "görüntülenme", "tayangan", "lượt xem"}},
	{"likes", []string{"like", "me gusta", "„mag ich", "mag ich", "j'aime", "j’aime", "mi piace", "gostei", "нравится", "高評価"}},
	{"comments", []string{"comment", "comentario", "kommentar", "commentaire", "comentário", "comment", "reacties", "комментари"}},
	{"posts", []string{"video", "vidéo", "vídeo", "видео", "本の動画", "episode", "lesson"}},
}

// phrase reads "26k views", "1,545,374 views", "10,226 watching now" and
// "No views". It gives false for anything that does not name what it counts.
func phrase(s string) (post.Count, bool) {
	s = strings.TrimSpace(s)
	lower := strings.ToLower(s)
	if name, ok := strings.CutPrefix(lower, "no "); ok && (name == "views" || name == "comments" || name == "subscribers" || name == "videos") {
		return post.ExactCount(noun(name), 0), true
	}
	n, precision, rest, ok := number(s)
	if !ok || rest != "" && unicode.IsLetter(firstRune(rest)) && !strings.HasPrefix(rest, "回") && !strings.HasPrefix(rest, "次") {
		return post.Count{}, false
	}
	name := noun(rest)
	if name == "" {
		return post.Count{}, false
	}
	return post.Count{Name: name, Value: n, Precision: precision, State: post.StatePresent}, true
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// count is a count by its name, of a text that is a number only ("4.9k", "").
func count(name, s string) (post.Count, bool) {
	n, precision, rest, ok := number(s)
	if !ok || strings.TrimSpace(rest) != "" {
		return post.Count{}, false
	}
	return post.Count{Name: name, Value: n, Precision: precision, State: post.StatePresent}, true
}

// exact is a count that a field states as a number.
func exact(name string, v value) (post.Count, bool) {
	n, ok := v.Int()
	if !ok || n < 0 {
		return post.Count{}, false
	}
	return post.ExactCount(name, n), true
}

// span is the least and the most time that one step of a unit takes.
type span struct{ least, most time.Duration }

const day = 24 * time.Hour

// units are the words for units of time in the languages that pages come in.
// A month is at least 28 and at most 31 days.
var units = []struct {
	span  span
	words []string
}{
	{span{time.Second, time.Second}, []string{"second", "seconds", "sekunde", "sekunden", "segundo", "segundos", "seconde", "secondes", "secondi", "secondo", "seconden", "секунду", "секунды", "секунд", "s", "秒"}},
	{span{time.Minute, time.Minute}, []string{"minute", "minutes", "minuten", "minuto", "minutos", "minuti", "minuut", "минуту", "минуты", "минут", "min", "mins", "分"}},
	{span{time.Hour, time.Hour}, []string{"hour", "hours", "stunde", "stunden", "hora", "horas", "heure", "heures", "ora", "ore", "uur", "час", "часа", "часов", "h", "hr", "hrs", "時間", "小时"}},
	{span{day, day}, []string{"day", "days", "tag", "tage", "tagen", "día", "días", "dia", "dias", "jour", "jours", "giorno", "giorni", "dag", "dagen", "день", "дня", "дней", "d", "日", "天"}},
	{span{7 * day, 7 * day}, []string{"week", "weeks", "woche", "wochen", "semana", "semanas", "semaine", "semaines", "settimana", "settimane", "weken", "неделю", "недели", "недель", "w", "wk", "週間", "周"}},
	{span{28 * day, 31 * day}, []string{"month", "months", "monat", "monate", "monaten", "mes", "meses", "mês", "mois", "mese", "mesi", "maand", "maanden", "месяц", "месяца", "месяцев", "mo", "か月", "ヶ月", "个月"}},
	{span{365 * day, 366 * day}, []string{"year", "years", "jahr", "jahre", "jahren", "año", "años", "ano", "anos", "an", "ans", "anno", "anni", "jaar", "год", "года", "лет", "y", "yr", "yrs", "年"}},
}

// relative reads "3 years ago", "vor 4 Jahren (bearbeitet)" or "Streamed 6 months
// ago", seen at now: the moment lies n to n+1 units back. Only the number and
// the word behind it count, and a word on one side that says it is past.
func relative(s string, now time.Time) (t post.Time, edited, ok bool) {
	raw := strings.TrimSpace(s)
	fields := strings.Fields(strings.ToLower(strings.NewReplacer("(", " (", "\u00a0", " ", "\u202f", " ").Replace(raw)))
	n, step := int64(-1), span{}
	past := false
	for i, f := range fields {
		switch f {
		case "ago", "vor", "hace", "há", "atrás", "fa", "geleden", "назад":
			past = true
		case "il": // il y a
			past = past || i+2 < len(fields) && fields[i+1] == "y"
		}
		if strings.HasPrefix(f, "(") {
			edited = true
			continue
		}
		v, err := strconv.ParseInt(f, 10, 64)
		if (f == "a" || f == "an") && i+1 < len(fields) { // a minute ago
			v, err = 1, nil
		}
		if err != nil || n >= 0 || i+1 >= len(fields) {
			if s, at := eastAsian(f); n < 0 && at > 0 {
				n, step, past = at, s, true
			}
			continue
		}
		for _, u := range units {
			for _, w := range u.words {
				if fields[i+1] == w {
					n, step = v, u.span
				}
			}
		}
	}
	if n < 0 || !past || n > 1_000_000 || step.most == 0 {
		return post.Time{}, false, false
	}
	if now.IsZero() {
		return post.Between(time.Time{}, time.Time{}, raw, post.SourceRelative), edited, true
	}
	to := now.Add(-time.Duration(n) * step.least)
	from := now.Add(-time.Duration(n+1) * step.most)
	if time.Duration(n+1)*step.most/time.Duration(n+1) != step.most || from.Year() < 2000 {
		return post.Time{}, false, false
	}
	return post.Between(from, to, raw, post.SourceRelative), edited, true
}

// eastAsian reads "3年前" and "2 か月前" without spaces.
func eastAsian(f string) (span, int64) {
	body, ok := strings.CutSuffix(f, "前")
	if !ok {
		return span{}, 0
	}
	digits := strings.TrimRightFunc(body, func(r rune) bool { return r < '0' || r > '9' })
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return span{}, 0
	}
	for _, u := range units {
		for _, w := range u.words {
			if body[len(digits):] == w {
				return u.span, n
			}
		}
	}
	return span{}, 0
}

// dated reads a date in words with what a page puts before it: "Premiered 4 Jun
// 2026", "Started streaming on 4 Jun 2026". What is no date in a language that
// is known keeps its words, and is before the fetch.
func dated(s string, now time.Time) post.Time {
	raw := strings.TrimSpace(s)
	if raw == "" {
		return post.Time{}
	}
	words := strings.Fields(raw)
	for i := range min(len(words), 6) {
		rest := strings.Join(words[i:], " ")
		if c := rest[0]; c < '0' || c > '9' {
			if len(words)-i != 3 { // Jun 4, 2026
				continue
			}
		}
		if t, ok := dates.Parse(rest); ok {
			t.Raw = raw
			if t.Source == "" {
				t.Source = post.SourceField
			}
			return t
		}
	}
	if t, _, ok := relative(raw, now); ok {
		return t
	}
	return post.Between(time.Time{}, now, raw, post.SourceRelative)
}

// moment reads what a field states: RFC 3339, or a day.
func moment(s string) post.Time {
	if t, ok := dates.Parse(s); ok {
		if !t.Time.IsZero() {
			t.Raw = ""
		}
		return t
	}
	return post.Time{}
}

// clock reads a length: "16:55", "1:07:34".
func clock(s string) (float64, bool) {
	parts := strings.Split(strings.TrimSpace(s), ":")
	if len(parts) < 2 || len(parts) > 4 {
		return 0, false
	}
	total := 0
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || n > 1_000_000 || i > 0 && len(p) != 2 {
			return 0, false
		}
		total = total*60 + n
	}
	return float64(total), true
}

// isoDuration reads "PT1H2M3S" and "P1DT2H".
func isoDuration(s string) (float64, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "P")
	if !ok || rest == "" {
		return 0, false
	}
	total, digits, inTime := 0.0, "", false
	for _, r := range rest {
		switch {
		case r >= '0' && r <= '9' || r == '.':
			digits += string(r)
			continue
		case r == 'T' && digits == "":
			inTime = true
			continue
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return 0, false
		}
		switch {
		case r == 'W':
			n *= 7 * 86400
		case r == 'D':
			n *= 86400
		case r == 'H':
			n *= 3600
		case r == 'M' && inTime:
			n *= 60
		case r == 'S':
		default:
			return 0, false
		}
		total, digits = total+n, ""
	}
	return total, digits == "" && total >= 0 && total < 1e9
}
