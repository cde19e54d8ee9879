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
		r.mu.Lock()
		entry := r.all[identity]
		if entry == nil {
			entry = &registered{busy: make(chan struct{})}
			r.all[identity] = entry
			r.mu.Unlock()
			return r.start(ctx, entry, identity, c, session, real)
		}
		if busy := entry.busy; busy != nil {
			r.mu.Unlock()
			select {
			case <-busy:
				continue
			case <-ctx.Done():
				closeQuietly(real)
				return nil, ctx.Err()
			}
		}
		defer r.mu.Unlock()
		closeQuietly(real)
		if diff := entry.engine.settings.diff(c.settings); diff != "" {
			return nil, fmt.Errorf("writebehind: this process already uses the database with other settings; these differ: %s", diff)
		}
		entry.shares++
		return entry.engine, nil
	}
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
