package text

// Mark is how much was added so far: the size of the log in bytes. After a Sync
// it can be given as Options.Through, so that a caller who keeps results of his
// own beside the index has both at one point again after a crash.
func (ix *Index) Mark() (int64, error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return 0, err
	}
	return ix.log.end(), nil
}

// rewind cuts off what was added after a Mark.
func (l *postLog) rewind(mark int64) error {
	if l.written <= mark {
		return nil
	}
	if err := l.file.Truncate(max(mark, int64(logHeader))); err != nil {
		return err
	}
	l.written = max(mark, int64(logHeader))
	return nil
}
