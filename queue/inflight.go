package queue

import (
	"bytes"
	"sync/atomic"
)

// inflight holds the groups that have an LSN and are not durable yet. Writers
// build on them, since their own durability includes them; readers do not see
// them. It is guarded by Queue.view.
type inflight struct {
	groups []*flight
	newest map[uint64]*flight // hash -> newest group with a row of it
	rows   atomic.Int64
	bytes  atomic.Int64
}

// flight is a group on its way to being durable.
type flight struct {
	lsn       LSN
	schema    uint64
	mutations []Mutation
	bytes     int64
	err       error // set before a waiter is released, if the group is gone
}

// newFlight copies a group, whose memory is the caller's.
func newFlight(lsn LSN, schema uint64, group []Mutation) *flight {
	t := &flight{lsn: lsn, schema: schema, mutations: make([]Mutation, len(group))}
	size := 0
	for i := range group {
		size += len(group[i].Key) + len(group[i].Image) + len(group[i].Deltas)
	}
	buffer := make([]byte, 0, size)
	for i, m := range group {
		buffer = append(append(append(buffer, m.Key...), m.Image...), m.Deltas...)
		n := len(buffer)
		m.Deltas = buffer[n-len(m.Deltas) : n : n]
		n -= len(m.Deltas)
		m.Image = buffer[n-len(m.Image) : n : n]
		n -= len(m.Image)
		m.Key = buffer[n-len(m.Key) : n : n]
		t.mutations[i] = m
	}
	t.bytes = int64(size) + int64(len(group))*64
	return t
}

func (f *inflight) add(t *flight) {
	if f.newest == nil {
		f.newest = make(map[uint64]*flight)
	}
	f.groups = append(f.groups, t)
	for i := range t.mutations {
		f.newest[t.mutations[i].Hash] = t
	}
	f.rows.Add(int64(len(t.mutations)))
	f.bytes.Add(t.bytes)
}

// take removes and returns the oldest group.
func (f *inflight) take() *flight {
	t := f.groups[0]
	f.groups[0] = nil
	f.groups = f.groups[1:]
	for i := range t.mutations {
		if h := t.mutations[i].Hash; f.newest[h] == t {
			delete(f.newest, h)
		}
	}
	f.rows.Add(-int64(len(t.mutations)))
	f.bytes.Add(-t.bytes)
	return t
}

// get finds the newest image of a row.
func (f *inflight) get(dst, key []byte, hash, schema uint64) ([]byte, State, *flight) {
	t := f.newest[hash]
	if t == nil {
		return dst, Missing, nil
	}
	for i := len(t.mutations) - 1; i >= 0; i-- {
		m := &t.mutations[i]
		if m.Hash != hash || !bytes.Equal(m.Key, key) {
			continue
		}
		switch {
		case t.schema != schema || m.stale:
			return dst, Stale, t
		case m.Shape.Kind == Delete:
			return dst, Absent, t
		}
		return append(dst, m.Image...), Present, t
	}
	return dst, Stale, t // another row of the same hash: rare, and PostgreSQL knows
}

// Pending is Get for a writer: it sees groups in flight, too. What it returns
// holds until Lost moves.
func (q *Queue) Pending(dst, key []byte, hash, schema uint64) ([]byte, State, Receipt) {
	if q.flight.rows.Load() > 0 {
		q.view.RLock()
		image, state, group := q.flight.get(dst, key, hash, schema)
		q.view.RUnlock()
		if state != Missing {
			return image, state, Receipt{LSN: group.lsn, flight: group}
		}
	}
	image, state := q.Get(dst, key, hash, schema)
	return image, state, Receipt{}
}

// Lost counts the times that groups in flight were dropped because the journal
// failed.
func (q *Queue) Lost() uint64 { return q.lost.Load() }

// Durable waits until a group is as durable as asked: until then it is not
// acknowledged. An error means that the journal has failed and the group is not
// going to be flushed.
func (q *Queue) Durable(r Receipt) error {
	if r.flight == nil {
		return nil
	}
	err := q.opts.Journal.Wait(r.LSN)
	q.view.RLock()
	defer q.view.RUnlock()
	if r.flight.err != nil {
		return r.flight.err
	}
	return err
}

// becameDurable enters groups into the active memtable, oldest first.
func (q *Queue) becameDurable(lsn LSN) {
	q.view.Lock()
	defer q.view.Unlock()
	for len(q.flight.groups) > 0 && q.flight.groups[0].lsn <= lsn {
		t := q.flight.groups[0]
		q.apply(t.lsn, t.schema, t.mutations)
		q.flight.take()
	}
}

// journalFailed drops what is in flight: it never was acknowledged. The caller
// is no writer that holds the commit lock.
func (q *Queue) journalFailed(durable LSN, err error) {
	q.commit.Lock()
	defer q.commit.Unlock()
	q.view.Lock()
	defer q.view.Unlock()
	last := q.lsn
	if len(q.flight.groups) > 0 {
		q.lsn = durable
	}
	for len(q.flight.groups) > 0 {
		q.flight.take().err = err
	}
	if q.opts.Journal.Err() != nil {
		q.void(last)
	}
	q.lost.Add(1)
	q.progress.change(func() {}) // whoever waits for groups that are gone looks again
	q.opts.Logger.Error("writebehind: the journal failed, writes in flight were not acknowledged", "error", err)
}
