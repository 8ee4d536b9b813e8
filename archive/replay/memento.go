package replay

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// RFC 7089. The Memento of a capture is its rewritten form, TIMEmp_.

// memento says when a capture was made, and where the other captures are.
func (s *Server) memento(h http.Header, c *Capture, url string) {
	at := httpTime(c.Time())
	url = escapeURL(url)
	h.Set("Memento-Datetime", at)
	h.Set("Link", `<`+url+`>; rel="original", `+
		`<`+s.root+url+`>; rel="timegate", `+
		`<`+s.root+`timemap/link/`+url+`>; rel="timemap"; type="application/link-format", `+
		`<`+s.path(stamp(c), Page, url)+`>; rel="memento"; datetime="`+at+`"`)
}

// timegate redirects to the capture nearest to Accept-Datetime, or to the latest.
func (s *Server) timegate(w http.ResponseWriter, r *http.Request, url string) {
	w.Header().Set("Vary", "accept-datetime")
	q := request{url: url, mod: Page}
	if want := r.Header.Get("Accept-Datetime"); want != "" {
		at, err := http.ParseTime(want)
		if err != nil {
			http.Error(w, "Accept-Datetime is not a date of HTTP, such as "+httpTime(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))+".", http.StatusBadRequest)
			return
		}
		q.at = at
	}
	if url == "" {
		s.start(w, r)
		return
	}
	c, err := s.choose(r.Context(), q)
	if err != nil {
		s.fail(w, r, q, nil, err)
		return
	}
	s.memento(w.Header(), &c, url)
	w.Header().Del("Memento-Datetime") // a TimeGate has none
	redirect(w, s.path(stamp(&c), Page, url), http.StatusFound)
}

// A TimeMap in JSON, in the form that the Memento project's aggregators use.
type jsonTimemap struct {
	Original string        `json:"original_uri"`
	Self     string        `json:"self"`
	Timegate string        `json:"timegate_uri"`
	Mementos []jsonMemento `json:"mementos"`
}

type jsonMemento struct {
	Datetime time.Time `json:"datetime"`
	URI      string    `json:"uri"`
	URL      string    `json:"url"` // as it stands in the record
	Status   string    `json:"status,omitempty"`
	MIME     string    `json:"mime,omitempty"`
	Digest   string    `json:"digest,omitempty"`
}

// timemap lists the captures of a URL.
func (s *Server) timemap(w http.ResponseWriter, r *http.Request, url, form string) {
	h := w.Header()
	origin := "http://" + r.Host
	if r.TLS != nil {
		origin = "https://" + r.Host
	}
	url = escapeURL(url)
	self := origin + s.root + "timemap/" + form + "/" + url
	gate := origin + s.root + url
	out := bufio.NewWriterSize(w, 32<<10)
	n := 0
	for c, err := range s.o.Source.Captures(r.Context(), url) {
		if err != nil {
			if n == 0 {
				s.fail(w, r, request{url: url}, nil, err)
				return
			}
			s.o.Log.Error("replay: timemap", "url", url, "err", err)
			panic(http.ErrAbortHandler) // a list that ends early must not pass for whole
		}
		uri := origin + s.path(stamp(&c), Page, c.URL)
		at := c.Time()
		if n == 0 {
			if form == "json" {
				h.Set("Content-Type", "application/json")
				head, _ := json.Marshal(jsonTimemap{url, self, gate, nil})
				out.WriteString(strings.TrimSuffix(string(head), "null}") + "[")
			} else {
				h.Set("Content-Type", "application/link-format")
				out.WriteString("<" + url + ">; rel=\"original\",\n<" + gate + ">; rel=\"timegate\",\n<" + self + ">; rel=\"self\"; type=\"application/link-format\"")
			}
		}
		n++
		if form == "json" {
			line, _ := json.Marshal(jsonMemento{at, uri, c.URL, c.Status, c.MIME, c.Digest})
			if n > 1 {
				out.WriteByte(',')
			}
			out.WriteByte('\n')
			out.Write(line)
			continue
		}
		rel := "memento"
		if n == 1 {
			rel = "first memento"
		}
		out.WriteString(",\n<" + uri + ">; rel=\"" + rel + "\"; datetime=\"" + httpTime(at) + "\"")
	}
	if n == 0 {
		s.fail(w, r, request{url: url}, nil, errNotFound)
		return
	}
	if form == "json" {
		out.WriteString("\n]}")
	}
	out.WriteByte('\n')
	out.Flush() //nolint:errcheck // the reader went away
}
