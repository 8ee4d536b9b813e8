package replay

// What becomes of elements and attributes. Whatever is not named here is kept
// as it is: it shows, or does nothing, and loads nothing.

// A tagKind says what is done with an element.
type tagKind uint8

const (
	keepTag   tagKind = iota
	dropTag           // the tags go, what is between them stays
	dropAll           // the tags go with the raw text between them
	textTag           // its raw text is shown as preformatted text
	rcdataTag         // raw text with character references: title, textarea
	styleTag          // raw text that is CSS
	scriptTag         // raw text with rules of its own; dropped
	metaTag
	linkTag
	baseTag
	frameTag  // iframe, frame
	objectTag // object, embed, applet: named, not loaded
	formTag
	animateTag // of SVG: may set links
	svgTag     // svg, math: foreign content begins
	bodyTag
	htmlTag
)

// An element is all that is known of one by its name.
type element struct {
	kind    tagKind
	void    bool // it has no end tag
	picture bool // it shows something without text
	anchor  bool // its href is a page to go to
	lazy    bool // scripts may have been meant to set its src
}

var elements = func() map[string]*element {
	all := map[string]*element{}
	of := func(name string) *element {
		if all[name] == nil {
			all[name] = &element{}
		}
		return all[name]
	}
	for name, kind := range tagKinds {
		of(name).kind = kind
	}
	for name := range voidTags {
		of(name).void = true
	}
	for name := range pictures {
		of(name).picture = true
	}
	of("a").anchor, of("area").anchor = true, true
	of("img").lazy, of("source").lazy = true, true
	return all
}()

var ordinary element

func elementOf(name []byte) *element {
	if e := elements[string(name)]; e != nil {
		return e
	}
	return &ordinary
}

var tagKinds = map[string]tagKind{
	"script": scriptTag, "style": styleTag, "title": rcdataTag, "textarea": rcdataTag,
	"xmp": textTag, "plaintext": textTag, "noembed": dropAll, "noframes": dropAll,
	// What scripts would have replaced is what there is without them.
	"noscript": dropTag,
	"meta":     metaTag, "link": linkTag, "base": baseTag,
	"iframe": frameTag, "frame": frameTag,
	"object": objectTag, "embed": objectTag, "applet": objectTag, "param": dropTag,
	"form": formTag, "isindex": dropTag, "keygen": dropTag,
	"animate": animateTag, "set": animateTag, "animatecolor": animateTag, "animatemotion": animateTag, "animatetransform": animateTag, "discard": dropTag,
	"svg": svgTag, "math": svgTag,
	"body": bodyTag, "html": htmlTag,
	"portal": dropTag, "fencedframe": dropTag, "bgsound": dropTag, "handler": dropAll, "listener": dropTag,
	"webview": dropTag, "controlledframe": dropTag, "image": keepTag, "basefont": keepTag,
}

// An attrKind says what is done with an attribute.
type attrKind uint8

const (
	keepAttr attrKind = iota
	dropAttr
	urlAttr    // an image or other file
	pageAttr   // of a, area: a page to go to; elsewhere a file
	srcsetAttr // srcset, imagesrcset
	cssAttr    // a list of declarations, or a value with url()
	inertAttr  // an address that something would be sent to: kept as data-refrain-…
	citeAttr   // an address that is only read
	listAttr   // of animations: values that may be URLs
	targetAttr
)

var attrKinds = map[string]attrKind{
	"href": pageAttr, "xlink:href": pageAttr,
	"src": urlAttr, "poster": urlAttr, "background": urlAttr, "lowsrc": urlAttr, "dynsrc": urlAttr, "icon": urlAttr, "data": urlAttr,
	"srcset": srcsetAttr, "imagesrcset": srcsetAttr,
	"style": cssAttr,
	// Presentation attributes of SVG, as far as they take url().
	"fill": cssAttr, "stroke": cssAttr, "filter": cssAttr, "mask": cssAttr, "mask-image": cssAttr, "clip-path": cssAttr, "cursor": cssAttr,
	"marker": cssAttr, "marker-start": cssAttr, "marker-mid": cssAttr, "marker-end": cssAttr, "color-profile": cssAttr,
	"shape-inside": cssAttr, "shape-subtract": cssAttr, "offset-path": cssAttr, "path": keepAttr,
	"from": listAttr, "to": listAttr, "by": listAttr, "values": listAttr,
	"action": inertAttr, "formaction": inertAttr,
	"cite": citeAttr, "longdesc": citeAttr,
	"target": targetAttr, "formtarget": dropAttr, "formmethod": dropAttr, "method": dropAttr,
	"ping": dropAttr, "attributionsrc": dropAttr, "attributiondestination": dropAttr, "browsingtopics": dropAttr, "sharedstoragewritable": dropAttr, "adauctionheaders": dropAttr,
	"srcdoc": dropAttr, // frames put theirs in rewritten
	"nonce":  dropAttr, "csp": dropAttr, "sandbox": dropAttr, "allow": dropAttr, "allowfullscreen": dropAttr, "credentialless": dropAttr,
	// The bytes differ from what was signed, and the frame's origin from the page's.
	"integrity": dropAttr, "crossorigin": dropAttr,
	"referrerpolicy": dropAttr, "autofocus": dropAttr, "autoplay": dropAttr, "download": dropAttr, "preload": dropAttr, "fetchpriority": dropAttr, "blocking": dropAttr,
	"manifest": dropAttr, "profile": dropAttr, "codebase": dropAttr, "classid": dropAttr, "archive": dropAttr, "code": dropAttr, "pluginspage": dropAttr,
	"xml:base": dropAttr, "http-equiv": dropAttr, "charset": dropAttr,
	"is":                dropAttr,
	"data-refrain-href": dropAttr, "data-refrain-action": dropAttr,
}

// linkRels are the relations of link elements that are kept. All others are
// left out: they open connections ahead of time, or show nothing.
var linkRels = map[string]bool{"stylesheet": true, "icon": true, "shortcut": true, "apple-touch-icon": true, "apple-touch-icon-precomposed": true, "mask-icon": true, "alternate": true}

// voidTags have no end tag.
var voidTags = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true, "link": true,
	"meta": true, "param": true, "source": true, "track": true, "wbr": true, "frame": true, "basefont": true, "bgsound": true, "keygen": true,
}

// pictures are elements that show something without text.
var pictures = map[string]bool{"img": true, "image": true, "video": true, "audio": true, "canvas": true, "input": true, "hr": true}
