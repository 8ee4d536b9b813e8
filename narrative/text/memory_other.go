//go:build !unix

package text

func obtain(n int) ([]byte, error) { return make([]byte, n), nil }

func giveBack([]byte) {}
