package web

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/refrain-archive/refrain/internal/htmltext"
)

// The main text of a page is told from the boilerplate around it by the density
// of paragraphs: a run of text of at least minRun letters speaks for the block
// that holds it, and less and less for the blocks around that; commas and length
// speak for it, links against it, and so do words in class and id that name a
// part of a page (comment, sidebar, share). The block with most in its favour is
// taken, then neighbours that look like a continuation; parts of it that are
// mostly links or controls are taken out.
//
// It is the idea of Mozilla's Readability done in two passes over a flat list of
// blocks: each letter is counted once, where Readability (and its port to Go,
// which is asked where this finds next to nothing) clones the tree for every
// attempt and measures the text of nested blocks again and again.

const (
	minRun      = 25  // letters from which on a run of text counts
	enoughText  = 500 // letters: with less, the pass is repeated without minding names of parts
	maxAncestor = 5   // blocks around a run that it speaks for
)

// A block is an element that starts a line of its own, and what it holds.
// Blocks stand in document order, so those within block i are i+1 to end.
type block struct {
	node   *html.Node
	parent int32
	end    int32

	own      int32 // letters of runs directly in it, not in a block within
	ownLink  int32 // of these, in links
	commas   int32
	text     int32 // letters in all
	link     int32 // of these, in links
	allComma int32
	paras    int32 // <p> within
	images   int32
	items    int32 // <li>
	inputs   int32
	heads    int32 // letters in headings

	weight int32 // by class and id: 25 for, -25 against
	score  float32
	scored bool
	out    bool // left out of the text
}

type extractor struct {
	blocks []block
	names  map[string]name // class or id → what it says
	strict bool
	title  string // squeezed and in lower case
	titled bool   // the heading that repeats the title was left out
}

// A name is what a class or id says of a part of a page.
type name struct {
	weight int32 // for or against being the text
	other  bool  // the part is something else than the text
	keep   bool  // it may be the text all the same
}

// A selection is a main text: its nodes, and what to leave out of them.
type selection struct {
	nodes, drop []*html.Node
	letters     int
	whole, all  int // letters that the page shows: without those in links, and with them
}

// mainText finds the main text under body. The tree is not changed.
func mainText(body *html.Node, title string) selection {
	if body == nil {
		return selection{}
	}
	strict := extract(body, title, true)
	if strict.letters >= enoughText {
		return strict
	}
	loose := extract(body, title, false)
	loose.whole, loose.all = max(loose.whole, strict.whole), max(loose.all, strict.all)
	if loose.letters > strict.letters+strict.letters/4 {
		return loose
	}
	strict.whole, strict.all = loose.whole, loose.all
	return strict
}

func extract(body *html.Node, title string, strict bool) selection {
	e := extractor{names: map[string]name{}, strict: strict, title: strings.ToLower(squeeze(title))}
	e.walk(body, e.open(body, -1), 0)
	e.close(0)
	s := e.pick()
	s.all = int(e.blocks[0].text)
	s.whole = s.all - int(e.blocks[0].link)
	return s
}

func (e *extractor) open(n *html.Node, parent int32) int32 {
	b := block{node: n, parent: parent}
	for _, a := range n.Attr {
		if a.Key == "class" || a.Key == "id" {
			said := e.name(a.Val)
			b.weight += said.weight
		}
	}
	e.blocks = append(e.blocks, b)
	return int32(len(e.blocks) - 1)
}

// close sums up a block whose content has been walked, into its parent.
func (e *extractor) close(i int32) {
	b := &e.blocks[i]
	b.end = int32(len(e.blocks))
	b.text += b.own
	b.link += b.ownLink
	b.allComma += b.commas
	switch b.node.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		b.heads = b.text
	}
	if b.parent < 0 || b.out {
		return
	}
	p := &e.blocks[b.parent]
	p.text += b.text
	p.link += b.link
	p.allComma += b.allComma
	p.paras += b.paras
	p.images += b.images
	p.items += b.items
	p.inputs += b.inputs
	p.heads += b.heads
	switch b.node.DataAtom {
	case atom.P:
		p.paras++
	case atom.Li:
		p.items++
	}
}

