package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// ballast is one row that is written again and again and is large: the shop's
// writes would take hours to fill a segment of the journal, and until then nobody
// could see whether segments go.
type ballast struct {
	db           held
	acknowledged int64 // writes
	doubtful     int64 // writes whose outcome is not known
}

const ballastSchema = `
CREATE TABLE ballast (id bigint PRIMARY KEY, writes bigint NOT NULL, body text NOT NULL);
INSERT INTO ballast VALUES (1, 0, '')`

// Half a mebibyte in a second: a segment in two minutes.
const (
	ballastBytes = 64 << 10
	ballastEvery = 125 * time.Millisecond
)

// work writes until ctx is done.
func (b *ballast) work(ctx context.Context, log *errorLog) {
	body := strings.Repeat("ballast ", ballastBytes/len("ballast "))
	statement := context.WithoutCancel(ctx) // as the shoppers do
	for pause(ctx, ballastEvery) == nil {
		_, err := b.db.ExecContext(statement,
			`UPDATE ballast SET writes = writes + 1, body = $1 WHERE id = 1`, body)
		if err != nil {
			b.doubtful++
			log.note(err)
			continue
		}
		b.acknowledged++
	}
}

// verify says what is lost of it.
func (b *ballast) verify(ctx context.Context, db *sql.DB) ([]string, error) {
	var writes int64
	if err := db.QueryRowContext(ctx, `SELECT writes FROM ballast WHERE id = 1`).Scan(&writes); err != nil {
		return nil, err
	}
	if writes < b.acknowledged || writes > b.acknowledged+b.doubtful {
		return []string{fmt.Sprintf("ballast: %d writes, %d of them acknowledged and %d in doubt", writes, b.acknowledged, b.doubtful)}, nil
	}
	return nil, nil
}
