package main

import (
	"context"
	"database/sql"
	"path/filepath"
)

// recovered is writebehind, sync=off, that is opened anew for each measurement.
var recovered = Subject{Name: "writebehind-off", Promise: promises[syncOff] + "; holds all until it is asked for", Open: openRecovered}

// recoveredClient has no database open until open is called.
type recoveredClient struct {
	shimClient
	dsn string
}

func openRecovered(_ context.Context, at place) (client, error) {
	params := append([]string{"writebehind.tables=trusted", "writebehind.insert=trust", cache, "writebehind.sync=off",
		"writebehind.journal=" + filepath.Join(at.dir, "journal")}, held...)
	return &recoveredClient{dsn: at.dsn(params...)}, nil
}

func (c *recoveredClient) open() (err error) {
	c.db, err = sql.Open("writebehind", c.dsn)
	return err
}

func (c *recoveredClient) Close() error {
	if c.db == nil {
		return nil
	}
	db := c.db
	c.db = nil
	return db.Close()
}