// walk goes through the children of n, whose runs belong to block at. links
// says how many links the walk is in.
func (e *extractor) walk(n *html.Node, at int32, links int) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			letters, commas := measure(c.Data)
			if letters == 0 {
				continue
			}
			b := &e.blocks[at]
			b.own += letters
			b.commas += commas
			if links > 0 {
				b.ownLink += letters
			}
		case html.ElementNode:
			e.element(c, at, links)
		}
	}
}

func (e *extractor) element(c *html.Node, at int32, links int) {
	switch c.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head, atom.Link, atom.Meta, atom.Object, atom.Embed, atom.Svg, atom.Dialog:
		return
	case atom.Img, atom.Picture:
		if c.DataAtom == atom.Img {
			e.blocks[at].images++
		}
	case atom.Input, atom.Textarea, atom.Select, atom.Button:
		e.blocks[at].inputs++
		if c.DataAtom == atom.Input {
			return
		}
		e.leaveOut(c, at)
		return
	case atom.Nav, atom.Aside, atom.Footer, atom.Iframe:
		e.leaveOut(c, at)
		return
	}
	if c.Namespace != "" {
		return
	}
	if hidden(c) || e.strict && e.isOther(c) || e.repeatsTitle(c) {
		e.leaveOut(c, at)
		return
	}
	if !isBlock(c.DataAtom) {
		if c.DataAtom == atom.A && htmltext.Attr(c, "href") != "" {
			links++
		}
		e.walk(c, at, links)
		return
	}
	i := e.open(c, at)
	e.walk(c, i, links)
	e.close(i)
}

// leaveOut notes an element that is no part of the text.
func (e *extractor) leaveOut(c *html.Node, at int32) {
	e.blocks = append(e.blocks, block{node: c, parent: at, end: int32(len(e.blocks) + 1), out: true})
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.Div, atom.P, atom.Section, atom.Article, atom.Main, atom.Header, atom.Blockquote, atom.Pre, atom.Ul, atom.Ol, atom.Li, atom.Dl, atom.Dt, atom.Dd,
		atom.Table, atom.Tbody, atom.Thead, atom.Tr, atom.Td, atom.Th, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
		atom.Form, atom.Fieldset, atom.Figure, atom.Figcaption, atom.Address, atom.Center, atom.Details, atom.Summary, atom.Hgroup:
		return true
	}
	return false
}

func hidden(n *html.Node) bool {
	for _, a := range n.Attr {
		switch a.Key {
		case "hidden":
			return true
		case "aria-hidden":
			if a.Val == "true" && n.DataAtom != atom.Img {
				return true
			}
		case "style":
			if len(a.Val) > 500 || !strings.Contains(a.Val, "none") && !strings.Contains(a.Val, "hidden") {
				continue
			}
			s := strings.ToLower(strings.ReplaceAll(a.Val, " ", ""))
			if strings.Contains(s, "display:none") || strings.Contains(s, "visibility:hidden") {
				return true
			}
		}
	}
	return false
}

// isOther reports whether an element says that it is another part of the page.
func (e *extractor) isOther(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Body, atom.A, atom.Article, atom.Main, atom.Td, atom.Tr, atom.Tbody, atom.Table, atom.Code, atom.Pre, atom.P:
		if n.DataAtom != atom.Table {
			return false
		}
	}
	other, keep := false, false
	for _, a := range n.Attr {
		switch a.Key {
		case "class", "id":
			said := e.name(a.Val)
			other, keep = other || said.other, keep || said.keep
		case "role":
			switch a.Val {
			case "menu", "menubar", "complementary", "navigation", "alert", "alertdialog", "dialog", "contentinfo", "search":
				return true
			}
		case "itemprop":
			keep = keep || a.Val == "articleBody"
		}
	}
	return other && !keep
}

