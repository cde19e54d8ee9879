package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/writebehind/writebehind/internal/pgtest"
)

// startServer starts the server of all suites. Its buffers hold the tables of one
// suite, and its WAL may grow so far that a checkpoint does not fall upon one subject
// rather than another; the rest are PostgreSQL's defaults. The server that PGTEST_DSN names is taken
// as it is, and needs room for some thousand connections.
func startServer(ctx context.Context, durable bool) (*pgtest.Server, error) {
	if os.Getenv(pgtest.EnvDSN) != "" {
		return pgtest.Start(ctx)
	}
	options := []pgtest.Option{pgtest.WithSetting("max_connections", "1500"), pgtest.WithSetting("shared_buffers", "2GB"), pgtest.WithSetting("max_wal_size", "8GB")}
	if durable {
		options = append(options, pgtest.WithFsync())
	}
	return pgtest.Start(ctx, options...)
}

// environment is the open subjects of one suite, each with a database of its own.
type environment struct {
	server   *pgtest.Server
	admin    *sql.DB
	dir      string
	delay    *delay              // nil on the loopback
	sessions map[string]*session // by subject
	drop     []string            // databases
}

// newEnvironment makes the tables of the suite, copies them for each subject
// and opens the subjects.
func newEnvironment(ctx context.Context, server *pgtest.Server, m measured) (e *environment, err error) {
	e = &environment{server: server, sessions: map[string]*session{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if e.admin, err = sql.Open("postgres", server.DSN("postgres")); err != nil {
		return nil, err
	}
	if e.dir, err = os.MkdirTemp("", "writebehind-bench-"); err != nil {
		return nil, err
	}
	var network []string
	if m.roundTrip > 0 {
		if e.delay, err = newDelay(net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port())), m.roundTrip); err != nil {
			return nil, err
		}
		network = e.delay.params()
	}
	template, err := e.makeTemplate(ctx, m.operations)
	if err != nil {
		return nil, err
	}
	for _, c := range m.cases {
		if e.sessions[c.subject.Name] == nil {
			if err := e.copy(ctx, c.subject, template, network); err != nil {
				return nil, fmt.Errorf("%s: %w", c.subject.Name, err)
			}
		}
	}
	// Each copy is a checkpoint, so all come first.
	for name, s := range e.sessions {
		if err := s.open(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return e, nil
}

// makeTemplate makes the database that the subjects' are copies of.
func (e *environment) makeTemplate(ctx context.Context, operations []Operation) (name string, err error) {
	if name, err = e.create(ctx, "template0"); err != nil {
		return "", err
	}
	plain, err := sql.Open("postgres", e.server.DSN(name))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	for _, o := range operations {
		if err := o.Setup(ctx, plain); err != nil {
			return "", fmt.Errorf("%s: %w", o.About().name, err)
		}
	}
	return name, nil
}

// create makes a database that is dropped in the end.
func (e *environment) create(ctx context.Context, template string) (string, error) {
	name := "bench_" + strings.ToLower(rand.Text()[:12])
	_, err := e.admin.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy")
	if err == nil {
		e.drop = append(e.drop, name)
	}
	return name, err
}

// copy makes the subject's database, if it needs one.
func (e *environment) copy(ctx context.Context, subject Subject, template string, network []string) error {
	s := &session{subject: subject, at: place{server: e.server, network: network, dir: filepath.Join(e.dir, subject.Name)}, inserted: map[string]int64{}, found: map[string]float64{}}
	err := os.Mkdir(s.at.dir, 0o700)
	if err != nil {
		return err
	}
	if !subject.Local {
		if s.at.database, err = e.create(ctx, template); err != nil {
			return err
		}
	}
	e.sessions[subject.Name] = s
	return nil
}

// open opens the subject, and the plain driver if what it writes is to be found.
func (s *session) open(ctx context.Context) (err error) {
	if !s.subject.Local {
		plain, err := sql.Open("postgres", s.at.server.DSN(s.at.database)) // not through the delay
		if err != nil {
			return err
		}
		if err := touch(ctx, plain); err != nil {
			return errors.Join(err, plain.Close())
		}
		if s.subject.Forgets {
			err = plain.Close()
		} else {
			s.plain = plain
		}
		if err != nil {
			return err
		}
	}
	s.client, err = s.subject.Open(ctx, s.at)
	return err
}

// touch changes each page of each table. The first change of a page after a checkpoint
// writes the whole page to the WAL: in a short measurement a slow subject would pay that
// for every row, where in a long one it comes to nothing.
func touch(ctx context.Context, plain *sql.DB) error {
	rows, err := plain.QueryContext(ctx, `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := plain.ExecContext(ctx, `UPDATE `+name+` SET n = n WHERE id % 64 = 0`); err != nil {
			return fmt.Errorf("touch %s: %w", name, err)
		}
	}
	return nil
}

// mostGoroutines is the largest number of goroutines that a case has.
const mostGoroutines = 64

// connect opens as many connections as there are goroutines, and keeps them, so that
// dialling is no part of what is measured. One more may be opened, for looking on.
func (s *session) connect(ctx context.Context, goroutines int) error {
	db := s.DB()
	if db == nil {
		return nil
	}
	db.SetMaxOpenConns(mostGoroutines + 1)
	db.SetMaxIdleConns(mostGoroutines + 1)
	conns := make([]*sql.Conn, 0, goroutines)
	var err error
	for len(conns) < goroutines && err == nil {
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

// close closes the subjects and drops their databases.
func (e *environment) close() error {
	var err error
	for name, s := range e.sessions {
		if s.client != nil {
			if closeErr := s.client.Close(); closeErr != nil {
				err = errors.Join(err, fmt.Errorf("close %s: %w", name, closeErr))
			}
		}
		if s.plain != nil {
			err = errors.Join(err, s.plain.Close())
		}
	}
	if e.delay != nil {
		err = errors.Join(err, e.delay.Close())
	}
	if e.admin != nil {
		for _, name := range e.drop {
			_, dropErr := e.admin.ExecContext(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			err = errors.Join(err, dropErr)
		}
		err = errors.Join(err, e.admin.Close())
	}
	return errors.Join(err, os.RemoveAll(e.dir))
}
