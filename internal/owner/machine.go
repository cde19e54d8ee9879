package owner

import (
	"os"
	"strings"
)

// thisMachine identifies where a process number of this process means something:
// the machine, its boot and the container. It is "" if that is not known for
// certain; then only heartbeats tell who lives.
func thisMachine() string {
	host, errHost := os.Hostname()
	boot, errBoot := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, errSpace := os.Readlink("/proc/self/ns/pid")
	id := strings.TrimSpace(string(boot))
	if errHost != nil || errBoot != nil || errSpace != nil || id == "" || space == "" {
		return ""
	}
	return host + "/" + id + "/" + space
}

// here tells whether a machine is this one.
func (o *Owner) here(machine string) bool { return machine != "" && machine == o.opts.Machine }

// certainlyGone tells whether there is no such process on this machine. That
// another one has its number now makes it only less certain.
func (o *Owner) certainlyGone(machine string, pid int) bool {
	return o.here(machine) && !exists(pid)
}
