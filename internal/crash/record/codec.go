package record

import (
	"fmt"
	"strconv"
	"strings"
)

// longest is below PIPE_BUF, which is at least 512 (POSIX) and 4096 on Linux.
const longest = 500

// Append appends the line with its end.
func (l Line) Append(b []byte) []byte {
	start := len(b)
	b = append(b, byte(l.Verb))
	switch l.Verb {
	case Intent:
		b = fmt.Appendf(b, " %d %d %s ", l.Op.Worker, l.Op.Seq, l.Op.Kind)
		for i, e := range l.Op.Effects {
			if i > 0 {
				b = append(b, ';')
			}
			b = e.append(b)
		}
	case Acked, Unknown, Refused:
		b = fmt.Appendf(b, " %d %d", l.Op.Worker, l.Op.Seq)
	case Mark:
		b = fmt.Appendf(b, " %d", l.Mark)
	}
	if l.Text != "" {
		b = append(b, ' ')
		b = append(b, strings.Join(strings.Fields(l.Text), " ")...)
	}
	if len(b)-start >= longest {
		b = b[:start+longest-1]
	}
	return append(b, '\n')
}

func (e Effect) append(b []byte) []byte {
	b = fmt.Appendf(b, "%c%d:", e.Key.Table, e.Key.ID)
	switch {
	case e.Key.Table.Counts():
		return fmt.Appendf(b, "%d", e.Add)
	case !e.To.Present:
		return append(b, '-')
	}
	return fmt.Appendf(b, "%d/%d/%d/%d", e.To.N, e.To.Ref, e.To.Stamp.Worker, e.To.Stamp.Seq)
}

// Parse reads a line without its end.
func Parse(text string) (Line, error) {
	l, err := parse(text)
	if err != nil {
		return Line{}, fmt.Errorf("line %q: %w", text, err)
	}
	return l, nil
}

func parse(text string) (l Line, err error) {
	if text == "" {
		return l, fmt.Errorf("it is empty")
	}
	l.Verb = Verb(text[0])
	rest := strings.TrimPrefix(text[1:], " ")
	switch l.Verb {
	case Ready, Wrong, Torn:
	case Mark:
		l.Mark, err = strconv.ParseUint(rest, 10, 64)
		return l, err
	case Intent, Acked, Unknown, Refused:
		if rest, err = l.parseOp(rest); err != nil {
			return l, err
		}
	default:
		return l, fmt.Errorf("unknown verb")
	}
	l.Text = rest
	return l, nil
}

func (l *Line) parseOp(text string) (rest string, err error) {
	worker, rest, _ := strings.Cut(text, " ")
	seq, rest, _ := strings.Cut(rest, " ")
	if l.Op.Worker, err = strconv.Atoi(worker); err != nil {
		return "", err
	}
	if l.Op.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil {
		return "", err
	}
	if l.Verb != Intent {
		return rest, nil
	}
	kind, effects, _ := strings.Cut(rest, " ")
	l.Op.Kind = kind
	for part := range strings.SplitSeq(effects, ";") {
		e, err := parseEffect(part)
		if err != nil {
			return "", err
		}
		l.Op.Effects = append(l.Op.Effects, e)
	}
	return "", nil
}

func parseEffect(text string) (e Effect, err error) {
	key, to, found := strings.Cut(text, ":")
	if !found || key == "" {
		return e, fmt.Errorf("effect %q", text)
	}
	e.Key.Table = Table(key[0])
	if e.Key.ID, err = strconv.ParseInt(key[1:], 10, 64); err != nil {
		return e, err
	}
	switch {
	case e.Key.Table.Counts():
		e.Add, err = strconv.ParseInt(to, 10, 64)
		return e, err
	case to == "-":
		return e, nil
	}
	e.To.Present = true
	_, err = fmt.Sscanf(to, "%d/%d/%d/%d", &e.To.N, &e.To.Ref, &e.To.Stamp.Worker, &e.To.Stamp.Seq)
	return e, err
}
