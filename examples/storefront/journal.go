package main

import "path/filepath"

// journal is a kind of journal that writebehind runs with.
type journal string

const (
	synced   journal = "on"  // a write is acknowledged once it is on disk
	unsynced journal = "off" // once the operating system has it
	none     journal = "none"
)

func (j journal) String() string {
	if j == none {
		return "journal=none"
	}
	return "sync=" + string(j)
}

// params are those of the DSN; the journal is in a directory of its own.
func (j journal) params(parent string) []param {
	if j == none {
		return []param{{"writebehind.journal", "none"}}
	}
	return []param{{"writebehind.journal", filepath.Join(parent, string(j))}, {"writebehind.sync", string(j)}}
}
