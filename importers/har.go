package importers

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

// harEntry is one entry of a HAR file (HTTP Archive 1.2), as far as it is read.
type harEntry struct {
	Started string `json:"startedDateTime"`
	Time    float64
	Request struct {
		Method   string
		URL      string
		PostData struct{ Text string } `json:"postData"`
	}
	Response struct {
		Status  int
		Headers []struct{ Name, Value string }
		Content struct {
			MimeType string `json:"mimeType"`
			Text     *string
			Encoding string
		}
	}
}

// readHAR streams the entries of a HAR file: the array log.entries, one entry
// in memory at a time.
func readHAR(r io.Reader, made func(string), f func(crawlers.Exchange) error) error {
	d := json.NewDecoder(r)
	if err := enterHAR(d, made); err != nil {
		return fmt.Errorf("not a HAR file: %w", err)
	}
	for n := 1; d.More(); n++ {
		var e harEntry
		if err := d.Decode(&e); err != nil {
			return fmt.Errorf("HAR entry %d: %w", n, err)
		}
		ex, err := e.exchange()
		if err != nil {
			return fmt.Errorf("HAR entry %d (%s): %w", n, e.Request.URL, err)
		}
		ex.Capture.Line = int64(n)
		if err := f(ex); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("HAR: the file is cut: %w", err)
	}
	return nil
}

// enterHAR moves d to the first element of log.entries.
func enterHAR(d *json.Decoder, made func(string)) error {
	for _, key := range []string{"log", "entries"} {
		if t, err := d.Token(); err != nil {
			return err
		} else if t != json.Delim('{') {
			return errors.New("no object where log and entries are due")
		}
		for {
			t, err := d.Token()
			if err != nil {
				return err
			}
			if t == key {
				break
			}
			if t == json.Delim('}') {
				return fmt.Errorf("it has no %q", key)
			}
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return err
			}
			var creator struct{ Name, Version string }
			if t == "creator" && made != nil && json.Unmarshal(skip, &creator) == nil && creator.Name != "" {
				made(strings.TrimSpace(creator.Name + " " + creator.Version))
			}
		}
	}
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('[') {
		return errors.New("log.entries is no array")
	}
	return nil
}

func (e *harEntry) exchange() (crawlers.Exchange, error) {
	ex := crawlers.Exchange{Method: e.Request.Method, URL: e.Request.URL, Status: e.Response.Status, Header: http.Header{}}
	if e.Request.PostData.Text != "" {
		ex.RequestBody = []byte(e.Request.PostData.Text)
	}
	for _, h := range e.Response.Headers {
		ex.Header.Add(h.Name, h.Value)
	}
	if ex.Header.Get("Content-Type") == "" && e.Response.Content.MimeType != "" {
		ex.Header.Set("Content-Type", e.Response.Content.MimeType)
	}
	ex.Header.Del("Content-Encoding") // the text in a HAR is decoded
	switch {
	case e.Response.Content.Text == nil:
		ex.Truncated = true // the browser did not keep the body
	case e.Response.Content.Encoding == "base64":
		body, err := base64.StdEncoding.DecodeString(*e.Response.Content.Text)
		if err != nil {
			return ex, fmt.Errorf("decode the body: %w", err)
		}
		ex.Body = body
	default:
		ex.Body = []byte(*e.Response.Content.Text)
		// A HAR holds text as UTF-8, whatever the page declared.
		if ct := ex.Header.Get("Content-Type"); ct != "" {
			ex.Header.Set("Content-Type", withUTF8(ct))
		}
	}
	if started, err := time.Parse(time.RFC3339, e.Started); err == nil {
		ex.FetchedAt = started.Add(time.Duration(e.Time * float64(time.Millisecond))).UTC()
	}
	return ex, nil
}
