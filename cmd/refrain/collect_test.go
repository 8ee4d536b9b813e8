package main

import (
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/crawlers/web"
)

func TestCollectFollow(t *testing.T) {
	o, err := collectCmd{Follow: 3, LinksOnly: true}.options()
	if err != nil || string(o.FirstState[web.Platform]) != `{"depth":3,"links":true}` {
		t.Errorf("state %q, %v", o.FirstState[web.Platform], err)
	}
	if o, err := (collectCmd{}).options(); err != nil || len(o.FirstState) > 0 {
		t.Errorf("without the flags: state %q, %v", o.FirstState, err)
	}
	for _, n := range []int{-1, web.MaxDepth + 1} {
		if _, err := (collectCmd{Follow: n}).options(); err == nil || !strings.Contains(err.Error(), "0 to 100") {
			t.Errorf("--follow %d: %v", n, err)
		}
	}
}
