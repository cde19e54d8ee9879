package proxy

import (
	"net"
	"sync"
	"sync/atomic"
)

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn

	once sync.Once
	done chan struct{} // closed when the link is cut

	deaf       [2]atomic.Bool // by side: nothing more is delivered to it
	lostAnswer atomic.Bool    // a COMMIT was sent whose answer is to be lost
}

func (l *link) run() {
	var both sync.WaitGroup
	both.Go(func() {
		defer l.close()
		l.forward()
	})
	both.Go(func() {
		defer l.close()
		l.backward()
	})
	both.Wait()
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.client.Close() // whoever used it is told so by the end of it
		_ = l.server.Close()
	})
}

func (l *link) halfClose(at Side) {
	l.deaf[at].Store(true)
	conn := l.client
	if at == Server {
		conn = l.server
	}
	_ = conn.CloseWrite() // it may be closed already
}

// pass waits while the proxy stalls. It is false if the link was cut meanwhile.
func (l *link) pass() bool {
	select {
	case <-l.proxy.opened():
		return true
	case <-l.done:
		return false
	}
}

// forward carries the messages of the client.
func (l *link) forward() {
	messages := newReader(l.client)
	for {
		m, err := messages.next()
		if err != nil || !l.pass() {
			return
		}
		if m.isCommit() {
			if lost, cut := l.proxy.nextCut(); cut {
				if lost == Request {
					l.close()
					l.proxy.wasCut()
					return
				}
				l.lostAnswer.Store(true)
			}
		}
		if l.deaf[Server].Load() {
			continue
		}
		if _, err := l.server.Write(m.bytes); err != nil {
			return
		}
	}
}

// backward carries what the server sends.
func (l *link) backward() {
	buffer := make([]byte, 32<<10)
	for {
		n, err := l.server.Read(buffer)
		if n > 0 {
			if l.lostAnswer.Load() {
				// The client waits for the answer to its COMMIT and for nothing
				// else (it sends the next message after it), so these bytes are it.
				l.close()
				l.proxy.wasCut()
				return
			}
			if !l.pass() {
				return
			}
			if l.deaf[Client].Load() {
				continue
			}
			if _, err := l.client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
