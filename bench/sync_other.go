//go:build !linux

package main

import "os"

// fdatasync syncs a file.
func fdatasync(f *os.File) error { return f.Sync() }
