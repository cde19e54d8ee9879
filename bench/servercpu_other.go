//go:build !linux

package main

import "time"

// serverCPU is not known here.
func serverCPU(int) (time.Duration, bool) { return 0, false }
