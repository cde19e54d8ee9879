package pgtest

import (
	"errors"
	"fmt"
	"syscall"
)

// Pause holds the server and all its sessions still, as a machine does that is
// short of everything: connections stay open, the system accepts new ones, and
// nobody answers until Resume. A paused server can be killed, not stopped.
func (s *Server) Pause() error { return s.signalAll(syscall.SIGSTOP) }

// Resume ends Pause. It does nothing to a server that runs.
func (s *Server) Resume() error { return s.signalAll(syscall.SIGCONT) }

// signalAll sends a signal to the server and then to its children. A stopped
// server makes no further ones, so none is missed.
func (s *Server) signalAll(signal syscall.Signal) error {
	if s.External() {
		return ErrExternal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil || !s.run.alive() {
		return errors.New("pgtest: the server does not run")
	}
	pid := s.run.cmd.Process.Pid
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("pgtest: %v to PostgreSQL: %w", signal, err)
	}
	children, err := childrenOf(pid)
	for _, child := range children {
		if e := syscall.Kill(child, signal); e != nil && !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("pgtest: %v to the children of PostgreSQL: %w", signal, err)
	}
	return nil
}
