package writebehind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/writebehind/writebehind/rewrite"
)

// The session of a real connection is looked at again after a statement that may
// have changed it, before something is deferred or cached. In a transaction
// nothing is, and what SET LOCAL does is over when it ends.

// followSession keeps track of what a statement made of the session.
func (c *Conn) followSession(p *plan) {
	st := p.stmt
	if p.reach.why != "" || slices.ContainsFunc(st.Functions, func(f rewrite.Ident) bool { return locksSession[f.Name] }) {
		c.sessionLocks = true
	}
	if c.inTransaction() && (st.Session || p.reach.why != "") {
		c.otherKeys = true
	}
	if p.reach.why != "" {
		c.met = false // code of the database's own may have changed settings
	}
	if !st.Session || st.Local && !c.inTransaction() {
		return
	}
	changed := fmt.Sprintf("%s may have changed the session of this connection", st.Verb)
	if st.Several || st.Opaque != "" || mayChangeQuoting(p) {
		c.stale, c.opaque = true, changed
	}
	if st.Local {
		return
	}
	c.stale, c.dirty = true, changed
	if st.Verb == "LOAD" || (c.prepared || !c.connector.backend.isPQ()) && endsPrepared(p) {
		// That is not to be seen in the settings. Another driver than lib/pq may have
		// prepared statements of its own making, which then fail.
		c.foreign = changed
	}
}

// locksSession are built-in functions that take locks which outlast a transaction.
var locksSession = map[string]bool{
	"pg_advisory_lock": true, "pg_advisory_lock_shared": true,
	"pg_try_advisory_lock": true, "pg_try_advisory_lock_shared": true,
}

// mayChangeQuoting tells whether a statement that changes the session may change
// how string literals are read, after which no name in a text is certain.
func mayChangeQuoting(p *plan) bool {
	return names(p, "standard_conforming_strings", "set_config", "pg_settings") ||
		p.stmt.Verb == "DISCARD" || p.stmt.Verb == "RESET" && names(p, "all")
}

// misreads tells whether PostgreSQL may read a text differently: backslashes in
// its strings are all that depends on the session.
func (c *Conn) misreads(p *plan) bool { return c.opaque != "" && strings.Contains(p.query, `\`) }

// endsPrepared tells whether a statement that changes the session may end
// prepared statements of the real driver.
func endsPrepared(p *plan) bool { return names(p, "deallocate", "discard") }

// names tells whether any of the words is in the text of a statement.
func names(p *plan, words ...string) bool {
	text := strings.ToLower(p.query)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
