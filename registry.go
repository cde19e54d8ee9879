package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"

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
	engine *engine       // nil while it is being started
	shares int           // connectors that use it
	busy   chan struct{} // closed when its start or its end is over; nil when neither is under way
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
	entry.shares++
	return entry.engine, nil, nil, nil
}

func (r *registry) start(ctx context.Context, entry *registered, identity string, c *Connector, session catalog.Session, real driver.Conn) (*engine, error) {
	e, err := newEngine(ctx, c, session, real)
	r.mu.Lock()
	defer r.mu.Unlock()
	close(entry.busy)
	entry.busy = nil
	if err != nil {
		delete(r.all, identity)
		closeQuietly(real)
		return nil, fmt.Errorf("writebehind: %w", err)
	}
	e.identity = identity
	entry.engine, entry.shares = e, 1
	r.holdEarly(e)
	return e, nil
}

// release gives a share back; with the last one the engine is closed.
func (r *registry) release(e *engine) error {
	r.mu.Lock()
	entry := r.all[e.identity]
	entry.shares--
	if entry.shares > 0 {
		r.mu.Unlock()
		return nil
	}
	entry.busy = make(chan struct{})
	r.mu.Unlock()

	err := e.close()

	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, e.identity)
	close(entry.busy)
	return err
}
