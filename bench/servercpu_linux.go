package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// serverCPU is the processor time that a server has used so far, told by one of its
// backends: its running processes by the nanosecond, those that have ended by the tick.
func serverCPU(backend int) (time.Duration, bool) {
	const tick = time.Second / 100 // USER_HZ
	f := procStat(backend)
	if f == nil || !bytes.HasPrefix(procName(backend), []byte("postgres")) {
		return 0, false
	}
	postmaster := f[1]
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, false
	}
	total := runTime(postmaster)
	if p := procStat(postmaster); p != nil {
		total += time.Duration(p[13]+p[14]) * tick // cutime, cstime
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if f := procStat(pid); len(f) > 1 && f[1] == postmaster {
				total += runTime(pid)
			}
		}
	}
	return total, true
}

func procName(pid int) []byte {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // nil if there is no such process
	return name
}

// procStat returns the fields of a process's stat behind its name, of which the first
// is no number; nil if there is no such process.
func procStat(pid int) []int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	words := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(words) < 15 {
		return nil
	}
	fields := make([]int, 15)
	for i := range fields {
		fields[i], _ = strconv.Atoi(string(words[i])) // the state is no number
	}
	return fields
}

// runTime is how long a process has been on a processor.
func runTime(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0
	}
	if words := bytes.Fields(b); len(words) > 0 {
		ns, _ := strconv.ParseInt(string(words[0]), 10, 64) // 0 where the kernel does not count
		return time.Duration(ns)
	}
	return 0
}