// repeatsTitle reports whether n is the first heading that only says the title
// again.
func (e *extractor) repeatsTitle(n *html.Node) bool {
	if e.titled || e.title == "" || n.DataAtom != atom.H1 && n.DataAtom != atom.H2 {
		return false
	}
	said := strings.ToLower(squeeze(textOf(n, maxValue)))
	if said == "" || said != e.title && !(len(said) >= 15 && strings.HasPrefix(e.title, said)) {
		return false
	}
	e.titled = true
	return true
}

// name reads a class or id, word by word: words are parted by anything but
// letters and digits, and by a capital after a small letter.
func (e *extractor) name(value string) name {
	if value == "" || len(value) > 1000 {
		return name{}
	}
	if n, ok := e.names[value]; ok {
		return n
	}
	var out name
	good, bad := false, false
	start := 0
	word := func(end int) {
		if end-start < 2 {
			return
		}
		w := strings.ToLower(value[start:end])
		switch kindOfName(w) {
		case nameText:
			good, out.keep = true, true
		case nameGood:
			good = true
		case nameOther:
			bad, out.other = true, true
		case nameBad:
			bad = true
		}
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
		switch {
		case !letter:
			word(i)
			start = i + 1
		case c >= 'A' && c <= 'Z' && i > start && value[i-1] >= 'a' && value[i-1] <= 'z':
			word(i)
			start = i
		}
	}
	word(len(value))
	if good {
		out.weight += 25
	}
	if bad {
		out.weight -= 25
	}
	e.names[value] = out
	return out
}

type nameKind int

const (
	nameNone  nameKind = iota
	nameText           // is, or holds, the text
	nameGood           // speaks for it
	nameBad            // speaks against it
	nameOther          // another part of the page
)

// kindOfName knows the words by which templates name the parts of a page.
func kindOfName(w string) nameKind {
	switch w {
	case "article", "content", "main", "body", "column", "articlebody", "entry", "bodytext", "maincontent", "postbody", "shadow":
		return nameText
	case "hentry", "story", "post", "posts", "text", "blog", "page", "prose", "graf", "storytext", "section":
		return nameGood
	case "hid", "hidden", "ad", "ads", "meta", "tool", "tools", "tags", "media", "scroll", "contact", "shopping", "outbrain", "taboola", "foot", "date", "byline", "caption", "button", "buttons", "btn", "label", "labels", "form", "login", "signup":
		return nameBad
	case "menu", "menus", "nav", "navbar", "navigation", "topnav", "subnav", "mainmenu", "submenu", "topbar", "toolbar", "footer", "footnav", "sidebar", "sidebars", "aside", "masthead", "header",
		"comment", "comments", "commentlist", "commentarea", "disqus", "respond", "remark", "replies", "reply", "shoutbox", "trackbacks",
		"share", "sharing", "shares", "sharedaddy", "sharebar", "sharebuttons", "social", "socials", "addthis", "addtoany", "follow",
		"related", "recommended", "recommendations", "popular", "trending", "readmore", "morestories", "supplemental", "extra", "legends", "widget", "widgets",
		"breadcrumb", "breadcrumbs", "pager", "pagination", "paging", "pagenav", "rss", "newsletter", "subscribe", "subscription",
		"cookie", "cookies", "consent", "gdpr", "banner", "popup", "modal", "overlay", "lightbox", "agegate", "advert", "adverts", "advertisement", "advertising", "sponsor", "sponsored", "promo", "promos", "skyscraper",
		"community", "skiplink", "skiplinks", "combx", "yom":
		return nameOther
	}
	return nameNone
}

// measure counts the letters of a run, white space between words as one, and
// the commas of all scripts.
func measure(s string) (letters, commas int32) {
	space := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' {
			if !space {
				letters++
				space = true
			}
			continue
		}
		space = false
		if c < utf8.RuneSelf {
			letters++
			if c == ',' {
				commas++
			}
			continue
		}
		if c >= 0xc0 { // first byte of a letter
			letters++
			if c == 0xd8 || c == 0xe3 || c == 0xef {
				switch {
				case strings.HasPrefix(s[i:], "،"), strings.HasPrefix(s[i:], "、"), strings.HasPrefix(s[i:], "，"), strings.HasPrefix(s[i:], "。"):
					commas++
				}
			}
		}
	}
	if space && letters > 0 {
		letters--
	}
	return letters, commas
}

