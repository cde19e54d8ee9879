package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/allegro/bigcache/v3"
)

// cacheAside is the cache that a team would put beside lib/pq by hand: look into
// BigCache, else SELECT and fill it. It is for reads alone; who writes has to
// take care of the cache.
var cacheAside = Subject{Name: "cache-aside", Promise: "reads: BigCache of 256 MB beside lib/pq, by hand", Open: openAside}

type asideClient struct {
	driverClient
	cache *bigcache.BigCache
}

func openAside(ctx context.Context, at place) (client, error) {
	db, err := sql.Open("postgres", at.dsn())
	if err != nil {
		return nil, err
	}
	config := bigcache.DefaultConfig(10 * time.Minute)
	config.HardMaxCacheSize, config.MaxEntriesInWindow, config.Verbose = 256, 0, false
	c, err := bigcache.New(context.WithoutCancel(ctx), config)
	return asideClient{driverClient{db}, c}, err
}

func (c asideClient) Caches() bool { return true }
func (c asideClient) Table(name string) rows {
	return asideRows{newSQLRows(c.db, name, ""), name + ":", c.cache}
}
func (c asideClient) Close() error { return errors.Join(c.cache.Close(), c.db.Close()) }

type asideRows struct {
	sqlRows
	prefix string
	cache  *bigcache.BigCache
}

// item is what the application makes of a row.
type item struct {
	name     string
	price, n int64
}

var errBadEntry = errors.New("an entry of the cache cannot be read")

func (r asideRows) Read(ctx context.Context, key int64) error {
	entry := r.prefix + strconv.FormatInt(key, 10)
	b, err := r.cache.Get(entry)
	if err == nil {
		if _, ok := decodeItem(b); !ok {
			return errBadEntry
		}
		return nil
	}
	if !errors.Is(err, bigcache.ErrEntryNotFound) {
		return err
	}
	var i item
	if err := r.db.QueryRowContext(ctx, r.read, key).Scan(&i.name, &i.price, &i.n); err != nil {
		return err
	}
	return r.cache.Set(entry, i.encode())
}

func (i item) encode() []byte {
	b := binary.AppendVarint(nil, i.price)
	b = binary.AppendVarint(b, i.n)
	return append(b, i.name...)
}

func decodeItem(b []byte) (i item, ok bool) {
	price, n := binary.Varint(b)
	if n <= 0 {
		return item{}, false
	}
	count, m := binary.Varint(b[n:])
	if m <= 0 {
		return item{}, false
	}
	return item{string(b[n+m:]), price, count}, true
}
