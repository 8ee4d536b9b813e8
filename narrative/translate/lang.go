package translate

import (
	"strings"
	"unicode"
)

// Languages that Language can tell, as ISO 639-1 codes. Others, and texts
// without letters, are "".
const (
	English = "en"
	Chinese = "zh"
)

// langSample is how many bytes of a text are read to tell its language.
const langSample = 4096

// Language tells the language of a text: by its script for Chinese, Japanese,
// Korean, Russian, Ukrainian, Arabic and Persian, by its commonest words and
// letters among English, Spanish, German, French, Italian, Portuguese and Dutch.
// A text in Latin letters that says nothing of its language ("Trump bans
// TikTok") counts as English. It reads the first 4 KiB, links and names aside.
func Language(text string) string {
	if len(text) > langSample {
		text = text[:langSample]
	}
	var han, kana, hangul, cyrillic, arabic, latin, ukrainian, persian int
	for i := 0; i < len(text); {
		if end := skipped(text, i); end > i {
			i = end
			continue
		}
		r, size := decode(text, i)
		i += size
		switch {
		case r < 0x80:
			if isASCIILetter(byte(r)) {
				latin++
			}
		case r >= 0x4e00 && r <= 0x9fff || r >= 0x3400 && r <= 0x4dbf:
			han++
		case r >= 0x3040 && r <= 0x30ff:
			kana++
		case r >= 0xac00 && r <= 0xd7a3:
			hangul++
		case r >= 0x400 && r <= 0x4ff:
			cyrillic++
			if strings.ContainsRune("іїєґІЇЄҐ", r) {
				ukrainian++
			}
		case r >= 0x600 && r <= 0x6ff && unicode.IsLetter(r):
			arabic++
			if strings.ContainsRune("پچژگکی", r) {
				persian++
			}
		case r < 0x250 && unicode.IsLetter(r):
			latin++
		}
	}
	// A character of the East Asian scripts says as much as some three letters.
	east := 3 * (han + kana + hangul)
	switch most := max(east, cyrillic, arabic, latin); {
	case most == 0:
		return ""
	case most == east:
		switch {
		case hangul > han+kana:
			return "ko"
		case 8*kana > han:
			return "ja"
		}
		return Chinese
	case most == cyrillic:
		if 50*ukrainian > cyrillic {
			return "uk"
		}
		return "ru"
	case most == arabic:
		if 12*persian > arabic {
			return "fa"
		}
		return "ar"
	}
	return latinLanguage(text)
}

// Common words and letters of the languages in Latin letters. A word that
// several of them have is in none, or counts for all that list it.
var latinWords = func() map[string]uint8 {
	m := map[string]uint8{}
	for i, list := range latinProfiles {
		for _, w := range strings.Fields(list.words) {
			m[w] |= 1 << i
		}
	}
	return m
}()

var latinProfiles = []struct{ lang, words, letters string }{
	{English, "the and of to is in that for it you was with on are this be have not at they his from he by but what all were we when your can said there an each which she do how their if will up about out many then them these so some her would make like him has look more go see could no my than been who its now did get come made may us our just", ""},
	{"es", "de la que el en y los se del las un por con no una su para es al lo como más pero sus le ya este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni contra otros ese eso ante ellos esto mí antes algunos qué unos yo otro él tanto esa estos mucho quienes nada muchos está son fue ha ser tiene", "ñ¿¡"},
	{"de", "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde wenn ich wir kann gegen schon vom keine uns mich", "äöüß"},
	{"fr", "de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec ou son sa aux mais comme on nous cette ses leur été fait être tout vous deux même elle ces après sans peut entre aussi ont ils encore je très où dont contre c'est d'un qu'il l'on", "çœêèù"},
	{"it", "di e il la che in un a per è una sono mi si ho lo ha le ti i non con cosa se io come da ci no questo qui hai del tu al suo più della gli nel alla dei anche ma era delle perché sul stato dal", "ìò"},
	{"pt", "de que e o a do da em um para com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos são você", "ãõ"},
	{"nl", "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan zou of wat mijn men dit zo door over ze zich bij ook tot je mij uit der daar haar naar heb hoe heeft hebben deze u want nog zal me zij nu", "ĳ"},
}

func latinLanguage(text string) string {
	var score [8]int
	for i := 0; i < len(text); {
		if end := skipped(text, i); end > i {
			i = end
			continue
		}
		j := i
		for j < len(text) {
			r, size := decode(text, j)
			if !unicode.IsLetter(r) && r != '\'' && r != '’' {
				break
			}
			if r >= 0x80 {
				for k, p := range latinProfiles {
					if strings.ContainsRune(p.letters, unicode.ToLower(r)) {
						score[k] += 2
					}
				}
			}
			j += size
		}
		if j == i {
			r, size := decode(text, i)
			if r >= 0x80 && strings.ContainsRune(latinProfiles[1].letters, r) {
				score[1] += 2
			}
			i += size
			continue
		}
		if set := latinWords[strings.ToLower(text[i:j])]; set != 0 {
			for k := range latinProfiles {
				if set>>k&1 != 0 {
					score[k] += 2
				}
			}
		}
		i = j
	}
	best := 0
	for k := range latinProfiles {
		if score[k] > score[best] {
			best = k
		}
	}
	return latinProfiles[best].lang
}
