package rewrite

// Step is a statement that controls a transaction and has no options, so that
// all it does is known.
type Step uint8

// The steps. Those with savepoints have its name in Statement.Savepoint.
const (
	NoStep     Step = iota
	Begin           // BEGIN, START TRANSACTION
	Commit          // COMMIT, END
	Rollback        // ROLLBACK, ABORT
	Savepoint       // SAVEPOINT name
	RollbackTo      // ROLLBACK TO [SAVEPOINT] name
	Release         // RELEASE [SAVEPOINT] name
)

// step takes a statement that controls a transaction, if it is a plain one.
func (p *parser) step() {
	var step Step
	switch p.statement.Verb {
	case "BEGIN":
		p.pos++
		p.work()
		step = Begin
	case "START":
		p.pos++
		if !p.accept(wTransaction) {
			return
		}
		step = Begin
	case "COMMIT", "END":
		p.pos++
		p.work()
		step = Commit
	case "ABORT":
		p.pos++
		p.work()
		step = Rollback
	case "ROLLBACK":
		p.pos++
		p.work()
		if step = Rollback; p.accept(wTo) {
			p.acceptWord("savepoint")
			step = RollbackTo
		}
	case "SAVEPOINT":
		p.pos++
		step = Savepoint
	case "RELEASE":
		p.pos++
		p.acceptWord("savepoint")
		step = Release
	}
	if step >= Savepoint {
		if t := p.peek(); !isName(t) || p.systemName(t) {
			return
		}
		p.statement.Savepoint = p.name(p.next())
	}
	if p.pos == len(p.tokens) {
		p.statement.Step = step
	}
}

// work takes the noise word of a transaction.
func (p *parser) work() {
	if !p.accept(wWork) {
		p.accept(wTransaction)
	}
}

// acceptWord takes a keyword that has no word of its own here. It is not
// reserved: RELEASE savepoint may as well name a savepoint, which then is the
// last token.
func (p *parser) acceptWord(word string) {
	if t := p.peek(); t.kind == tokIdent && fold(p.text(t)) == word && p.pos+1 < len(p.tokens) {
		p.pos++
	}
}
