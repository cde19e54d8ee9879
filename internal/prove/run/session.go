package run

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// session is the application on one side: a database and the connections to it.
type session struct {
	driver   string
	dsn      string
	number   int           // of connections
	held     bool          // sql.Conns rather than the sql.DB
	asks     bool          // for the processes behind the connections
	deadline time.Duration // 0: the context cannot end

	counts func(*sql.DB) (Counts, error)
	total  Counts

	db    *sql.DB
	lines []*line
}

func (b *Bench) session(side int, h history.History, journal string) *session {
	s := &session{driver: b.Real, dsn: b.dsn(side, h.Settings, journal), number: h.Connections()}
	s.held = h.Settings.Conn || s.number > 1
	s.asks = side == 0 && s.number > 1
	if h.Settings.Deadline {
		s.deadline = 10 * b.Patience
	}
	if side == 1 {
		s.driver, s.counts = b.subject, b.Counts
	}
	return s
}

func (s *session) open(ctx context.Context) error {
	db, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return err
	}
	// As many connections as are used, so that what a session remembers is the
	// same on both sides.
	db.SetMaxOpenConns(s.number)
	s.db = db
	if s.lines == nil {
		for range s.number {
			s.lines = append(s.lines, &line{session: s})
		}
	}
	for _, l := range s.lines {
		l.text, l.kept = false, map[string]*sql.Stmt{}
		if !s.held {
			continue
		}
		if l.conn, err = db.Conn(ctx); err != nil {
			return err
		}
		if s.asks {
			if err := l.conn.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&l.pid); err != nil {
				return err
			}
		}
	}
	return nil
}

// close ends what is open and closes the database, which flushes it.
func (s *session) close() error {
	var errs []error
	for _, l := range s.lines {
		errs = append(errs, l.close())
	}
	if s.db != nil {
		if s.counts != nil {
			c, err := s.counts(s.db)
			s.total = s.total.Add(c)
			errs = append(errs, err)
		}
		errs = append(errs, s.db.Close())
		s.db = nil
	}
	return errors.Join(errs...)
}
