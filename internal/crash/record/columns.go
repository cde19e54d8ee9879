package record

import (
	"fmt"
	"strings"
)

// Text is the text column of a row with the stamp: the stamp, and filler whose
// length follows from it, so that a text that was cut or mixed is seen.
func (s Stamp) Text() string {
	text := fmt.Sprintf("%d.%d.", s.Worker, s.Seq)
	return text + strings.Repeat("x", s.filler())
}

func (s Stamp) filler() int { return int((7*int64(s.Worker) + 13*s.Seq) % 120) }

// ParseStamp reads a text column. ok is false for one that Text never made.
func ParseStamp(text string) (s Stamp, ok bool) {
	if _, err := fmt.Sscanf(text, "%d.%d.", &s.Worker, &s.Seq); err != nil {
		return Stamp{}, false
	}
	return s, s.Text() == text
}

// UUID is the key of an order.
func UUID(id int64) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", id)
}

// ParseUUID reads the key of an order.
func ParseUUID(text string) (id int64, err error) {
	_, err = fmt.Sscanf(text, "00000000-0000-4000-8000-%012x", &id)
	return id, err
}
