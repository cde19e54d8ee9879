//go:build unix

package owner

import (
	"errors"
	"syscall"
)

// exists tells whether there is a process of that number.
func exists(pid int) bool { return pid <= 0 || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