// pick scores the blocks and takes the best.
func (e *extractor) pick() selection {
	var s selection
	e.scoreAll()
	top := e.best()
	if top < 0 {
		return s
	}
	for _, i := range e.join(top) {
		s.nodes = append(s.nodes, e.blocks[i].node)
		out, left := e.clean(i)
		s.drop = append(s.drop, out...)
		s.letters += left
	}
	return s
}

func (e *extractor) start(i int32) {
	b := &e.blocks[i]
	if b.scored {
		return
	}
	b.scored = true
	score := float32(b.weight)
	switch b.node.DataAtom {
	case atom.Div, atom.Main:
		score += 5
	case atom.Article:
		score += 10
	case atom.Pre, atom.Td, atom.Blockquote:
		score += 3
	case atom.Address, atom.Ol, atom.Ul, atom.Dl, atom.Dd, atom.Dt, atom.Li, atom.Form:
		score -= 3
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Th:
		score -= 5
	}
	if strings.EqualFold(htmltext.Attr(b.node, "itemprop"), "articleBody") {
		score += 50
	}
	b.score = score
}

func (e *extractor) scoreAll() {
	for i := range e.blocks {
		b := &e.blocks[i]
		if b.out || b.own < minRun {
			continue
		}
		points := 1 + float32(b.commas) + min(float32(b.own)/100, 3)
		if b.ownLink*2 > b.own {
			continue
		}
		host := int32(i)
		switch b.node.DataAtom {
		case atom.P, atom.Pre, atom.Td, atom.Blockquote, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Figcaption:
			host = b.parent
		case atom.Li, atom.Dd, atom.Dt:
			host = b.parent
			points /= 2
		}
		for level := 0; host >= 0 && level < maxAncestor; level++ {
			e.start(host)
			switch level {
			case 0:
				e.blocks[host].score += points
			case 1:
				e.blocks[host].score += points / 2
			default:
				e.blocks[host].score += points / float32(level*3)
			}
			host = e.blocks[host].parent
		}
	}
	for i := range e.blocks {
		if b := &e.blocks[i]; b.scored {
			b.score *= 1 - density(b)
		}
	}
}

func density(b *block) float32 {
	if b.text == 0 {
		return 0
	}
	return float32(b.link) / float32(b.text)
}

// best gives the block that most speaks for, or the one around it where its
// neighbours speak for as much.
func (e *extractor) best() int32 {
	top := int32(-1)
	for i := range e.blocks {
		if b := &e.blocks[i]; b.scored && (top < 0 || b.score > e.blocks[top].score) {
			top = int32(i)
		}
	}
	if top < 0 {
		return -1
	}
	// A text in parts: three more blocks of three quarters of the score have an
	// ancestor in common with the best.
	for up := e.blocks[top].parent; up > 0; up = e.blocks[up].parent {
		strong := 0
		for i := up + 1; i < e.blocks[up].end; i++ {
			if b := &e.blocks[i]; b.scored && b.score >= e.blocks[top].score*0.75 && (i < top || i >= e.blocks[top].end) && (top < i || top >= b.end) {
				strong++
				i = b.end - 1
			}
		}
		if strong >= 2 {
			top = up
			break
		}
	}
	e.start(top)
	// The score of a block around it that is not much less says that the text
	// goes on there.
	last := e.blocks[top].score
	least := last / 3
	for up := e.blocks[top].parent; up > 0; up = e.blocks[up].parent {
		b := &e.blocks[up]
		if !b.scored || b.score < least {
			break
		}
		if b.score > last {
			top = up
			break
		}
		last = b.score
	}
	// An only child stands for its parent.
	for up := e.blocks[top].parent; up > 0; up = e.blocks[up].parent {
		p := &e.blocks[up]
		if p.own > 0 || e.children(up) != 1 {
			break
		}
		top = up
	}
	return top
}

