package main

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// unseen asks for changes that were written after everything in narrative/text
// was committed. They are reported as they came out at the first run; when
// something is changed because of them, new ones must take their place.
func unseen(dir string, o options) ([]Table, error) {
	b, err := openBench(dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	return askChanges("repost-unseen", b, o, 2027, []change{
		{"v-stopless", withoutStopWords},
		{"v-comments", commented},
		{"v-middle", middle},
		{"v-censored", censored},
		{"v-chat", chatSpelling},
		{"v-endings", otherEndings},
		{"v-third", thirdDropped},
		{"v-bullets", bullets},
		{"v-camel", camelChunks},
	}, "nothing was chosen on these changes, nor changed after they were seen; both halves are unseen")
}

func isLink(w string) bool { return strings.HasPrefix(w, "http") }

var stopWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("a an the of to in on at for from by with and or but is are was were be been being has have had do does did will would can could should that this these those it its he she they them his her their we our you your i my me as if so than then there when which who what not no") {
		m[w] = true
	}
	return m
}()

// withoutStopWords writes a text as a headline: the little words go.
func withoutStopWords(s, _ string, _ *rand.Rand) string {
	var out []string
	for _, w := range strings.Fields(s) {
		if !stopWords[strings.ToLower(strings.Trim(w, ".,!?:;\"'"))] {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

var comments = []string{"(yeah right)", "lol", "— can you believe it? —", "(!!!)", "[sic]", "so they say", "wake up people", "hmm", "(read that again)", "smh"}

// commented puts a remark behind every five to seven words.
func commented(s, _ string, r *rand.Rand) string {
	var out []string
	left := 5 + r.IntN(3)
	for _, w := range strings.Fields(s) {
		out = append(out, w)
		if left--; left == 0 {
			out = append(out, comments[r.IntN(len(comments))])
			left = 5 + r.IntN(3)
		}
	}
	return strings.Join(out, " ")
}

// middle keeps the middle 60 % of the words.
func middle(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	k := len(w) / 5
	return "… " + strings.Join(w[k:len(w)-k], " ") + " …"
}

// censored puts a star for the second letter of a third of the words.
func censored(s, _ string, r *rand.Rand) string {
	w := strings.Fields(s)
	for i, x := range w {
		if letters := []rune(x); len(letters) > 3 && !isLink(x) && r.IntN(3) == 0 {
			letters[1] = '*'
			w[i] = string(letters)
		}
	}
	return strings.Join(w, " ")
}

var chat = func() map[string]string {
	m := map[string]string{}
	for _, p := range strings.Fields("you/u your/ur are/r for/4 to/2 too/2 people/ppl because/bc before/b4 great/gr8 with/w and/& please/pls thanks/thx about/abt today/2day tomorrow/tmrw tonight/2nite right/rite night/nite though/tho through/thru why/y be/b see/c okay/k love/luv what/wut that/dat this/dis the/da they/dey government/govt president/prez information/info against/vs without/w/o something/smth someone/sb really/rly think/thnk know/kno going/goin doing/doin being/bein have/hv would/wd should/shd could/cd good/gud never/nvr ever/evr over/ovr every/evry") {
		a, b, _ := strings.Cut(p, "/")
		m[a] = b
	}
	return m
}()

// chatSpelling shortens words as people do in chats.
func chatSpelling(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	changed := false
	for i, x := range w {
		core := strings.ToLower(strings.Trim(x, ".,!?:;\"'"))
		if to, ok := chat[core]; ok {
			w[i], changed = strings.Replace(strings.ToLower(x), core, to, 1), true
		}
	}
	if !changed {
		return s
	}
	return strings.Join(w, " ")
}

// otherEndings changes the ending of each word of five letters and more that ends
// in s, ed or ing.
func otherEndings(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	changed := false
	for i, x := range w {
		if len(x) < 5 || isLink(x) {
			continue
		}
		to := x
		switch {
		case strings.HasSuffix(x, "ing"):
			to = x[:len(x)-3] + "ed"
		case strings.HasSuffix(x, "ed"):
			to = x[:len(x)-2] + "ing"
		case strings.HasSuffix(x, "s") && !strings.HasSuffix(x, "ss"):
			to = x[:len(x)-1]
		}
		changed = changed || to != x
		w[i] = to
	}
	if !changed {
		return s
	}
	return strings.Join(w, " ")
}

// thirdDropped leaves out every third word.
func thirdDropped(s, _ string, _ *rand.Rand) string {
	var out []string
	for i, w := range strings.Fields(s) {
		if i%3 != 2 {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

// bullets writes a text as a numbered list of pieces of four words, last first.
func bullets(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	var lines []string
	for len(w) > 0 {
		n := min(4, len(w))
		lines = append(lines, strings.Join(w[:n], " "))
		w = w[n:]
	}
	var out []string
	for i := range lines {
		out = append(out, strconv.Itoa(i+1)+") "+lines[len(lines)-1-i])
	}
	return strings.Join(out, "\n")
}

// camelChunks joins the words of every second piece of three to one, with
// capitals and without a sign.
func camelChunks(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	var out []string
	for i := 0; i < len(w); i += 3 {
		piece := w[i:min(i+3, len(w))]
		if i/3%2 == 0 || isLink(strings.Join(piece, "")) {
			out = append(out, piece...)
			continue
		}
		joined := ""
		for _, x := range piece {
			if x = strings.Trim(x, "#.,!?:;\"'"); x != "" && !isLink(x) {
				joined += strings.ToUpper(x[:1]) + x[1:]
			}
		}
		out = append(out, joined)
	}
	return strings.Join(out, " ")
}
