package importers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/post"
)

// TestNativeItems reads one item of every platform that Zeeschuimer and 4CAT
// know and this program has a collector of, each as the platform's own pages
// carry it, and what stands beside them in one file.
func TestNativeItems(t *testing.T) {
	for _, test := range []struct {
		source, platform, id string
		data                 string
		check                func(p post.Post) bool
	}{
		{"facebook.com", "facebook", "1500000000000001", `{"__typename":"Story","id":"UzpfSTU0NDAwMDAwMDAxOjE1MDAwMDAwMDAwMDAwMDE6MTUwMDAwMDAwMDAwMDAwMQ==","post_id":"1500000000000001",
			"comet_sections":{"content":{"story":{"id":"UzpfSTU0NDAwMDAwMDAxOjE1MDAwMDAwMDAwMDAwMDE6MTUwMDAwMDAwMDAwMDAwMQ==","actors":[{"__typename":"User","id":"100060000000001","name":"Bridge Diary","url":"https://www.facebook.com/BridgeDiary"}],"message":{"text":"Fog over the #Tejo"}}},
			"context_layout":{"story":{"comet_sections":{"metadata":[{"story":{"creation_time":1769850000,"url":"https://www.facebook.com/BridgeDiary/posts/1500000000000001"}}]}}}}}`,
			func(p post.Post) bool {
				return p.Text == "Fog over the #Tejo" && p.Account.Name == "Bridge Diary" && p.Created.Time.Unix() == 1769850000
			}},
		{"instagram.com", "instagram", "3000000000000000001", `{"pk":"3000000000000000001","id":"3000000000000000001_77","code":"CmiJBr2LAAB","taken_at":1700000000,"media_type":1,"user":{"pk":"77","username":"rui.bridges"},"caption":{"text":"Fog"},"like_count":4}`,
			func(p post.Post) bool { return p.Text == "Fog" && p.Account.Handle == "rui.bridges" }},
		{"pinterest.com", "pinterest", "900000000000000001", `{"id":"900000000000000001","type":"pin","description":"A bridge","pinner":{"id":"55","username":"anab"},"created_at":"Tue, 03 Mar 2026 10:00:00 +0000","images":{"orig":{"url":"https://i.pinimg.com/originals/aa/bb/cc/aabbccddeeff00112233445566778899.jpg","width":10,"height":10}}}`,
			func(p post.Post) bool { return len(p.Media) == 1 }},
		{"tiktok.com", "tiktok", "7289156341829045550", `{"id":"7289156341829045550","desc":"Fog","createTime":1697108706,"author":{"id":"66","uniqueId":"rui","nickname":"Rui"},"stats":{"diggCount":3,"playCount":50},"video":{"duration":9}}`,
			func(p post.Post) bool { return p.Text == "Fog" && p.Account.Handle == "rui" }},
		{"twitter.com", "x", "1712500000000000001", `{"__typename":"Tweet","rest_id":"1712500000000000001","core":{"user_results":{"result":{"__typename":"User","rest_id":"44","legacy":{"screen_name":"rui","name":"Rui"}}}},"legacy":{"id_str":"1712500000000000001","full_text":"Fog","created_at":"Thu Oct 12 11:05:06 +0000 2023","user_id_str":"44","favorite_count":2}}`,
			func(p post.Post) bool { return p.Text == "Fog" && p.Account.Handle == "rui" }},
		{"youtube.com", "youtube", "aBcDeFgHiJk", `{"kind":"youtube#video","id":"aBcDeFgHiJk","snippet":{"publishedAt":"2026-03-03T10:00:00Z","channelId":"UC0123456789012345678901","title":"Fog","description":"On the river","channelTitle":"Rui"}}`,
			func(p post.Post) bool { return p.Title == "Fog" }},
		{"vimeo.com", "vimeo", "900000001", `{"uri":"/videos/900000001","name":"Fog on the lake","description":"A slow walk.","link":"https://vimeo.com/900000001","duration":754,"created_time":"2026-03-02T07:15:00+00:00"}`,
			func(p post.Post) bool { return p.Title == "Fog on the lake" }},
		{"quora.com", "quora", "8000202", `{"aid":8000202,"id":"QW5zd2VyQDA6ODAwMDIwMg==","__typename":"Answer","isDeleted":false,"viewerHasAccess":true,"creationTime":1769850000000000,"content":"{\"sections\":[{\"spans\":[{\"text\":\"Sea smoke\",\"modifiers\":{}}],\"type\":\"plain\"}]}"}`,
			func(p post.Post) bool { return strings.Contains(p.Text, "Sea smoke") }},
	} {
		var item bytes.Buffer
		if err := json.Compact(&item, []byte(test.data)); err != nil {
			t.Fatalf("%s: %v", test.source, err)
		}
		lines := fmt.Sprintf(`{"nav_index":"1:1:0","item_id":%q,"timestamp_collected":1770000000123,"source_platform":%q,"source_platform_url":"https://www.%s/x","source_url":"https://www.%s/x","user_agent":"Firefox/150","data":%s}`+"\n", test.id, test.source, test.source, test.source, &item)
		lines += strings.Replace(lines, item.String(), `{"nothing":"known"}`, 1)
		_, list, report, err := importFile(t, write(t, "export", lines), Options{})
		all := posts(list)
		if err != nil || report.Format != FormatZeeschuimer || len(all) != 1 || report.Unread() != 1 || report.Problems[0].First != 2 {
			t.Errorf("%s: %d posts, %+v, %v", test.source, len(all), report, err)
			continue
		}
		p := all[0]
		if p.ID != test.id || p.Platform != test.platform || p.FetchedAt.UnixMilli() != 1770000000123 || p.Capture.Line != 1 || !test.check(p) {
			t.Errorf("%s: %+v", test.source, p)
		}
	}
}
