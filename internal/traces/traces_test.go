package traces_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/traces"
)

func shown(list []traces.Trace) []string {
	words := []string{}
	for _, t := range list {
		words = append(words, string(t.Kind)+" "+t.Value)
	}
	slices.Sort(words)
	return words
}

func TestInText(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"Write to Desk@News.example, or to a.b+c@mail.co.uk.", []string{"email a.b+c@mail.co.uk", "email desk@news.example"}},
		{"desk [at] news [dot] example; info(at)harbour.example", []string{"email desk@news.example", "email info@harbour.example"}},
		{"почта@пример.рф and desk@münchen.example", []string{"email desk@xn--mnchen-3ya.example"}},
		{"@mira@social.example, logo@2x.png, https://social.example/@mira, @mira, a@b, x@localhost", []string{"domain social.example"}},
		{"Call +49 (0)151 234-567-89 or +1.202.555.0143, not 0151 2345678", []string{"phone +12025550143", "phone +49015123456789"}},
		{"+1000 likes, C++11, 1+12345678901, +12345678901234567, a=+491512345678", []string{}},
		{"电话：+86 138 0013 8000。", []string{"phone +8613800138000"}},
		{"t.me/HarbourNews, https://t.me/s/harbournews/12 and (telegram.me/joinchat/AAAAAEkk2WdoDrB4-Q8-gg) tg://resolve?domain=dock_bot", []string{"domain t.me", "telegram +AAAAAEkk2WdoDrB4-Q8-gg", "telegram dock_bot", "telegram harbournews"}},
		{"https://t.me/share/url?url=x https://t.me/c/1234567890/5 harbour.t.me https://t.me/+491512345678", []string{"domain t.me", "phone +491512345678", "telegram c/1234567890", "telegram harbour"}},
		{"wa.me/491512345678 https://api.whatsapp.com/send?phone=+491512345679&text=hi https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv whatsapp://send?phone=491512345670",
			[]string{"domain whatsapp.com", "whatsapp +491512345670", "whatsapp +491512345678", "whatsapp +491512345679", "whatsapp chat/AbCdEfGhIjKlMnOpQrStUv"}},
		{"discord.gg/AbC123 https://discord.com/invite/harbour-town https://discord.com/users/123456789012345678 https://discord.com/channels/1/2", []string{"discord invite/AbC123", "discord invite/harbour-town", "discord user/123456789012345678", "domain discord.com"}},
		{"weixin://dl/chat?harbour_desk https://u.wechat.com/MAbCdEf123 http://weixin.qq.com/r/AbCd", []string{"domain qq.com", "domain wechat.com", "wechat harbour_desk", "wechat r/AbCd", "wechat u/MAbCdEf123"}},
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy, bitcoin:BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4 bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
			[]string{"bitcoin 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bitcoin 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bitcoin bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "bitcoin bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}},
		// One character changed in each.
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLz bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5 bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj1 TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6s", []string{}},
		{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359 0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", []string{"ethereum 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "ethereum 0xd1220a0cf47c7b9be7a2e6ba89f429762e7b9adb", "ethereum 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359"}},
		{"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 0x0000000000000000000000000000000000000000 0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe6a713944b", []string{}},
		{"USDT: TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", []string{"tron TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}},
		{"见 https://shop.harbour.co.uk/a。和http://10.0.0.1:8080/x，(https://mira.blogspot.com/) https://intranet/ ftp://files.example/", []string{"domain 10.0.0.1", "domain harbour.co.uk", "domain mira.blogspot.com"}},
		{"https://own.example/a https://www.own.example/b https://other.example/", []string{"domain other.example"}},
		{"", []string{}},
	} {
		if got := shown(traces.InPost("own.example", test.text, nil)); !slices.Equal(got, test.want) {
			t.Errorf("%s\n got %q\nwant %q", test.text, got, test.want)
		}
	}
}

