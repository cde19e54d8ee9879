package writebehind_test

import (
	"strings"
	"testing"
)

const lastTables = `CREATE TABLE items (id bigserial PRIMARY KEY, name text); CREATE TABLE logs (at int, what text);
	CREATE SEQUENCE loose; CREATE TABLE loosely (id bigint PRIMARY KEY DEFAULT nextval('loose'), name text);
	CREATE SEQUENCE owned; CREATE TABLE owner (id bigint PRIMARY KEY, n bigint DEFAULT nextval('loose')); ALTER SEQUENCE owned OWNED BY owner.n;
	CREATE TABLE doubled (n bigint DEFAULT 2 * nextval('loose'))`

// asksForLast are what sessions do after the first INSERT that draws.
var asksForLast = [][]string{
	{`SELECT 1, currval('items_id_seq'), lastval() AS l, lastval() + 1`},
	{`INSERT INTO logs VALUES (lastval(), 'x') RETURNING at`, `SELECT currval('items_id_seq')`, `SELECT lastval()`},
	{`INSERT INTO logs VALUES (1, lower('X'))`, `SELECT currval('items_id_seq')`, `SELECT lastval()`},
	{`INSERT INTO items (id, name) VALUES (700, lower('X'))`, `SELECT currval('items_id_seq')`, `SELECT lastval()`},
	{`INSERT INTO items (name) VALUES (lower('X'))`, `SELECT lastval() > 1`, `SELECT currval('items_id_seq') > 1`},
	{`INSERT INTO loosely (name) SELECT 'x'`, `SELECT currval('items_id_seq')`, `SELECT lastval()`, `SELECT currval('loose')`},
	{`INSERT INTO loosely VALUES (DEFAULT, lower('X'))`, `SELECT lastval()`, `INSERT INTO items (name) VALUES ('x')`, `SELECT lastval() - currval('items_id_seq')`},
	{`INSERT INTO doubled DEFAULT VALUES`, `SELECT lastval()`, `SELECT currval('loose')`},
	{`WITH x AS (INSERT INTO logs VALUES (1, 'x') RETURNING at) SELECT currval('items_id_seq') FROM x`, `SELECT currval('items_id_seq')`},
	{`SELECT currval(pg_get_serial_sequence('items', 'id'))`},
	{`INSERT INTO loosely (name) VALUES ('x')`, `SELECT currval(pg_get_serial_sequence('loosely', 'id'))`, `SELECT currval('loose')`},
	{`INSERT INTO owner (id) VALUES (1)`, `SELECT currval(pg_get_serial_sequence('owner', 'n'))`, `SELECT currval('loose')`, `SELECT lastval()`},
	{`SET work_mem = '5MB'`, `SELECT currval('items_id_seq')`},
	{`UPDATE items SET name = lastval()::text`, `SELECT name FROM items`},
	{`SELECT lastval() FROM items GROUP BY lastval()`},
	{`SELECT * FROM lastval()`, `SELECT x FROM lastval() AS x`, `SELECT x FROM currval('items_id_seq') AS x (x)`},
	{`SELECT items.lastval FROM (SELECT 1 AS lastval) items, lastval()`, `SELECT c FROM items JOIN currval('items_id_seq') c ON c = items.id`},
	{`DISCARD SEQUENCES`, `SELECT lastval()`},
	{`DISCARD ALL`, `SELECT lastval()`},
	{`BEGIN`, `INSERT INTO items (name) VALUES ('y')`, `ROLLBACK`, `SELECT lastval() > 1`},
}

func TestWhatWasDrawnLast(t *testing.T) {
	for _, statements := range asksForLast {
		t.Run(strings.Join(statements, "; "), func(t *testing.T) {
			t.Parallel()
			w := newTwins(t, lastTables, "writebehind.tables=*")
			w.pair(true).do(append([]string{`INSERT INTO items (name) VALUES ('a') RETURNING id`}, statements...)...)
		})
	}
}
