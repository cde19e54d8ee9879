package history

import "strings"

// Limits tells what a statement does to a transaction, going by its call or by
// its first words: whether it begins one, ends one, or takes back a part of it.
// It is a guess as far as text is concerned, for scheduling and for counting.
func (s Statement) Limits() (begins, ends, undoes bool) {
	switch s.Call {
	case Begin:
		return true, false, false
	case Commit, Reopen:
		return false, true, false
	case Rollback:
		return false, true, true
	}
	words := strings.Fields(strings.ToUpper(strings.ReplaceAll(s.SQL, ";", " ")))
	if len(words) == 0 {
		return false, false, false
	}
	switch words[0] {
	case "BEGIN", "START":
		begins = true
	case "COMMIT", "END":
		ends = true
	case "ROLLBACK", "ABORT":
		undoes = true
		ends = !contains(words, "TO")
	}
	if contains(words, "CHAIN") && !contains(words, "NO") {
		ends = false
	}
	return begins, ends, undoes
}

// OnlyReads reports whether a statement certainly waits for nobody who has
// written or locked rows.
func (s Statement) OnlyReads() bool {
	if s.Call == Begin {
		return true
	}
	words := strings.Fields(strings.ToUpper(s.SQL))
	return s.Call == Query && len(words) > 0 && words[0] == "SELECT" &&
		!contains(words, "FOR") && !strings.Contains(s.SQL, "()") && !strings.Contains(s.SQL, "pg_")
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}
