package writebehind

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/pgerr"
	"github.com/writebehind/writebehind/queue"
	"github.com/writebehind/writebehind/rewrite"
)

// controlVerb is what a statement asks of the shim itself.
type controlVerb uint8

const (
	noControl controlVerb = iota
	explainControl
	showControl
)

// control is a statement to the shim itself: EXPLAIN WRITEBEHIND, or SHOW of a
// name that begins with "writebehind.".
type control struct {
	verb controlVerb
	rest string // the statement to explain, or what to show
}

// parseControl recognises a statement to the shim itself.
func parseControl(query string) control {
	word, rest := firstWord(query)
	switch strings.ToUpper(word) {
	case "EXPLAIN":
		if second, statement := firstWord(rest); strings.EqualFold(second, "WRITEBEHIND") {
			return control{explainControl, statement}
		}
	case "SHOW":
		name := strings.ToLower(strings.TrimRight(strings.TrimSpace(rest), "; \t\r\n"))
		if what, ok := strings.CutPrefix(name, "writebehind."); ok {
			return control{showControl, what}
		}
	}
	return control{}
}

func firstWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	i := strings.IndexAny(s, " \t\r\n")
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}

func (c *Conn) execControl(ctx context.Context, p *plan) (driver.Result, error) {
	rows, err := c.queryControl(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(len(rows.(*textRows).rows)), nil
}

func (c *Conn) queryControl(ctx context.Context, p *plan, args []driver.NamedValue) (driver.Rows, error) {
	if p.control.verb == explainControl {
		if c.buffer == nil {
			c.free(ctx) // looks at the session if need be
		}
		return c.explain(p.control.rest, args), nil
	}
	switch p.control.rest {
	case "status":
		return c.engine.showStatus(), nil
	case "tables":
		return c.engine.showTables(), nil
	case "settings":
		rows := &textRows{names: []string{"name", "value"}}
		for _, r := range c.engine.settings.rows() {
			rows.rows = append(rows.rows, []string{r[0], r[1]})
		}
		return rows, nil
	case "flush":
		if err := c.engine.flush(ctx); err != nil {
			return nil, err
		}
		return &textRows{names: []string{"flushed_lsn"}, rows: [][]string{{strconv.FormatUint(c.engine.stats().FlushedLSN, 10)}}}, nil
	case "dead_letters":
		return c.engine.showDeadLetters(ctx)
	case "refuse_paused":
		if err := c.engine.refusePaused(); err != nil {
			return nil, err
		}
		return &textRows{names: []string{"refuse_paused"}, rows: [][]string{{"on"}}}, nil
	}
	return nil, fmt.Errorf("writebehind: SHOW writebehind.%s: there is nothing of that name; there are status, tables, settings, dead_letters, flush and refuse_paused", p.control.rest)
}

// explain says what the shim would do with a statement, and why. With arguments
// it also says whether these are certain.
func (c *Conn) explain(statement string, args []driver.NamedValue) *textRows {
	p := c.engine.newPlan(c.engine.schema.Load(), statement)
	answer := &textRows{names: []string{"decision", "keyed", "table", "reason"}}
	if p.control.verb != noControl {
		answer.rows = [][]string{{"direct", "false", "", "it is a statement to the shim itself"}}
		return answer
	}
	decision, reason := c.decision(p, args)
	name := ""
	if p.table != nil {
		name = p.table.rel.Name.String()
	}
	answer.rows = [][]string{{decision, strconv.FormatBool(p.keyed), name, reason}}
	return answer
}

func (c *Conn) decision(p *plan, args []driver.NamedValue) (decision, reason string) {
	if p.read == nil && p.write == nil {
		return "direct", p.reason + c.explainReach(p)
	}
	switch {
	case c.inTransaction():
		return "direct", "PostgreSQL knows of the transaction: all of it is direct"
	case p.read != nil && p.read.lock != noRowLock && c.buffer == nil:
		return "direct", "it locks the row" + c.explainReach(p)
	case c.dirty != "":
		return "direct", c.dirty
	case p.table.state.direct.Load() > 0:
		return "direct", "a direct writer holds the table now"
	}
	if len(args) > 0 {
		if why := c.uncertainArgument(p, args); why != "" {
			return "direct", why
		}
	}
	if a := &c.attempt; p.row != nil && a.beginRow(c.engine, nil, p, p.row, args) && c.engine.rows.has(a.hash) {
		return "direct", "a direct writer holds the row now"
	}
	if p.read != nil {
		if !c.engine.cache.Enabled() {
			return "cached", "by primary key; writebehind.cache_size=0: from the overlay only"
		}
		return "cached", "by primary key"
	}
	switch {
	case len(p.write.conditions) > 0:
		return "deferred", "by primary key, if the row's other columns are known to meet the conditions or not to"
	case p.write.kind == rewrite.Insert && len(p.table.others) > 0:
		return "deferred", "by primary key, unless it gives a value to " + p.table.other()
	case slices.ContainsFunc(p.write.setColumns, func(i int) bool { return p.table.hazards[i] != "" }):
		i := slices.IndexFunc(p.write.setColumns, func(i int) bool { return p.table.hazards[i] != "" })
		return "deferred", "by primary key, unless " + p.table.hazards[p.write.setColumns[i]]
	case p.write.kind == rewrite.Insert && len(p.table.uniques) > 0:
		return "deferred", fmt.Sprintf("by primary key, if no row has its values of the unique constraint %q", p.table.uniques[0].name)
	case p.write.kind == rewrite.Insert && len(p.table.parents) > 0:
		return "deferred", fmt.Sprintf("by primary key, if the row is there that the foreign key %q refers to", p.table.parents[0].name)
	case p.write.kind == rewrite.Insert && len(p.table.checks) > 0:
		return "deferred", p.table.checks[0].whileItHolds()
	}
	if k := p.table.checkOf(p.write.setColumns); k != nil {
		return "deferred", k.whileItHolds()
	}
	return "deferred", "by primary key"
}

// explainReach says what a direct statement waits for.
func (c *Conn) explainReach(p *plan) string {
	switch {
	case len(p.reach.writes) > 0:
		return "; it may write " + tableNames(p.reach.writes) + " and comes after all that is pending"
	case len(p.reach.reads) > 0:
		return "; it waits for what is pending for " + tableNames(p.reach.reads)
	}
	return ""
}

func tableNames(tables []*table) string {
	const most = 5
	var names []string
	for _, t := range tables[:min(most, len(tables))] {
		names = append(names, t.rel.Name.String())
	}
	if len(tables) > most {
		names = append(names, fmt.Sprintf("%d more", len(tables)-most))
	}
	return strings.Join(names, ", ")
}

// uncertainArgument says which argument PostgreSQL must judge.
func (c *Conn) uncertainArgument(p *plan, args []driver.NamedValue) string {
	if len(args) != p.stmt.Params {
		return fmt.Sprintf("it has %d parameters and was given %d arguments", p.stmt.Params, len(args))
	}
	var all []source
	if p.read != nil {
		all = append(all, p.read.key...)
		for _, w := range p.read.conditions {
			all = append(all, w.source)
		}
		if l := p.read.list; l != nil {
			all = append(all, slices.Concat(l.rows...)...)
			if why := l.uncertain(p, c.engine.values, args); why != "" {
				return why
			}
		}
	} else {
		all = append(append(all, p.write.key...), slices.Concat(p.write.rows...)...)
		for _, a := range p.write.set {
			all = append(all, a.source)
		}
		for _, w := range p.write.conditions {
			all = append(all, w.source)
		}
	}
	for _, s := range all {
		if s.column == nil || s.param < 0 {
			continue
		}
		if _, ok := s.value(c.engine.values, args); !ok {
			return fmt.Sprintf("it is not certain what column %q makes of argument $%d", s.column.Name, s.param+1)
		}
	}
	return ""
}

func (e *engine) showTables() *textRows {
	s := e.schema.Load()
	answer := &textRows{names: []string{"table", "opted_in", "mode", "reason"}}
	for _, t := range s.sorted() {
		mode, reason := "deferred", t.insertHazard
		if n := t.state.direct.Load(); n > 0 {
			mode = "direct"
			reason = fmt.Sprintf("direct writers that hold it: %d", n)
		} else if reason != "" {
			reason = "an INSERT is direct: " + reason
		}
		answer.rows = append(answer.rows, []string{t.rel.Name.String(), "true", mode, reason})
	}
	var refused [][]string
	for name, reason := range s.refused {
		refused = append(refused, []string{displayName(name), "false", "direct", reason})
	}
	slices.SortFunc(refused, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	answer.rows = append(answer.rows, refused...)
	return answer
}

func (e *engine) showStatus() *textRows {
	st := e.stats()
	state := "running"
	switch {
	case st.Paused:
		state = "paused"
	case st.LastError != "":
		state = "retrying"
	}
	oldest := "0s"
	if !st.Oldest.IsZero() {
		oldest = time.Since(st.Oldest).Round(time.Millisecond).String()
	}
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.RFC3339Nano)
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return &textRows{names: []string{"name", "value"}, rows: [][]string{
		{"state", state},
		{"journal", st.Journal},
		{"journal_bytes", number(st.JournalBytes)},
		{"journal_oldest_lsn", number(st.JournalOldest)},
		{"journal_last_sync", when(st.JournalSynced)},
		{"ownership", st.Ownership},
		{"lsn", number(st.LSN)},
		{"flushed_lsn", number(st.FlushedLSN)},
		{"pending_rows", number(st.PendingRows)},
		{"pending_bytes", number(st.PendingBytes)},
		{"memtables", number(st.Memtables)},
		{"lag", oldest},
		{"flushes", number(st.Flushes)},
		{"flushed_rows", number(st.FlushedRows)},
		{"retries", number(st.Retries)},
		{"refused_groups", number(st.RefusedGroups)},
		{"deferred", number(st.Deferred)},
		{"cached", number(st.Cached)},
		{"missed", number(st.Missed)},
		{"looked_up", number(st.LookedUp)},
		{"direct", number(st.Direct)},
		{"buffered", number(st.Buffered)},
		{"made_real", number(st.MadeReal)},
		{"waiting", number(st.Waiting)},
		{"cache_entries", number(st.CacheEntries)},
		{"last_error", st.LastError},
	}}
}

func (e *engine) stats() Statistics {
	q := e.queue.Stats()
	st := Statistics{
		LSN: q.LSN, FlushedLSN: q.Flushed,
		PendingRows: uint64(q.Rows), PendingBytes: uint64(q.Bytes),
		Memtables: uint64(q.Memtables), Oldest: q.Oldest,
		Flushes: q.Flushes, FlushedRows: q.FlushedRows, Retries: q.Retries,
		RefusedGroups: q.RefusedGroups, Paused: q.Paused,
		Deferred: e.deferred.Load(), Cached: e.cached.Load(), Missed: e.missed.Load(), LookedUp: e.lookedUp.Load(), Direct: e.direct.Load(),
		Buffered: e.buffered.Load(), MadeReal: e.madeReal.Load(), Waiting: uint64(max(e.locks.waits.Load()+e.rows.waits.Load(), 0)),
		CacheEntries: uint64(e.cache.Len()),
	}
	st.Journal, st.Ownership = e.settings.journal, e.ownershipText()
	if j := e.journal; j != nil {
		st.Journal, st.JournalBytes, st.JournalOldest, st.JournalSynced = j.Dir(), uint64(j.Bytes()), j.First(), j.LastSync()
		if refused := e.refusing.Load(); refused != nil {
			st.LastError = (*refused).Error()
		} else if err := j.Err(); err != nil {
			st.LastError = err.Error()
		}
	}
	if q.LastError != nil {
		st.LastError = pgerr.ForLog(q.LastError)
	}
	return st
}

var _ queue.Validator = (*attempt)(nil)