func (e *extractor) children(i int32) int {
	n := 0
	for c := i + 1; c < e.blocks[i].end; c = e.blocks[c].end {
		if !e.blocks[c].out {
			n++
		}
	}
	return n
}

// join adds the neighbours of top that look like parts of the same text.
func (e *extractor) join(top int32) []int32 {
	parent := e.blocks[top].parent
	if parent < 0 {
		return []int32{top}
	}
	t := &e.blocks[top]
	class := htmltext.Attr(t.node, "class")
	threshold := max(10, t.score*0.2)
	var chosen []int32
	for c := parent + 1; c < e.blocks[parent].end; c = e.blocks[c].end {
		b := &e.blocks[c]
		switch {
		case c == top:
			chosen = append(chosen, c)
		case b.out:
		default:
			score := b.score
			if class != "" && htmltext.Attr(b.node, "class") == class {
				score += t.score * 0.2
			}
			if b.scored && score >= threshold {
				chosen = append(chosen, c)
				continue
			}
			if b.node.DataAtom == atom.P && (b.text > 80 && density(b) < 0.25 || b.text > 0 && b.text <= 80 && b.link == 0 && endsSentence(b.node)) {
				chosen = append(chosen, c)
			}
		}
	}
	return chosen
}

func endsSentence(n *html.Node) bool {
	s := strings.TrimSpace(textOf(n, 400))
	return strings.HasSuffix(s, ".") || strings.Contains(s, ". ") || strings.HasSuffix(s, "。")
}

// clean lists what to take out of block i, and the letters that are left.
func (e *extractor) clean(i int32) (drop []*html.Node, letters int) {
	left := int(e.blocks[i].text)
	for c := i + 1; c < e.blocks[i].end; c++ {
		b := &e.blocks[c]
		if b.out {
			drop = append(drop, b.node)
			c = b.end - 1
			continue
		}
		if e.isClutter(c) {
			drop = append(drop, b.node)
			left -= int(b.text)
			c = b.end - 1
		}
	}
	return drop, left
}

// isClutter reports whether a block within the text is a list of links, a form
// or the like.
func (e *extractor) isClutter(c int32) bool {
	b := &e.blocks[c]
	switch b.node.DataAtom {
	case atom.Div, atom.Section, atom.Ul, atom.Ol, atom.Dl, atom.Table, atom.Form, atom.Fieldset, atom.Header:
	case atom.H1, atom.H2, atom.H3, atom.H4:
		return b.weight < 0 && b.text < 100
	default:
		return false
	}
	if b.node.DataAtom == atom.Table && isData(b) {
		return false
	}
	if b.weight < 0 && !(b.text > 1000 && density(b) < 0.2) {
		return true
	}
	if b.allComma >= 10 {
		return false
	}
	list := b.node.DataAtom == atom.Ul || b.node.DataAtom == atom.Ol
	links := density(b)
	paras := b.paras
	switch {
	case b.text == 0 && b.images == 0:
		return true
	case !list && b.items-100 > paras:
		return true
	case b.inputs > paras/3 && b.inputs > 0 && b.text < 1000:
		return true
	case !list && b.text < minRun && (b.images == 0 || b.images > 2) && links > 0 && b.heads*10 < b.text*9:
		return true
	case b.weight < 25 && links > 0.2 && !(list && b.text > 400):
		return links > 0.5 || b.text < 400 && !list || list && links > 0.4
	case b.weight >= 25 && links > 0.5:
		return true
	}
	return false
}

// isData tells a table of data from one that only lays out the page.
func isData(b *block) bool {
	for c := b.node.FirstChild; c != nil; c = c.NextSibling {
		switch c.DataAtom {
		case atom.Caption, atom.Thead, atom.Tfoot, atom.Col, atom.Colgroup:
			return true
		}
	}
	return hasAttr(b.node, "summary")
}
