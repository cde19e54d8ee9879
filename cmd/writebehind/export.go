package main

import (
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/queue/journal"
)

// groupLine is a group: what one acknowledged statement does.
type groupLine struct {
	Journal string         `json:"journal"`
	LSN     journal.LSN    `json:"lsn"`
	Changes []queue.Change `json:"changes"`
}

func exportJournal(r *journal.Report, lines *writer) error {
	decoder := queue.NewChanges()
	return r.Replay(func(rec journal.Record) error {
		changes, err := decoder.Of(rec)
		if err != nil {
			return err
		}
		lines.put(groupLine{Journal: r.ID, LSN: rec.LSN, Changes: changes})
		return lines.err
	})
}
