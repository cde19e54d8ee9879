package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCallsForLastValuesAreReplaced(t *testing.T) {
	values := map[LastValue]int64{{}: 7, {Sequence: "a_id_seq"}: 8, {Sequence: `public."A"`}: -9, {Table: "a", Column: "id"}: 10}
	for sql, want := range map[string]string{
		`SELECT lastval()`:                                                       `SELECT (SELECT 7::pg_catalog.int8 AS lastval)`,
		`SELECT LastVal ( ) , 1`:                                                 `SELECT (SELECT 7::pg_catalog.int8 AS lastval) , 1`,
		`SELECT pg_catalog.lastval()`:                                            `SELECT (SELECT 7::pg_catalog.int8 AS lastval)`,
		`SELECT currval('a_id_seq') AS id`:                                       `SELECT (SELECT 8::pg_catalog.int8 AS currval) AS id`,
		`SELECT currval('a_id_seq'::regclass)`:                                   `SELECT (SELECT 8::pg_catalog.int8 AS currval)`,
		`INSERT INTO b VALUES (currval('public."A"'), lastval())`:                `INSERT INTO b VALUES ((SELECT -9::pg_catalog.int8 AS currval), (SELECT 7::pg_catalog.int8 AS lastval))`,
		`SELECT currval(pg_get_serial_sequence('a', 'id'))`:                      `SELECT (SELECT 10::pg_catalog.int8 AS currval)`,
		`SELECT currval(pg_get_serial_sequence('a', 'id')::regclass);`:           `SELECT (SELECT 10::pg_catalog.int8 AS currval);`,
		`SELECT * FROM lastval()`:                                                `SELECT * FROM (SELECT 7::pg_catalog.int8 AS lastval) AS lastval`,
		`SELECT x FROM a, lastval() AS x, b`:                                     `SELECT x FROM a, (SELECT 7::pg_catalog.int8 AS x) AS x, b`,
		`SELECT "X" FROM a JOIN lastval() "X" ON true WHERE n IN (lastval(), 1)`: `SELECT "X" FROM a JOIN (SELECT 7::pg_catalog.int8 AS "X") "X" ON true WHERE n IN ((SELECT 7::pg_catalog.int8 AS lastval), 1)`,
		`SELECT y FROM LATERAL lastval() AS x (y)`:                               `SELECT y FROM LATERAL (SELECT 7::pg_catalog.int8 AS x) AS x (y)`,
		`SELECT 1 FROM (a CROSS JOIN lastval())`:                                 `SELECT 1 FROM (a CROSS JOIN (SELECT 7::pg_catalog.int8 AS lastval) AS lastval)`,
		`SELECT a IS DISTINCT FROM lastval()`:                                    `SELECT a IS DISTINCT FROM (SELECT 7::pg_catalog.int8 AS lastval)`,
		`SELECT substring(a FROM lastval())`:                                     `SELECT substring(a FROM (SELECT 7::pg_catalog.int8 AS lastval))`,
		`SELECT n FROM generate_series(1, lastval()) AS n ORDER BY 1, lastval()`: `SELECT n FROM generate_series(1, (SELECT 7::pg_catalog.int8 AS lastval)) AS n ORDER BY 1, (SELECT 7::pg_catalog.int8 AS lastval)`,
		`SELECT currval('other')`:                                                `SELECT currval('other')`,
		`SELECT currval($1), my.lastval()`:                                       `SELECT currval($1), my.lastval()`,
		`SELECT 'lastval()', "lastval"`:                                          `SELECT 'lastval()', "lastval"`,
		`SELECT nextval('a_id_seq'), lastva`:                                     `SELECT nextval('a_id_seq'), lastva`,
		`SELECT currval('a_id_seq'::text)`:                                       `SELECT currval('a_id_seq'::text)`,
		`SELECT currval(pg_get_serial_sequence('a'`:                              `SELECT currval(pg_get_serial_sequence('a'`,
		``: ``,
	} {
		got := WithLastValues(sql, func(l LastValue) (int64, bool) { v, ok := values[l]; return v, ok })
		require.Equal(t, want, got, sql)
	}
}
