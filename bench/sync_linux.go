package main

import (
	"os"
	"syscall"
)

// fdatasync syncs the contents of a file.
func fdatasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
