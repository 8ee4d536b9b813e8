package translate

// A vocabulary numbers the English stems and the numbers ("#2016") that texts
// and dictionaries are compared by.
type vocabulary struct {
	ids  map[string]uint32
	base *vocabulary // asked first; nil for that of the dictionaries
	from uint32      // the first number of this one
}

// noWord is the number of a word that nobody has.
const noWord = 1<<32 - 1

func (v *vocabulary) find(stem string) uint32 {
	if v.base != nil {
		if id := v.base.find(stem); id != noWord {
			return id
		}
	}
	if id, ok := v.ids[stem]; ok {
		return id
	}
	return noWord
}

func (v *vocabulary) number(stem string) uint32 {
	id := v.find(stem)
	if id == noWord {
		id = v.from + uint32(len(v.ids))
		v.ids[stem] = id
	}
	return id
}

func (v *vocabulary) len() int { return int(v.from) + len(v.ids) }
