package vimeo

import (
	"testing"

	"github.com/refrain-archive/refrain/crawlers/crawlertest"
)

// TestPure checks that the collector has no I/O, no clock and no state.
func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }
