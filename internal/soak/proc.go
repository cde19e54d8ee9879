package main

import (
	"os"
	"strconv"
	"strings"
)

// openDescriptors counts the open files of this process, where there is /proc.
func openDescriptors() float64 {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return unknown
	}
	const theDirectoryItself = 1
	return float64(len(entries) - theDirectoryItself)
}

// residentBytes is the memory of this process that is in RAM, where there is
// /proc (proc(5), statm).
func residentBytes() float64 {
	const residentPages = 1
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return unknown
	}
	fields := strings.Fields(string(text))
	if len(fields) <= residentPages {
		return unknown
	}
	pages, err := strconv.ParseInt(fields[residentPages], 10, 64)
	if err != nil {
		return unknown
	}
	return float64(pages * int64(os.Getpagesize()))
}
