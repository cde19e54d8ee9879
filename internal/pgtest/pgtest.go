// Package pgtest starts throwaway PostgreSQL clusters from the installed
// binaries, for tests, examples and benchmarks.
//
// A cluster lives in a temporary directory, listens on a free port of
// 127.0.0.1 and on a Unix socket, and is gone after Close. On Linux it also
// dies with the process that started it, whatever way that process ends; what
// such a process leaves in the temporary directory is removed by the next
// Start. On other systems call Close (tests: Main).
//
// Without binaries, as root on a system with apt-get, the server is installed;
// elsewhere the error says what to install. The environment variable
// PGTEST_DSN names a running server to use instead (superuser, either DSN
// form). Such a server is never stopped: Kill, Stop and Restart return
// ErrExternal, and tests that need them skip (see RequireControl).
//
// PostgreSQL refuses to run as root. A process that is root starts it as the
// user postgres, or nobody where there is no such user.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
)

// EnvDSN is the environment variable that names a running server to use
// instead of a cluster of our own.
const EnvDSN = "PGTEST_DSN"

// superuser is the role that initdb creates in every cluster of ours.
const superuser = "postgres"

// ErrExternal is returned by what a server named by PGTEST_DSN cannot do: be
// stopped, killed or restarted, or be started with settings of our choice.
var ErrExternal = errors.New("pgtest: the server is named by " + EnvDSN + " and is not ours to control")

// Server is a PostgreSQL server. All methods may be called concurrently.
type Server struct {
	opts options
	base map[string]string // connection parameters

	// Set for a cluster of our own only.
	bin  binaries
	dir  string // holds everything below; owned by the server's user
	lock *os.File
	port *portLease

	mu     sync.Mutex
	run    *process // nil while stopped
	closed bool
}

// Start starts a new cluster, or connects to the server that PGTEST_DSN names.
// It returns when the server accepts connections. The caller must Close it.
func Start(ctx context.Context, opts ...Option) (*Server, error) {
	o := newOptions(opts)
	if dsn := os.Getenv(EnvDSN); dsn != "" {
		return external(ctx, dsn, o)
	}
	bin, err := findBinaries(ctx)
	if err != nil {
		return nil, err
	}
	sweep()
	s := &Server{opts: o, bin: bin}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// create makes the data directory and starts the server on it for the first
// time. What it made before an error is removed by the caller.
func (s *Server) create(ctx context.Context) error {
	acc, err := serverAccount()
	if err != nil {
		return err
	}
	if s.dir, s.lock, err = makeBase(acc); err != nil {
		return err
	}
	if err := makeData(ctx, s.bin, acc, s.opts, s.dataDir()); err != nil {
		return err
	}
	if s.port, err = leasePort(ctx); err != nil {
		return err
	}
	s.base = map[string]string{
		"host":    "127.0.0.1",
		"port":    strconv.Itoa(s.port.number),
		"user":    superuser,
		"sslmode": "disable",
	}
	if s.opts.password != "" {
		s.base["password"] = s.opts.password
	}
	return s.Start(ctx)
}

// Start starts the server again after Stop or Kill, on the same port and data.
// It returns when the server accepts connections, crash recovery included, and
// does nothing if the server runs.
func (s *Server) Start(ctx context.Context) error {
	if s.External() {
		return ErrExternal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("pgtest: the server is closed")
	}
	if s.run != nil && s.run.alive() {
		return nil
	}
	run, err := s.launch(ctx)
	if err != nil {
		return fmt.Errorf("pgtest: start PostgreSQL: %w", err)
	}
	s.run = run
	return nil
}

// Stop shuts the server down in order ("fast": open transactions are rolled
// back, sessions ended). It returns when the server is gone. A server that has
// not obeyed after 30 seconds is killed, which is reported as an error.
func (s *Server) Stop() error { return s.end((*process).stop) }

// Kill ends the server and all its sessions at once with SIGKILL, as a crash
// would, and returns when all its processes are gone. What was committed is
// there after Start, also with fsync off: only a crash of the machine could
// take it back.
func (s *Server) Kill() error { return s.end((*process).kill) }

// Restart stops the server, if it runs, and starts it again.
func (s *Server) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.Start(context.Background())
}

func (s *Server) end(how func(*process) error) error {
	if s.External() {
		return ErrExternal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil
	}
	run := s.run
	s.run = nil
	return how(run)
}

// Close ends the server and removes its data. Only the first call does
// anything. It leaves a server named by PGTEST_DSN alone.
func (s *Server) Close() error {
	if s.External() {
		return nil
	}
	// Nobody reads the data again, so the quickest end will do.
	err := s.Kill()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(err, s.remove())
}

func (s *Server) remove() error {
	if s.port != nil {
		s.port.release()
	}
	if s.dir == "" {
		return nil
	}
	err := os.RemoveAll(s.dir)
	return errors.Join(err, s.lock.Close())
}

// External reports whether the server is named by PGTEST_DSN, hence not ours
// to stop.
func (s *Server) External() bool { return s.dir == "" && s.base != nil }

// Running reports whether the server's process lives. It is always true for a
// server named by PGTEST_DSN.
func (s *Server) Running() bool {
	if s.External() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.run != nil && s.run.alive()
}

// Command returns a command that runs a program of the server's installation
// (psql, pg_dump, pgbench), with the environment it needs to reach the server
// and the given database as superuser. It fails for a server named by
// PGTEST_DSN and for a program that is not installed.
func (s *Server) Command(ctx context.Context, db, program string, args ...string) (*exec.Cmd, error) {
	if s.External() {
		return nil, ErrExternal
	}
	path := filepath.Join(s.bin.dir, program)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("pgtest: %s: %w", program, err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(cleanEnv(),
		"PGHOST="+s.base["host"], "PGPORT="+s.base["port"], "PGUSER="+s.base["user"],
		"PGPASSWORD="+s.base["password"], "PGDATABASE="+db)
	return cmd, nil
}

// Log returns what the server has logged so far, or nothing for a server named
// by PGTEST_DSN.
func (s *Server) Log() (string, error) {
	if s.External() {
		return "", nil
	}
	b, err := os.ReadFile(s.logFile())
	return string(b), err
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "postgres.log") }
