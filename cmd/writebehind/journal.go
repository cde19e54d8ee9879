package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/writebehind/writebehind/queue/journal"
)

// journalLine is what inspect says about a journal.
type journalLine struct {
	Journal    string      `json:"journal"`
	Dir        string      `json:"dir"`
	Identity   string      `json:"identity"`
	State      string      `json:"state"` // live or orphan
	Whole      bool        `json:"whole"`
	First      journal.LSN `json:"first_lsn"`
	Last       journal.LSN `json:"last_lsn"`
	Checkpoint journal.LSN `json:"checkpoint"`
	Bytes      int64       `json:"bytes"`
	Segments   int         `json:"segments"`
	Error      string      `json:"error,omitempty"`
}

// segmentLine is what inspect says about a segment.
type segmentLine struct {
	Journal string               `json:"journal"`
	Segment string               `json:"segment"`
	State   journal.SegmentState `json:"state"`
	First   journal.LSN          `json:"first_lsn"`
	Last    journal.LSN          `json:"last_lsn"`
	Bytes   int64                `json:"bytes"`
	Used    int64                `json:"used"`
	Error   string               `json:"error,omitempty"`
}

// damageLine is what verify says about a damaged journal.
type damageLine struct {
	Journal string      `json:"journal"`
	File    string      `json:"file"`
	Offset  int64       `json:"offset"`
	LSN     journal.LSN `json:"lsn"`
	Error   string      `json:"error"`
}

func inspect(dir string, out io.Writer) (int, error) {
	reports, err := journal.Inspect(nil, dir)
	if err != nil {
		return exitFailure, err
	}
	lines := newWriter(out)
	for _, r := range reports {
		line := journalLine{
			Journal: r.ID, Dir: r.Dir, Identity: r.Identity, State: "orphan", Whole: r.Err == nil,
			First: r.First, Last: r.Last, Checkpoint: r.Checkpoint, Bytes: r.Bytes,
			Segments: len(r.Segments), Error: text(r.Err),
		}
		if r.Live {
			line.State = "live"
		}
		lines.put(line)
		for _, s := range r.Segments {
			lines.put(segmentLine{
				Journal: r.ID, Segment: filepath.Base(s.File), State: s.State,
				First: s.First, Last: s.Last, Bytes: s.Bytes, Used: s.Used, Error: text(s.Err),
			})
		}
	}
	return exitOK, lines.flush()
}

func verify(dir string, out io.Writer) (int, error) {
	reports, err := journal.Inspect(nil, dir)
	if err != nil {
		return exitFailure, err
	}
	lines, status := newWriter(out), exitOK
	for _, r := range reports {
		if r.Err == nil {
			continue
		}
		status = exitDamage
		line := damageLine{Journal: r.ID, File: r.Dir, Error: text(r.Err)}
		var damage *journal.DamageError
		if errors.As(r.Err, &damage) {
			line.File, line.Offset, line.LSN = damage.File, damage.Offset, damage.LSN
		}
		lines.put(line)
	}
	return status, lines.flush()
}

// export writes what can be read: a damaged journal does not hide the others.
func export(dir string, out io.Writer) (int, error) {
	reports, err := journal.Inspect(nil, dir)
	if err != nil {
		return exitFailure, err
	}
	lines, status := newWriter(out), exitOK
	var damage []error
	for _, r := range reports {
		if err := exportJournal(r, lines); err != nil {
			status = exitDamage
			damage = append(damage, fmt.Errorf("journal %s: %w", r.ID, err))
		}
	}
	if err := lines.flush(); err != nil {
		return exitFailure, err
	}
	return status, errors.Join(damage...)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// writer writes JSON lines and keeps the first error.
type writer struct {
	buf *bufio.Writer
	enc *json.Encoder
	err error
}

func newWriter(out io.Writer) *writer {
	buf := bufio.NewWriterSize(out, 64<<10)
	return &writer{buf: buf, enc: json.NewEncoder(buf)}
}

func (w *writer) put(line any) {
	if w.err == nil {
		w.err = w.enc.Encode(line)
	}
}

func (w *writer) flush() error {
	if w.err != nil {
		return w.err
	}
	return w.buf.Flush()
}
