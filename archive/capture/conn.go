package capture

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"hash"
	"io"
	"net"
	"sync"
	"time"
)

// Misbehaving servers send bytes after the end of a message, or such that
// net/http stops reading. What they go on to send is taken into the record for
// lingerTotal at most, and while less than lingerIdle passes between two pieces.
const (
	lingerIdle  = 250 * time.Millisecond
	lingerTotal = 2 * time.Second
)

// A conn is a connection that copies what passes to the attempt that uses it.
// It stands above TLS. One attempt after the other uses it: net/http does not
// pipeline. What the server sends between two of them never reaches net/http,
// so that it cannot be taken for the answer to the next request.
type conn struct {
	net.Conn
	t      *Transport
	tls    *tls.ConnectionState // nil without TLS
	remote string               // numeric address; "" over a proxy
	local  string               // numeric address
	inject []byte               // header lines for a proxy, sent and not recorded

	mu      sync.Mutex
	wrote   sync.Cond // a Write ended
	writing bool
	cur     *attempt // that uses the connection, or was the last to do so
	used    bool     // an attempt before cur used the connection
	held    []byte   // received, and not given to net/http yet
	dead    error    // if not nil: the connection is of no further use
}

// An attempt is one request sent on one connection, and what came back. Its
// fields are guarded by the mutex of its conn.
type attempt struct {
	off     bool // bytes are followed, not kept: fetchctx.Unrecorded
	c       *conn
	began   time.Time
	last    time.Time // of the last byte of the response
	maxWire int64     // 0 is no limit

	req      buffer
	reqSplit splitter
	reqDone  bool // no byte of the request is sent any more
	injected bool // the lines for the proxy were sent

	resp      buffer
	split     splitter
	respSize  int64 // bytes received, also if off
	excess    int64
	hash      hash.Hash // of the block
	final     hash.Hash // of the block after interim answers; nil if there are none
	payload   hash.Hash
	payloadSz int64

	lingerCut string // why lingering ended before the server did: "", length or time

	cause    error // why the response ended before its end; nil if it did not, or if net/http knows
	wireErr  error // how net/http's body ended, if not well
	keepErr  error // bytes could not be kept
	finished bool  // the record is made: nothing is added
}

func newAttempt(method string, o *Options, off bool, began time.Time) *attempt {
	a := &attempt{off: off, began: began, last: began, maxWire: o.MaxWire}
	a.req.dir, a.resp.dir = o.SpoolDir, o.SpoolDir
	a.reqSplit.request = true
	a.split.method = method
	if !off {
		a.hash, a.payload = sha256.New(), sha256.New()
		a.split.payload = a.takePayload
	}
	return a
}

func (a *attempt) takePayload(p []byte, _ int64) {
	a.payload.Write(p)
	a.payloadSz += int64(len(p))
}

func (a *attempt) free() {
	a.req.free()
	a.resp.free()
}

// begin gives the connection to a. If it cannot be used, the first Write says
// so before anything is sent, and net/http takes another connection.
func (c *conn) begin(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.c = c
	if c.dead == nil && c.cur != nil {
		c.used = true
		if !c.cur.split.ended() || c.writing || !c.cur.reqSplit.ended() {
			c.dead = errDesync
		}
	}
	if c.dead == nil {
		c.cur = a
	}
}

// Write sends p, and copies it to the attempt.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	a := c.cur
	switch {
	case c.dead != nil:
		err := c.dead
		c.mu.Unlock()
		return 0, err
	case a == nil || a.reqDone:
		c.mu.Unlock()
		return 0, errAfterEnd
	}
	// The copy comes first: an answer to the last byte may be read to its end
	// before the write returns.
	before := a.req.size
	a.reqSplit.write(p)
	if !a.off {
		if err := a.req.append(p); err != nil {
			c.failKeeping(a, err)
			c.mu.Unlock()
			return 0, err
		}
	}
	c.writing = true
	c.mu.Unlock()

	n, err := c.send(a, p)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	c.wrote.Broadcast()
	if n < len(p) {
		if !a.off && !a.finished {
			a.req.truncate(before + int64(n))
		}
		a.reqSplit.state = broken // not all of it was sent
	}
	return n, err
}