func TestInLinks(t *testing.T) {
	links := []string{"mailto:Desk@News.example?subject=x", "mailto:a%40b.example,c@d.example", "tel:+49-151-2345678", "https://etherscan.io/address/0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "https://wa.me/message/ABC123", "javascript:alert(1)", "https://[::1", strings.Repeat("https://long.example/", 1000)}
	want := []string{"domain etherscan.io", "domain wa.me", "email a@b.example", "email c@d.example", "email desk@news.example", "ethereum 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "phone +491512345678", "whatsapp message/ABC123"}
	if got := shown(traces.InPost("", "", links)); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestInPage(t *testing.T) {
	for _, test := range []struct {
		page string
		want []string
	}{
		{`<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABC1234567"></script><script>gtag('config', 'G-ABC1234567'); gtag("config","AW-987654321"); ga('create', 'UA-7654321-12', 'auto');</script>`,
			[]string{"ads AW-987654321", "analytics G-ABC1234567", "analytics UA-7654321-12"}},
		{`<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=GTM-AB12CD3"></iframe></noscript>{\"id\":\"G-Z9Y8X7W6V5\"}`, []string{"analytics G-Z9Y8X7W6V5", "analytics GTM-AB12CD3"}},
		{`<ins class="adsbygoogle" data-ad-client="ca-pub-1029384756102938"></ins><script src="https://pagead2.googlesyndication.com/pagead/js/adsbygoogle.js?client=ca-pub-1029384756102938">`, []string{"ads ca-pub-1029384756102938"}},
		{`fbq('init', '123409876543210'); fbq('track', 'PageView');<img src="https://www.facebook.com/tr?id=555666777888999&amp;ev=PageView&amp;noscript=1">`, []string{"analytics facebook-pixel-123409876543210", "analytics facebook-pixel-555666777888999"}},
		{`ym(45678901, "init", {}); <img src="https://mc.yandex.ru/watch/45678902"> new Ya.Metrika({ clickmap:true, id:45678903, trackLinks:true }) new Ya.Metrika2({"id":45678904}) gym(99999999, "init")`,
			[]string{"analytics yandex-metrica-45678901", "analytics yandex-metrica-45678902", "analytics yandex-metrica-45678903", "analytics yandex-metrica-45678904"}},
		{`var u="//stats.harbour.example/"; _paq.push(['setTrackerUrl', u+'matomo.php']); _paq.push(['setSiteId', '3']);`, []string{"analytics matomo-3@stats.harbour.example"}},
		{`_paq.push(["setTrackerUrl","https://stats.harbour.example/matomo/piwik.php"]);_paq.push(["setSiteId",7])`, []string{"analytics matomo-7@stats.harbour.example/matomo"}},
		{`<noscript><img src="https://stats.harbour.example/m/matomo.php?idsite=4&amp;rec=1"></noscript>`, []string{"analytics matomo-4@stats.harbour.example/m"}},
		// Samples of manuals, words, and ids that are parts of others.
		{`"G-XXXXXXXXXX" "UA-XXXXX-Y" "UA-000000-1" 'ca-pub-0000000000000000' GTM-XXXX a G-ABCDEF1234 G-STRINGSALE "G-STRINGSALE" "GUA-1234567-1" "UA-7654321-12345" "ca-pub-12" fbq('init', '{id}') ym(12, "x") setSiteId`, []string{}},
		{`'setSiteId', '3'`, []string{}}, // whose site 3?
		{`<p>The sites share UA-7654321-1, GTM-AB12CD3 and (ca-pub-1029384756102938).</p>`, []string{}},
	} {
		if got := shown(traces.InPage([]byte(test.page))); !slices.Equal(got, test.want) {
			t.Errorf("%s\n got %q\nwant %q", test.page, got, test.want)
		}
	}
}

// Every id of a page survives its way through a tag; tags of authors are not
// taken for ids.
func TestTags(t *testing.T) {
	page := `"UA-7654321-1" "G-ABC1234567" "GT-ABC1234" 'GTM-AB12CD3' send_to: 'AW-987654321/x' client=ca-pub-1029384756102938> fbq('init','123409876543210') ym(45678901, matomo: "https://stats.harbour.example:8080/m/matomo.php?idsite=4"`
	list := traces.InPage([]byte(page))
	if len(list) != 9 {
		t.Fatalf("%q", shown(list))
	}
	for _, trace := range list {
		if got, ok := traces.FromTag(trace.Tag()); !ok || got != trace {
			t.Errorf("%s: %v %v", trace.Tag(), got, ok)
		}
	}
	for _, tag := range []string{"analytics", "analytics:", "analytics: how to", "ads:UA-7654321-1", "analytics:ca-pub-1029384756102938", "analytics:xUA-7654321-1", "analytics:matomo-4", "email:a@b.example", "UA-7654321-1"} {
		if got, ok := traces.FromTag(tag); ok {
			t.Errorf("%s is taken for %v", tag, got)
		}
	}
}

func TestNamed(t *testing.T) {
	for words, want := range map[string]string{
		"https://t.me/HarbourNews": "telegram harbournews", "telegram:harbournews": "telegram harbournews", "DESK@news.example": "email desk@news.example",
		"+49 151 2345678": "phone +491512345678", "www.harbour.co.uk": "domain harbour.co.uk", "UA-7654321-1": "analytics UA-7654321-1", "G-ABC1234567": "analytics G-ABC1234567",
		"ads:ca-pub-1029384756102938": "ads ca-pub-1029384756102938", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb": "ethereum 0xd1220a0cf47c7b9be7a2e6ba89f429762e7b9adb",
	} {
		if got := shown(traces.Named(words)); !slices.Contains(got, want) {
			t.Errorf("%s: %q, want %s", words, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	var many strings.Builder
	for i := range 3 * traces.Max {
		fmt.Fprintf(&many, "a%d@news.example 'UA-76543%d-1' ", i, i)
	}
	if n := len(traces.InPost("", many.String(), nil)); n != traces.Max {
		t.Errorf("%d traces of one text", n)
	}
	if n := len(traces.InPage([]byte(many.String()))); n != 50 {
		t.Errorf("%d ids of one page", n)
	}
	late := strings.Repeat(" ", traces.MaxBytes) + "a@news.example"
	if got := traces.InPost("", late, nil); len(got) != 0 {
		t.Errorf("behind the bound: %v", got)
	}
}

func FuzzTraces(f *testing.F) {
	f.Add("a@b.example [at] x [dot] y +49 151 2345678 t.me/x https://t.me/+abcdefghijkl 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359 bc1q")
	f.Add(`fbq('init', '1234567890') ym(1 Ya.Metrika({id: 'setSiteId','3' setTrackerUrl "//x.example/" matomo.php?idsite=4 "G-ABC1234567"`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, list := range [][]traces.Trace{traces.InPost("x.example", s, []string{s}), traces.InPage([]byte(s)), traces.Named(s)} {
			seen := map[traces.Trace]bool{}
			for _, x := range list {
				if x.Value == "" || len(x.Value) > 200 || seen[x] || !slices.Contains(traces.Kinds(), x.Kind) {
					t.Errorf("%q: %+v", s, x)
				}
				seen[x] = true
			}
		}
		for _, x := range traces.InPage([]byte(s)) {
			if got, ok := traces.FromTag(x.Tag()); !ok || got != x {
				t.Errorf("%q: tag %s gives %v %v", s, x.Tag(), got, ok)
			}
		}
	})
}

func BenchmarkInPage(b *testing.B) {
	page := []byte(strings.Repeat(`<p class="text">The harbour bridge will close; (see G) "UA" <a href="https://own.example/page?id=7">more</a></p><script>var x = {id: 7, grid: "m"};</script>`, 5000))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		traces.InPage(page)
	}
}

func BenchmarkInPost(b *testing.B) {
	text := strings.Repeat("The harbour bridge will close in March, says @mira: https://own.example/a and more words. ", 20)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		traces.InPost("own.example", text, nil)
	}
}
