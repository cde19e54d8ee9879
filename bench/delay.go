package main

import (
	"errors"
	"net"
	"sync"
	"time"
)

// delay is a TCP proxy that makes a network of the loopback: what is sent to the
// server arrives a round trip later, what comes back at once. All that is under way
// is delayed alike, so bandwidth is not limited.
type delay struct {
	listener  net.Listener
	target    string
	roundTrip time.Duration
	serving   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// newDelay listens on a port of the loopback.
func newDelay(target string, roundTrip time.Duration) (*delay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	if err != nil {
		return nil, err
	}
	d := &delay{listener: l, target: target, roundTrip: roundTrip, conns: map[net.Conn]bool{}}
	d.serving.Go(d.serve)
	return d, nil
}

// params lead a DSN through the proxy.
func (d *delay) params() []string {
	host, port, _ := net.SplitHostPort(d.listener.Addr().String()) // it is one
	return []string{"host=" + host, "port=" + port}
}

func (d *delay) serve() {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", d.target) //nolint:noctx // to the loopback
		if err != nil || !d.keep(c, server) {
			c.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		d.serving.Go(func() { d.later(server, c) })
		d.serving.Go(func() { d.atOnce(c, server) })
	}
}

// keep remembers connections to close; false once the proxy is closed.
func (d *delay) keep(conns ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range conns {
		if d.conns == nil {
			return false
		}
		d.conns[c] = true
	}
	return true
}

func (d *delay) forget(c net.Conn) {
	c.Close()
	d.mu.Lock()
	delete(d.conns, c)
	d.mu.Unlock()
}

// piece is bytes that are to arrive at a time.
type piece struct {
	due time.Time
	b   []byte
}

// later carries bytes from one connection to another, late.
func (d *delay) later(to, from net.Conn) {
	pieces := make(chan piece, 1024)
	d.serving.Go(func() {
		defer d.forget(to)
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.b); err != nil {
				from.Close()
			}
		}
	})
	defer close(pieces)
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		if n > 0 {
			pieces <- piece{time.Now().Add(d.roundTrip), b[:n]}
		}
		if err != nil {
			return
		}
	}
}

// atOnce carries bytes without delay.
func (d *delay) atOnce(to, from net.Conn) {
	defer d.forget(to)
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Close ends all connections and returns when nothing of the proxy is left.
func (d *delay) Close() error {
	err := d.listener.Close()
	d.mu.Lock()
	for c := range d.conns {
		err = errors.Join(err, ignoreClosed(c.Close()))
	}
	d.conns = nil
	d.mu.Unlock()
	d.serving.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
