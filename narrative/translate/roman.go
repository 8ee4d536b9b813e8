package translate

import "strings"

// Letters of Cyrillic and Arabic as they are written in English names.
var cyrillic = strings.NewReplacer(
	"а", "a", "б", "b", "в", "v", "г", "g", "д", "d", "е", "e", "ё", "e", "ж", "zh", "з", "z", "и", "i", "й", "y", "к", "k", "л", "l", "м", "m",
	"н", "n", "о", "o", "п", "p", "р", "r", "с", "s", "т", "t", "у", "u", "ф", "f", "х", "kh", "ц", "ts", "ч", "ch", "ш", "sh", "щ", "shch",
	"ъ", "", "ы", "y", "ь", "", "э", "e", "ю", "yu", "я", "ya", "і", "i", "ї", "yi", "є", "ye", "ґ", "g")

// Endings of Russian cases that a name loses in English.
var russianEndings = []string{"ого", "его", "ому", "ему", "ами", "ями", "ом", "ем", "ой", "ей", "ою", "ею", "ым", "им", "ах", "ях", "ов", "ев", "а", "я", "у", "ю", "е", "и", "ы"}

// romanise gives spellings that a word of another language, perhaps a name, has
// in English: itself in Latin letters, without the ending of its case.
func romanise(lang, w string) []string {
	switch lang {
	case "ru", "uk":
		list := []string{roman(w)}
		for _, end := range russianEndings {
			if base, ok := strings.CutSuffix(w, end); ok && len(base) >= 6 {
				list = append(list, roman(base))
				if end == "ой" || end == "у" || end == "ы" || end == "е" || end == "ю" || end == "и" {
					list = append(list, roman(base)+"a")
				}
				if len(end) >= 4 && (end[0] == "о"[0]) {
					list = append(list, roman(base)+"y")
				}
				break
			}
		}
		return list
	case "ar", "fa":
		return nil // vowels are not written: no spelling can be told
	}
	var b strings.Builder
	for _, r := range w {
		b.WriteRune(plainLetter(r))
	}
	return []string{b.String()}
}

func roman(w string) string {
	s := cyrillic.Replace(w)
	s = strings.TrimSuffix(s, "y")
	s = strings.ReplaceAll(s, "iy", "y")
	if strings.HasSuffix(w, "ий") || strings.HasSuffix(w, "ый") {
		s = strings.TrimSuffix(strings.TrimSuffix(s, "i"), "y") + "y"
	}
	return strings.ReplaceAll(s, "ks", "x")
}
