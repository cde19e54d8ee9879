//go:build unix

package owner

import (
	"errors"
	"os"
	"syscall"
)

// alive tells whether a process of this machine is there.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// machine adds to the name of a host what tells two machines, two runs of one,
// and two containers on one apart: only then does a pid mean anything.
func machine(host string) string {
	boot, errBoot := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, errSpace := os.Readlink("/proc/self/ns/pid")
	if errBoot != nil || errSpace != nil {
		return host
	}
	return host + "/" + string(boot[:len(boot)-1]) + "/" + space
}
