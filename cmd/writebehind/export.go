package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/writebehind/writebehind/queue/journal"
)

// definitionLine is a definition that later groups of the journal name, until
// another one has its id.
type definitionLine struct {
	Journal    string          `json:"journal"`
	ID         uint32          `json:"id"`
	Definition json.RawMessage `json:"definition"`
}

// groupLine is a group.
type groupLine struct {
	Journal string      `json:"journal"`
	LSN     journal.LSN `json:"lsn"`
	Payload any         `json:"payload"`
}

// payloadOf is what export shows of a group: the one place that changes once the
// payload can be decoded. Bytes become base64.
func payloadOf(r journal.Record) any { return r.Payload }

func exportJournal(r *journal.Report, lines *writer) error {
	shown := make(map[uint32][]byte)
	return r.Replay(func(rec journal.Record) error {
		defined := maps.Collect(rec.Definitions)
		for _, id := range slices.Sorted(maps.Keys(defined)) {
			if text := defined[id]; !bytes.Equal(shown[id], text) {
				shown[id] = bytes.Clone(text)
				lines.put(definitionLine{Journal: r.ID, ID: id, Definition: asJSON(text)})
			}
		}
		lines.put(groupLine{Journal: r.ID, LSN: rec.LSN, Payload: payloadOf(rec)})
		return lines.err
	})
}

// asJSON shows a definition as it is, if it is JSON, else as a string.
func asJSON(text []byte) json.RawMessage {
	if json.Valid(text) {
		return text
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		return json.RawMessage("null")
	}
	return quoted
}
