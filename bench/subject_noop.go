package main

import (
	"context"
	"database/sql"

	"github.com/writebehind/writebehind/bench/noop"
)

// openNoop opens database/sql itself: its driver does nothing.
func openNoop(context.Context, place) (client, error) {
	db, err := sql.Open(noop.Name, "")
	return driverClient{db}, err
}
