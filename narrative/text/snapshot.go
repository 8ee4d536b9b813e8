package text

func (ix *Index) load() (int64, error) { ix.reset(); return 0, nil }
func (ix *Index) save() error          { return nil }
