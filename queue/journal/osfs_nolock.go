//go:build (!unix && !windows) || solaris || aix

package journal

import (
	"fmt"
	"io"
	"runtime"
)

func (osFS) SyncDir(name string) error { return syncDir(name) }

// Lock fails: without a lock that dies with its process, two processes could
// write one journal.
func (osFS) Lock(name string) (io.Closer, error) {
	return nil, fmt.Errorf("journal: %s: no file locks on %s; use writebehind.journal=none", name, runtime.GOOS)
}

func (osFS) Locked(string) (bool, error) { return false, nil }
