package demoweb

import "strings"

var (
	firstNames = strings.Fields("Ana Bela Caro Dina Elif Fadi Gita Hugo Ines Jonas Kaya Lena Milo Nora Oskar Pia Rafa Sana Tove Uma Vera Wim Yara Zeno")
	lastNames  = strings.Fields("Lima Berg Costa Dahl Eker Frost Grun Holm Ilves Jansa Kovar Lund Maro Nilo Orban Prado Quist Rossi Sand Tamm Urban Vidal Weiss Zorn")
	hobbies    = strings.Fields("baking chess cycling fishing gardens hiking knitting kites music painting pottery radio rowing sailing stamps trains weaving birds")
	places     = strings.Fields("Lanmouth Ostermark Vellisand Corrabay Highmere Tressel Norbeck Quayside Milldale Ferrow")
	groups     = strings.Fields("lanmouth corrabay harbourlife oldtrains smallgardens homebaking radioshack")
	openers    = []string{"Everyone should read this.", "Share before they take it down!", "I could not believe it when I heard.", "My neighbour sent me this today."}
	closers    = []string{"Pass it on.", "What do you think?", "The papers will not tell you.", "Follow for more."}

	subjects = strings.Fields("kettle ferry lantern bicycle oven garden kite radio violin rowing-boat greenhouse signal-box teapot loom beehive sundial")
	verbs    = []string{"mended", "painted", "found", "lent out", "lost", "polished", "measured", "carried home", "took apart", "drew"}
	reasons  = []string{"because the rain would not stop", "before the market opened", "after the long walk to the pier", "while the choir was practising", "for the school fair", "since nobody else would", "with far too much glue", "as my aunt had shown me"}
	feelings = []string{"It took most of the afternoon.", "I would do it again.", "The cat was not impressed.", "Next time I will ask for help.", "There is tea in the pot if you come by.", "Pictures will follow when the light is better.", "My hands still smell of varnish.", "Somebody at the harbour clapped."}
)

// chatter is ordinary talk: sentences put together from many words, so that two
// posts are hardly ever alike.
func (g *generator) chatter(sentences int) string {
	var b strings.Builder
	for i := range sentences {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString("Today in " + g.pick(places) + " I " + g.pick(verbs) + " the " + g.pick(subjects) + " and " + g.pick(verbs) + " a " + g.pick(hobbies) + " " + g.pick(subjects) + " " + g.pick(reasons) + ". " + g.pick(feelings))
	}
	return b.String()
}

func (g *generator) chatterTitle() string {
	s := g.pick(subjects)
	return strings.ToUpper(s[:1]) + s[1:] + " and " + g.pick(subjects) + " in " + g.pick(places)
}
