package writebehind

import (
	"database/sql/driver"
	"sync"
)

// checker is a real connection that lends its CheckNamedValue to connections that have
// none yet. lib/pq's answer depends on the DSN alone, so that the connection may be in
// use (shared); with another driver it is used for nothing else.
type checker struct {
	mu     sync.Mutex
	conn   driver.Conn
	shared bool
}

func (e *engine) checkNamedValue(nv *driver.NamedValue) error {
	c := &e.checker
	if !c.shared {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	return checkNamedValue(c.conn, nv)
}

// close closes the connection, unless it is somebody else's, too.
func (c *checker) close() {
	if !c.shared {
		closeQuietly(c.conn)
	}
}
