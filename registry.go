package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"time"

	"github.com/writebehind/writebehind/internal/catalog"
)

// registry holds the engines of the process by the database they serve.
type registry struct {
	mu    sync.Mutex // never held over a question to a server
	all   map[string]*registered
	early map[*early]struct{}
}

// registered is an engine in the registry.
type registered struct {
	engine     *engine // nil while it is being started
	connectors int
	conns      int           // that are attached to it: some outlive their connector
	busy       chan struct{} // closed when its start or its end is over; nil when neither is under way
}

var engines = registry{all: make(map[string]*registered), early: make(map[*early]struct{})}

// acquire returns the engine for the database that real leads to, with one more
// share in it. It takes real over.
func (r *registry) acquire(ctx context.Context, c *Connector, session catalog.Session, real driver.Conn) (*engine, error) {
	identity := session.SystemID + "/" + session.DatabaseOID
	if !session.SystemIDKnown {
		// Two clusters may look alike; two DSNs of one do no harm but to have an
		// engine each, and then to be taken for two processes.
		identity += "/" + c.backend.dsn
	}
	for {
		e, fresh, busy, err := r.join(identity, c.settings)
		switch {
		case fresh != nil:
			return r.start(ctx, fresh, identity, c, session, real)
		case busy == nil:
			closeQuietly(real)
			return e, err
		}
		select {
		case <-busy:
		case <-ctx.Done():
			closeQuietly(real)
			return nil, ctx.Err()
		}
	}
}

// join takes a share in the engine of a database. If there is none, it returns a
// fresh entry for it, which the caller must start; if it is being started or
// closed, what to wait for.
func (r *registry) join(identity string, s settings) (e *engine, fresh *registered, busy <-chan struct{}, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry := r.all[identity]
	switch {
	case entry == nil:
		fresh = &registered{busy: make(chan struct{})}
		r.all[identity] = fresh
		return nil, fresh, nil, nil
	case entry.busy != nil:
		return nil, nil, entry.busy, nil
	}
	if diff := entry.engine.settings.diff(s); diff != "" {
		return nil, nil, nil, fmt.Errorf("writebehind: this process already uses the database with other settings; these differ: %s", diff)
	}
	entry.connectors++
	return entry.engine, nil, nil, nil
}

func (r *registry) start(ctx context.Context, entry *registered, identity string, c *Connector, session catalog.Session, real driver.Conn) (*engine, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout+c.settings.takeoverTimeout)
	defer cancel()
	e, err := newEngine(ctx, c, session, real)
	if err != nil {
		closeQuietly(real)
		err = fmt.Errorf("writebehind: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	close(entry.busy)
	entry.busy = nil
	if err != nil {
		delete(r.all, identity)
		return nil, err
	}
	e.identity = identity
	entry.engine, entry.connectors = e, 1
	r.holdEarly(e)
	return e, nil
}

// startTimeout bounds the start of an engine, which waits for whoever holds a
// table locked against readers, beside takeover_timeout.
const startTimeout = 30 * time.Second

// attach counts a connection among those that use an engine, which one of its
// connectors still does.
func (r *registry) attach(e *engine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[e.identity].conns++
}

// detach is the end of a connection. With the last one what is pending is
// brought to PostgreSQL, so that a program whose wrapper forgets to close the
// connector loses nothing by ending.
func (r *registry) detach(e *engine) error {
	r.mu.Lock()
	entry := r.all[e.identity]
	last := entry.conns == 1
	r.mu.Unlock()
	var err error
	if last {
		ctx, cancel := context.WithTimeout(context.Background(), e.settings.closeTimeout)
		err = e.drainAll(ctx) // a pool may close its connections while the server is away
		cancel()
	}
	return r.leave(e, func() { entry.conns-- }, err, time.Time{})
}

// release is the end of a connector. The last one drains.
func (r *registry) release(e *engine) error {
	r.mu.Lock()
	entry := r.all[e.identity]
	last := entry.connectors == 1
	r.mu.Unlock()
	var err error
	deadline := time.Now().Add(e.settings.closeTimeout)
	if last {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		err = e.drainPatiently(ctx)
		cancel()
	}
	return r.leave(e, func() { entry.connectors-- }, err, deadline)
}

// leave counts somebody off. When nobody is left the engine is closed, and its
// error is the one that counts.
func (r *registry) leave(e *engine, countOff func(), err error, deadline time.Time) error {
	r.mu.Lock()
	entry := r.all[e.identity]
	countOff()
	if entry.connectors+entry.conns > 0 {
		r.mu.Unlock()
		return err
	}
	entry.busy = make(chan struct{})
	r.mu.Unlock()

	err = e.close(deadline)

	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, e.identity)
	close(entry.busy)
	return err
}
