package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// connections is how many connections each subject keeps open: one for each
// goroutine.
const connections = 16

// environment is the server and the open subjects.
type environment struct {
	server   *pgtest.Server
	version  string
	sessions map[string]*session // by subject
}

// newEnvironment starts the server, makes the tables that the cases need and
// opens their subjects.
func newEnvironment(ctx context.Context, cases []benchCase) (e *environment, err error) {
	server, err := pgtest.Start(ctx, pgtest.WithFsync())
	if err != nil {
		return nil, err
	}
	e = &environment{server: server, sessions: map[string]*session{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	for _, c := range cases {
		if e.sessions[c.subject.Name()] == nil {
			if err := e.addDatabase(ctx, c.subject); err != nil {
				return nil, fmt.Errorf("%s: %w", c.subject.Name(), err)
			}
		}
		if err := c.operation.Setup(ctx, e.sessions[c.subject.Name()].plain); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name(), err)
		}
	}
	for name, s := range e.sessions {
		if s.db, err = s.Open(server, s.database); err == nil {
			err = connectAll(ctx, s.db)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := s.plain.QueryRowContext(ctx, `SHOW server_version`).Scan(&e.version); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// addDatabase makes the subject's database and its plain handle.
func (e *environment) addDatabase(ctx context.Context, s Subject) error {
	name := fmt.Sprintf("bench_%s_%s", strings.ReplaceAll(s.Name(), "-", "_"), strings.ToLower(rand.Text()[:8]))
	if err := e.server.AddDatabase(ctx, name); err != nil {
		return err
	}
	plain, err := sql.Open("postgres", e.server.DSN(name))
	if err != nil {
		return err
	}
	e.sessions[s.Name()] = &session{Subject: s, plain: plain, database: name}
	return nil
}

// connectAll opens all connections, so that dialling is no part of what is
// measured.
func connectAll(ctx context.Context, db *sql.DB) error {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	conns := make([]*sql.Conn, 0, connections)
	var err error
	for len(conns) < connections && err == nil {
		var c *sql.Conn
		if c, err = db.Conn(ctx); err == nil {
			conns = append(conns, c)
			err = c.PingContext(ctx)
		}
	}
	for _, c := range conns {
		err = errors.Join(err, c.Close())
	}
	return err
}

// close closes the subjects and drops their databases, which matters on a
// server that is not ours to end.
func (e *environment) close() error {
	var err error
	for _, s := range e.sessions {
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		err = errors.Join(err, s.plain.Close(),
			e.server.DropDatabase(context.Background(), s.database))
	}
	return errors.Join(err, e.server.Close())
}
