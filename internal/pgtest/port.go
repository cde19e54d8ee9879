package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports are taken below the range that systems use for outgoing connections
// (Linux: from 32768), so that a stopped server finds its port free again.
const (
	firstPort = 20000
	lastPort  = 32000
)

// portLease keeps other processes of ours from a port, also while the server
// that uses it is stopped.
type portLease struct {
	number int
	lock   *os.File
}

func leasePort(ctx context.Context) (*portLease, error) {
	const attempts = 1000
	for range attempts {
		number := firstPort + rand.IntN(lastPort-firstPort)
		lease, err := tryPort(ctx, number)
		if err != nil {
			return nil, err
		}
		if lease != nil {
			return lease, nil
		}
	}
	return nil, fmt.Errorf("pgtest: no free port between %d and %d", firstPort, lastPort)
}

// tryPort returns nil if the port is in use.
func tryPort(ctx context.Context, number int) (*portLease, error) {
	name := fmt.Sprintf("pgtest-%d-port-%d.lock", os.Getuid(), number)
	path := filepath.Join(os.TempDir(), name)
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, lock.Close()
	}
	lease := &portLease{number: number, lock: lock}
	if !lease.stands() {
		return nil, lock.Close()
	}
	used, err := listening(ctx, number)
	if err != nil || used {
		lease.release()
		return nil, err
	}
	return lease, nil
}

// listening reports whether somebody listens on the port. It asks by connecting:
// to listen on the port oneself would show less doubt, but a process that is
// being forked at that moment keeps the port occupied for a while.
func listening(ctx context.Context, number int) (bool, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(number))
	c, err := new(net.Dialer).DialContext(ctx, "tcp4", address)
	if err == nil {
		return true, c.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false, nil
	}
	return false, fmt.Errorf("pgtest: %w", err)
}

// stands reports whether the lock's file is still the one at its path: its
// owner may have removed it between our opening and locking it.
func (p *portLease) stands() bool {
	held, err := p.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(p.lock.Name())
	return err == nil && os.SameFile(held, there)
}

// release gives the port back.
func (p *portLease) release() {
	_ = os.Remove(p.lock.Name())
	_ = p.lock.Close()
}
