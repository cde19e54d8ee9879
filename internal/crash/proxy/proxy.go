// Package proxy is a TCP proxy before a PostgreSQL server that spoils
// connections in the ways a network does, and one more: exactly between a
// COMMIT and its answer.
//
// It reads the messages of the client (PostgreSQL documentation, "Frontend/Backend
// Protocol: Message Formats"), so the client must not encrypt: sslmode=disable.
package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
)

// Side is one end of a connection through the proxy.
type Side int

// The sides.
const (
	Client Side = iota
	Server
)

// Lost is the message that is lost when a COMMIT is cut.
type Lost int

// What can be lost. Of a lost answer the server has committed, of a lost
// request it has not, and the client cannot tell them apart.
const (
	Answer Lost = iota
	Request
)

// Proxy is safe for concurrent use.
type Proxy struct {
	address   *net.TCPAddr
	target    string
	accepting sync.WaitGroup
	running   sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	links    map[*link]struct{}
	gate     chan struct{} // closed while bytes pass
	down     bool
	closed   bool
	cuts     []Lost        // what is to happen to the next COMMITs
	cut      chan struct{} // closed, and replaced, with each of them
}

// Start listens on a free port of 127.0.0.1 for connections to target.
func Start(ctx context.Context, target string) (*Proxy, error) {
	open := make(chan struct{})
	close(open)
	p := &Proxy{target: target, links: make(map[*link]struct{}), gate: open, cut: make(chan struct{})}
	if err := p.listen(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.address = p.listener.Addr().(*net.TCPAddr)
	return p, nil
}

func (p *Proxy) listen(ctx context.Context, address string) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	p.listener = listener
	p.accepting.Go(func() { p.accept(listener) })
	return nil
}

// Port is where the proxy listens.
func (p *Proxy) Port() int { return p.address.Port }

// Close cuts all connections and returns when nothing runs any more.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	err := p.Refuse()
	p.running.Wait()
	return err
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // of one connection
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	refuse := p.down || p.closed
	p.mu.Unlock()
	if refuse {
		return
	}
	var dialer net.Dialer
	server, err := dialer.DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	l := &link{proxy: p, client: client.(*net.TCPConn), server: server.(*net.TCPConn), done: make(chan struct{})}
	p.mu.Lock()
	refuse = p.down || p.closed
	if !refuse {
		p.links[l] = struct{}{}
	}
	p.mu.Unlock()
	if refuse {
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// Cut closes every connection there is. New ones pass.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// Down closes every connection, and each new one at once, until Up.
func (p *Proxy) Down() {
	p.mu.Lock()
	p.down = true
	p.mu.Unlock()
	p.Cut()
}

// Refuse cuts every connection, and has new ones refused as they are where nobody
// listens, until Listen.
func (p *Proxy) Refuse() (err error) {
	p.mu.Lock()
	if p.listener != nil {
		err = p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.accepting.Wait() // until then the system accepts connections
	p.Cut()
	return err
}

// Listen ends Refuse.
func (p *Proxy) Listen(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener != nil {
		return nil
	}
	return p.listen(ctx, p.address.String())
}

// Stall accepts connections and keeps them, and forwards nothing, until Up.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gate:
		p.gate = make(chan struct{})
	default:
	}
}

// HalfClose ends one direction of every connection there is: the one that ends
// at the given side, which reads the end of the stream. What the side itself
// sends goes on to the other.
func (p *Proxy) HalfClose(at Side) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.halfClose(at)
	}
}

// CutCommit has the next COMMIT, on whatever connection, lose a message and its
// connection. Calls add up. Done is closed when one has been cut.
func (p *Proxy) CutCommit(lost Lost) (done <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = append(p.cuts, lost)
	return p.cut
}

// nextCut tells whether the COMMIT at hand is to be cut, and how.
func (p *Proxy) nextCut() (lost Lost, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.cuts) == 0 {
		return 0, false
	}
	lost, p.cuts = p.cuts[0], p.cuts[1:]
	return lost, true
}

func (p *Proxy) wasCut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.cut)
	p.cut = make(chan struct{})
}

// Up ends every fault: bytes that were held pass, except on connections that are
// closed.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.cuts = false, nil
	select {
	case <-p.gate:
	default:
		close(p.gate)
	}
}

func (p *Proxy) opened() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gate
}