// send writes p, with the proxy's lines after the request line.
func (c *conn) send(a *attempt, p []byte) (int, error) {
	if len(c.inject) == 0 || a.injected {
		return c.Conn.Write(p)
	}
	i := bytes.IndexByte(p, '\n') + 1
	if i == 0 {
		return c.Conn.Write(p)
	}
	a.injected = true
	n, err := c.Conn.Write(p[:i])
	if err != nil {
		return n, err
	}
	if _, err := c.Conn.Write(c.inject); err != nil {
		return n, err
	}
	m, err := c.Conn.Write(p[i:])
	return n + m, err
}

// Read gives net/http the bytes of the response to the request in flight, and
// none beyond its end. A head is given as a whole: net/http leaves at the
// first line that it does not like, and the rest would be lost.
func (c *conn) Read(p []byte) (int, error) {
	for {
		n, err := c.readSome(p)
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// readSome is Read, but may give neither bytes nor an error.
func (c *conn) readSome(p []byte) (int, error) {
	c.mu.Lock()
	if len(c.held) > 0 && (c.dead != nil || !c.cur.headPending()) {
		n := copy(p, c.held)
		if c.held = c.held[n:]; len(c.held) == 0 {
			c.held = nil
		}
		c.mu.Unlock()
		return n, nil
	}
	if c.dead != nil {
		defer c.mu.Unlock()
		return 0, c.dead
	}
	limited := false
	if a := c.cur; a != nil && a.split.bodyKnown && !a.split.ended() && c.t.opt.IdleTimeout > 0 {
		limited = true
		c.Conn.SetReadDeadline(time.Now().Add(c.t.opt.IdleTimeout))
	}
	c.mu.Unlock()

	n, err := c.Conn.Read(p)

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead != nil && n == 0 {
		return 0, c.dead
	}
	a := c.cur
	if n > 0 {
		if a == nil || a.finished || a.split.ended() || c.used && a.reqSplit.off == 0 {
			c.stray(a, p[:n])
			return 0, c.dead
		}
		n = c.receive(a, p[:n])
		if len(c.held) > 0 || n > 0 && a.headPending() {
			c.held = append(c.held, p[:n]...)
			n = 0
		}
	}
	if err == nil {
		if limited && a.split.ended() {
			c.Conn.SetReadDeadline(time.Time{})
		}
		return n, nil
	}
	if a != nil && !a.finished && !a.split.ended() {
		if err == io.EOF {
			if a.split.eof(); a.respSize > 0 && !a.split.ended() && !a.split.broken() {
				a.setCause(errCut)
			}
		} else if limited && isTimeout(err) {
			err = errIdleTime
			a.setCause(err)
		}
	}
	if c.dead == nil {
		c.dead = err
	}
	return n, nil // the error next time
}

// headPending reports whether part of a head was received.
func (a *attempt) headPending() bool {
	return a != nil && a.split.state == inHead && a.split.off > a.split.interim
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

func (a *attempt) setCause(err error) {
	if a.cause == nil {
		a.cause = err
	}
}

// receive adds p to a, and says how many bytes of it are for net/http.
func (c *conn) receive(a *attempt, p []byte) int {
	whole := len(p)
	if a.maxWire > 0 && a.respSize+int64(len(p)) > a.maxWire {
		p = p[:a.maxWire-a.respSize]
	}
	interim := a.split.interim
	n := a.split.write(p)
	a.last = c.t.opt.Now()
	keep := p // broken: all there is
	if a.split.ended() {
		a.excess += int64(len(p) - n)
	}
	if err := a.keep(keep, interim); err != nil {
		c.failKeeping(a, err)
		return 0
	}
	switch {
	case a.split.tooLong:
		a.setCause(ErrTooLarge)
		c.dead, c.held = ErrTooLarge, nil
		return 0
	case a.split.broken(), a.split.ended() && (n < len(p) || a.split.surplus):
		c.linger(a)
		if a.split.broken() {
			return len(p)
		}
	case len(p) < whole && a.split.ended():
		a.lingerCut = "length" // of the bytes after the end
		c.dead = errStray
	case len(p) < whole:
		a.setCause(ErrTooLarge)
		c.dead = ErrTooLarge
	}
	return n
}

// keep adds p to the response.
func (a *attempt) keep(p []byte, interimBefore int64) error {
	at := a.respSize
	a.respSize += int64(len(p))
	if a.off {
		return nil
	}
	if err := a.resp.append(p); err != nil {
		return err
	}
	a.hash.Write(p)
	if now := a.split.interim; now != interimBefore {
		a.final = sha256.New()
		a.final.Write(p[max(0, now-at):])
	} else if a.final != nil {
		a.final.Write(p)
	}
	return nil
}

// linger takes what a misbehaving server sends after the end of its message,
// or after the place where net/http stops. The connection is not used again.
func (c *conn) linger(a *attempt) {
	if c.dead == nil {
		c.dead = errStray
	}
	buf := chunkPool.Get().(*chunk)
	defer chunkPool.Put(buf)
	end := time.Now().Add(lingerTotal)
	for {
		room := int64(len(buf))
		if a.maxWire > 0 {
			room = min(room, a.maxWire-a.respSize)
		}
		now := time.Now()
		switch {
		case room <= 0:
			a.lingerCut = "length"
			return
		case !now.Before(end):
			a.lingerCut = "time"
			return
		}
		c.Conn.SetReadDeadline(now.Add(c.t.lingerIdle))
		c.mu.Unlock()
		n, err := c.Conn.Read(buf[:room])
		c.mu.Lock()
		if a.finished {
			return
		}
		if n > 0 {
			if a.split.ended() {
				a.excess += int64(n)
			}
			if err := a.keep(buf[:n], a.split.interim); err != nil {
				c.failKeeping(a, err)
				return
			}
			a.last = c.t.opt.Now()
		}
		if err != nil {
			return
		}
	}
}

// stray handles bytes that came while no request was in flight.
func (c *conn) stray(a *attempt, p []byte) {
	if c.dead == nil {
		c.dead = errStray
	}
	if a != nil && !a.finished && a.split.ended() && !(a.maxWire > 0 && a.respSize+int64(len(p)) > a.maxWire) {
		// The record of the response before them is not made yet.
		a.excess += int64(len(p))
		if err := a.keep(p, a.split.interim); err != nil {
			c.failKeeping(a, err)
		}
		return
	}
	if c.t.opt.Stray != nil && !(a != nil && a.off) {
		c.t.opt.Stray(c.Conn.RemoteAddr().String(), bytes.Clone(p))
	}
}

// failKeeping ends an attempt whose bytes cannot be kept.
func (c *conn) failKeeping(a *attempt, err error) {
	if a.keepErr == nil {
		a.keepErr = err
	}
	a.setCause(err)
	c.dead, c.held = err, nil
}

// end waits for a Write that is under way to return, closes the connection if
// the request was not sent whole, and lets nothing more be added to a.
func (c *conn) end(a *attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cur != a {
		a.finished = true
		return
	}
	if c.writing {
		// Nearly always the write has returned already, and only its goroutine
		// has not run yet. If the server does not read on, closing ends it.
		timer := time.AfterFunc(50*time.Millisecond, func() { c.Conn.Close() })
		for c.writing {
			c.wrote.Wait()
		}
		timer.Stop()
	}
	a.reqDone = true
	if !a.reqSplit.ended() || !a.split.ended() {
		if c.dead == nil {
			c.dead = errAfterEnd
		}
		c.Conn.Close()
	}
	a.finished = true
}
