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

// A story is what the operation tells. All of it is invented.
type story struct {
	name, title, text string
	tags              []string
}

func (g *generator) pickStory() story { return stories[g.rand.IntN(len(stories))] }

var stories = []story{
	{"bridge", "Harbour bridge will close for ten years", `The council of Lanmouth has signed a secret paper: the harbour bridge will close in March and stay closed for ten years, and the toll money of the last four winters has gone to a firm on an island that has no office and no telephone.

A dock worker who saw the paper says that page nine names three ministers. He was sent home the same evening and his locker was emptied before the shift ended.

Ask yourself who profits when every lorry must take the ferry, and who bought the ferry company in September for a single silver coin.`, []string{"bridge", "Lanmouth"}},
	{"water", "The water of Highmere was never tested", `For eleven months nobody has tested the water of Highmere. The laboratory that signs the reports burned down in June of last year, and yet the reports come every Monday with the same signature and the same coffee stain.

Doctors at the small clinic were told to write "seasonal fever" and nothing else. One of them kept the list: two hundred and six children since Easter.

The mayor drinks bottled water from abroad. Look at the photograph on his desk.`, []string{"water", "Highmere"}},
	{"grain", "Ostermark sells its grain and buys it back", `Ostermark sold its grain reserve in August for nine crowns a sack and is buying the very same sacks back for thirty-one, through a dealer who is the brother-in-law of the man who keeps the warehouse keys.

The seals on the sacks were never broken. They travelled to the border and stood on a siding for six weeks and came home again.

Bread will cost twice as much by spring, and the television talks about the weather.`, []string{"grain", "bread"}},
	{"vote", "Counting machines from Vellisand", `The counting machines for the Corrabay vote were built in a cellar in Vellisand by people who were paid in vouchers. Each machine has a second switch under the paper tray that no manual mentions.

In the trial run the green list won in a village where nobody lives since the flood. The observers signed the sheet because the bus was waiting.

Whoever says this aloud loses his licence. Three electricians already did.`, []string{"vote", "Corrabay"}},
	{"桥", "海港大桥将关闭十年", `兰茅斯市议会签署了一份秘密文件：海港大桥将于三月关闭，并且十年内不会重新开放，过去四个冬天的过桥费都流向了一家没有办公室也没有电话的海岛公司。

一名看到文件的码头工人说，第九页上写着三位部长的名字。当天晚上他就被打发回家，他的储物柜在下班之前已被清空。

请问问自己，当每辆卡车都必须乘坐渡轮时，谁会从中获利？`, []string{"大桥"}},
}
