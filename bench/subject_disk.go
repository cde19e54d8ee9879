package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// disk is a bare loop of group commit: each write is as many bytes as an UPDATE takes
// in the journal, in a file that was filled with zeros before, and returns after an
// fdatasync that covers it. It knows no rows: it is what the disk allows.
var disk = Subject{Name: "disk", Promise: "the bytes of an UPDATE in the journal, written and synced by a bare loop", Open: openDisk, Forgets: true}

// diskFile is the size of the file; at its end the writes begin anew.
const diskFile = 64 << 20

type diskClient struct {
	file  *os.File
	group []byte // what each write adds

	mu      sync.Mutex
	pending []byte
	last    int64 // writes so far
	synced  int64 // writes on disk
	off     int64
	syncing chan struct{} // closed when the sync under way has ended
	err     error
}

func openDisk(ctx context.Context, at place) (client, error) {
	size, err := groupSize(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("bytes of a group: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(at.dir, "disk"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	zeros := make([]byte, 1<<20)
	for range diskFile / len(zeros) {
		if _, err := f.Write(zeros); err != nil {
			return nil, err
		}
	}
	return &diskClient{file: f, group: make([]byte, size)}, f.Sync()
}

// write returns when its bytes are on disk. The first who waits writes and syncs for
// all who have come by then, after those who were just released had a chance to come.
func (c *diskClient) write() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	mine := c.last
	c.pending = append(c.pending, c.group...)
	for yields, seen := 0, mine-1; c.synced < mine && c.err == nil; {
		switch {
		case c.syncing != nil:
			done := c.syncing
			c.mu.Unlock()
			<-done
			c.mu.Lock()
		case seen < c.last && yields < 4:
			seen = c.last
			yields++
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
		default:
			c.sync()
		}
	}
	return c.err
}

// sync is called with the lock, which it gives up while it writes.
func (c *diskClient) sync() {
	buf, last, done := c.pending, c.last, make(chan struct{})
	c.pending, c.syncing = nil, done
	if c.off+int64(len(buf)) > diskFile {
		c.off = 0
	}
	off := c.off
	c.off += int64(len(buf))
	c.mu.Unlock()
	_, err := c.file.WriteAt(buf, off)
	if err == nil {
		err = fdatasync(c.file)
	}
	c.mu.Lock()
	c.synced, c.syncing, c.err = last, nil, err
	close(done)
}

func (c *diskClient) DB() *sql.DB                  { return nil }
func (c *diskClient) Table(string) rows            { return diskRows{c} }
func (c *diskClient) Caches() bool                 { return false }
func (c *diskClient) Settle(context.Context) error { return nil }
func (c *diskClient) Close() error                 { return c.file.Close() }

type diskRows struct{ c *diskClient }

func (r diskRows) Read(context.Context, int64) error       { return nil }
func (r diskRows) Set(context.Context, int64, int64) error { return r.c.write() }
func (r diskRows) Add(context.Context, int64, int64) error { return r.c.write() }
