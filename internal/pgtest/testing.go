package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
)

// New returns a server for one test, closed when the test ends. It fails the
// test if there is no PostgreSQL, and skips it if PGTEST_DSN names a server
// that cannot serve the options.
func New(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s, err := Start(t.Context(), opts...)
	if errors.Is(err, ErrExternal) {
		t.Skipf("the test needs options of its own: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			logTail(t, s)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// logTail shows the end of the server's log with a failed test.
func logTail(t testing.TB, s *Server) {
	t.Helper()
	const length = 4000
	text, err := s.Log()
	if err != nil {
		t.Logf("the server's log: %v", err)
		return
	}
	t.Logf("the end of the server's log:\n%s", text[max(0, len(text)-length):])
}

// shared is the one server of the test process.
var shared struct {
	mu     sync.Mutex
	server *Server
	err    error
}

// Shared returns the one server of the test process, started at first use.
// Tests keep apart by CreateDatabase, and must not stop it. It is closed by
// Main or CloseShared; on Linux it also ends with the process.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.err == nil {
		// It outlives the test that happens to be first.
		shared.server, shared.err = Start(context.WithoutCancel(t.Context()))
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// SharedByWorkers returns the server of Shared to a fuzz target. The processes that
// fuzzing starts use that of the process that started them, so that there is one
// server, whatever their number.
func SharedByWorkers(f *testing.F) *Server {
	f.Helper()
	s := Shared(f)
	f.Setenv(EnvDSN, s.DSN(""))
	return s
}

// CloseShared closes the server of Shared, if it was started, and returns when
// it and its goroutine are gone. A TestMain that has more to do than Main calls
// it after m.Run.
func CloseShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	s := shared.server
	if s == nil {
		return nil
	}
	shared.server = nil
	return s.Close()
}

// Main is for TestMain: it runs the tests, closes the server of Shared and
// exits.
func Main(m *testing.M) {
	code := m.Run()
	if err := CloseShared(); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = max(code, 1)
	}
	os.Exit(code)
}

// CreateDatabase creates an empty database for the test and returns its name.
// It is dropped when the test ends, whoever is still connected to it.
func (s *Server) CreateDatabase(t testing.TB) string {
	t.Helper()
	name := databaseName(t.Name())
	if err := s.AddDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !s.Running() {
			return // the test has stopped it
		}
		if err := s.DropDatabase(context.WithoutCancel(t.Context()), name); err != nil {
			t.Error(err)
		}
	})
	return name
}

// RequireControl skips the test if the server is named by PGTEST_DSN: it cannot
// be stopped, killed or restarted.
func (s *Server) RequireControl(t testing.TB) {
	t.Helper()
	if s.External() {
		t.Skip(ErrExternal)
	}
}

// databaseName makes a name that needs no quotes, tells which test it belongs
// to, and is unique among all processes that share a server.
func databaseName(test string) string {
	const longest = 40 // with the rest below PostgreSQL's 63 bytes
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, strings.ToLower(test))
	return "t_" + plain[:min(len(plain), longest)] + "_" + strings.ToLower(rand.Text()[:12])
}
