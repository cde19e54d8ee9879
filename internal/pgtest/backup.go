package pgtest

import (
	"errors"
	"os"
	"path/filepath"
)

// errRuns refuses what needs the server to be stopped.
var errRuns = errors.New("pgtest: the server runs")

// Save keeps a copy of the data of a stopped server, in place of an earlier one.
func (s *Server) Save() error {
	return s.whileStopped(func(account) error { return packTemplate(s.dataDir(), s.savedData()) })
}

// Restore puts the data of a stopped server back to where they were at Save: the
// server has lost what it had committed since, as after a failover to an
// asynchronous standby or when a backup is restored.
func (s *Server) Restore() error {
	return s.whileStopped(func(acc account) error {
		saved, err := os.Open(s.savedData())
		if err != nil {
			return err
		}
		err = os.RemoveAll(s.dataDir())
		if err == nil {
			err = unpack(saved, s.dataDir(), acc)
		}
		return errors.Join(err, saved.Close())
	})
}

// Demote makes a stopped server a standby without a primary: once started it is in
// recovery, and answers what only reads, until pg_promote() is called.
func (s *Server) Demote() error {
	return s.whileStopped(func(acc account) error {
		signal := filepath.Join(s.dataDir(), "standby.signal")
		if err := os.WriteFile(signal, nil, 0o600); err != nil {
			return err
		}
		return acc.own(signal)
	})
}

func (s *Server) savedData() string { return filepath.Join(s.dir, "saved.tar") }

func (s *Server) whileStopped(f func(account) error) error {
	if s.External() {
		return ErrExternal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil && s.run.alive() {
		return errRuns
	}
	acc, err := serverAccount()
	if err != nil {
		return err
	}
	return f(acc)
}
