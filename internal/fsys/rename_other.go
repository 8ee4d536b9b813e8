//go:build unix && !linux && !darwin

package fsys

func renameNoReplace(from, to string) error { return linkNoReplace(from, to) }
