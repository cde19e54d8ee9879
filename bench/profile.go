package main

import (
	"os"
	"runtime/pprof"
)

// profile begins a profile of the processor time, if there is a file for it, and
// returns what ends it.
func profile(path string) (end func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, pprof.StartCPUProfile(f)
}
