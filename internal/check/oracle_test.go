package check_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind/internal/check"
	"github.com/writebehind/writebehind/internal/pgtest"
	"github.com/writebehind/writebehind/internal/pgvalue"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var seed = flag.Uint64("seed", 0, "seed of the random constraints and rows, 0 for one that differs each time")

// decided are conditions that must be parsed.
var decided = []string{
	`i4 >= 0`, `i4 > 0 AND i4 < 100`, `i4 BETWEEN 0 AND 100`, `i4 NOT BETWEEN 0 AND 10`, `i4 BETWEEN -10 AND 1000 OR i4 IS NULL`,
	`i2 >= 0`, `i2 > -5`, `i8 >= 0`, `i8 < 5000000000`, `i8 > -5`, `i4 <= i8`, `i2 <> i4`, `5 > i4`, `i2 = 5::smallint`,
	`i4 IN (1, 2, 3)`, `i2 IN (1, -2)`, `i8 IN (1, 2)`, `i4 NOT IN (1, 2)`, `i4 IN (5)`, `i4 > ALL (ARRAY[1, 2])`, `i4 < ANY (ARRAY[1, NULL, 20])`,
	`n >= 0`, `n > 0.5 AND n < 100`, `n BETWEEN 0 AND 100`, `n <> -1.5`, `n IN (1, 2.50, -3)`, `n <> 'NaN'`, `n >= n2`, `n2 <= 99.999`, `i4 >= 0.5`, `n > i4`, `n < 9e15`,
	`n = 1.5`, `i8 < n`, `n2 > 0::numeric`,
	`t = 'a'`, `t <> ''`, `t IN ('new', 'paid')`, `t NOT IN ('new', 'Grüße')`, `t <> 'it''s'`, `v = 'a'`, `v IN ('a', 'new')`, `v NOT IN ('a', 'b')`, `v5 IN ('a', 'b')`, `v5 <> 'abc'`,
	`v::text = 'a'`, `t = 'new' OR t IS NULL`, `c4 = 'a'`, `c4 IN ('a', 'abc ')`, `c4 <> 'new'`, `c4 = 'too long'`,
	`b`, `NOT b`, `b = true`, `b <> false`, `b IS TRUE`, `b IS NOT TRUE`, `b IS FALSE OR i4 > 0`, `b IS UNKNOWN`, `b OR NOT b`, `true`, `false`, `NULL::boolean`,
	`i4 IS NULL`, `i4 IS NOT NULL`, `t IS NOT NULL AND n IS NOT NULL`, `num_nonnull IS NULL`, `(i4 > 5) IS NULL`, `(i4 > 5) IS NOT NULL`, `(i4 > 5) IS TRUE`, `(i4 > 5) IS NOT FALSE`,
	`u = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'`, `u <> '6BA7B810-9DAD-11D1-80B4-00C04FD430C8'`,
	`m = 'ok'`, `m IN ('ok', 'sad')`, `m <> 'happy'`, `m IS NOT NULL`, `m NOT IN ('with space', 'sad')`,
	`d > '2020-01-01'`, `d BETWEEN '1999-12-31' AND '2024-02-29'`, `d = DATE '2024-02-29'`, `d <> d2`, `d < d2`, `d IN ('2020-01-01', '2024-02-29')`,
	`ts >= '2020-01-01'`, `ts = TIMESTAMP '2024-02-29 12:34:56.789'`, `ts < ts2`, `tz >= TIMESTAMPTZ '2020-01-01 00:00:00+02'`, `tz < tz2`, `tz = TIMESTAMPTZ '2024-02-29 12:34:56Z'`,
	`i4 IS DISTINCT FROM 5`, `i4 IS NOT DISTINCT FROM i8`, `t IS DISTINCT FROM 'a'`,
	`"Mixed ""Case""" > 0`, `"select" = 'a'`, `i4 > 0 AND (t = 'a' OR b) AND NOT (n < 0 OR v = 'b')`,
	`b IS DISTINCT FROM true`,
}

// undecided are conditions that must not be parsed.
var undecided = []string{
	`length(t) < 5`, `i4 + 1 > 0`, `i4 % 2 = 0`, `t LIKE 'a%'`, `t ~ 'a'`, `t > 'a'`, `v < 'b'`, `c4 > 'a'`, `m > 'sad'`, `t = v`, `t = t2`, `u > '6ba7b810-9dad-11d1-80b4-00c04fd430c8'`,
	`i4 > 0 OR 1 / i4 > 0`, `coalesce(i4, 0) > 0`, `CASE WHEN b THEN i4 > 0 ELSE true END`, `ci = 'a'`, `ci IN ('a', 'b')`, `t = 'a' COLLATE "C"`, `t COLLATE "C" = 'a'`, `t = E'a\\b'`,
	`c4::text = 'a'`, `f > 0`, `f = 1`, `n::numeric(5,1) > 0`, `i8::int > 0`, `v::varchar(2) = 'a'`, `d > CURRENT_DATE`, `tz > now()`, `d < ts`, `d > 'infinity'`,
	`a IS NOT NULL`, `1 = ANY (a)`, `j IS NOT NULL AND j @> '{}'`, `ROW(i4, i8) < ROW(1, 2)`, `dm > 0`, `i4::text = '5'`, `t = 'a' || 'b'`, `u::text = 'a'`, `m::text = 'ok'`, `by = 'a'`,
	`i4 > ANY ('{1,2}')`, `checked IS NOT NULL`, `b > false`, `(i4 IS NULL) = b`,
}

const columnsDDL = `
	CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'with space');
	CREATE DOMAIN plain AS int;
	CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	CREATE TABLE cells (id int PRIMARY KEY, i2 smallint, i4 int, i8 bigint, n numeric, n2 numeric(10,2), t text, t2 text COLLATE "C", v varchar, v5 varchar(5), c4 char(4),
		b boolean, u uuid, m mood, d date, d2 date, ts timestamp, ts2 timestamp, tz timestamptz, tz2 timestamptz(0), "Mixed ""Case""" int, "select" text,
		num_nonnull int, f float8, ci text COLLATE ignoring, a int[], j jsonb, dm plain, checked plain, by bytea)`

var cellValues = map[string][]string{
	"smallint": {"0", "5", "-5", "1", "2", "-2", "32767", "-32768"},
	"integer":  {"0", "5", "-5", "1", "2", "100", "1000", "2147483647", "-2147483648"},
	"bigint":   {"0", "5", "-5", "1", "2", "5000000000", "4999999999", "9223372036854775807", "-9223372036854775808"},
	"numeric": {"0", "0.00", "0.5", "0.50", "-0.5", "1", "1.5", "2.5", "-1.5", "-1.50", "99.999", "100", "100.00", "100.001", "NaN", "12345678901234567890.5", "-12345678901234567890.5",
		"0.000001", "-3", "Infinity", "-Infinity"},
	"numeric(10,2)":               {"0", "0.5", "1.5", "-1.5", "99.999", "100", "NaN", "12345678.91", "2", "5"},
	"text":                        {"", "a", "A", "a ", "b", "new", "paid", "Grüße", "it's", "abc"},
	"character varying":           {"", "a", "A", "a ", "b", "new", "paid", "Grüße"},
	"character varying(5)":        {"", "a", "A", "a ", "b", "new", "Grüße", "abc"},
	"character(4)":                {"", "a", "A", "a ", "b", "new", "abc"},
	"boolean":                     {"true", "false"},
	"uuid":                        {"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c9"},
	"mood":                        {"sad", "ok", "happy", "with space"},
	"date":                        {"2020-01-01", "2020-01-02", "1999-12-31", "2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "12020-01-01"},
	"timestamp without time zone": {"2020-01-01", "2020-01-01 00:00:00.000001", "2024-02-29 12:34:56.789", "2019-12-31 23:59:59.999999", "infinity", "-infinity", "0044-03-15 BC"},
	"timestamp with time zone":    {"2020-01-01 00:00:00+02", "2019-12-31 22:00:00Z", "2024-02-29 12:34:56Z", "2020-01-01 00:00:00+00", "infinity", "-infinity"},
	"timestamp(0) with time zone": {"2020-01-01 00:00:00+02", "2024-02-29 12:34:56Z", "infinity"},
}

// oracle is a database with rows of a table that has a column of each type.
type oracle struct {
	testing.TB
	db      *sql.DB
	session pgvalue.Session
	columns []check.Column
	types   []string
	rows    [][]driver.Value
	r       *rand.Rand
	made    int
}

func newOracle(t testing.TB) *oracle {
	t.Helper()
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("random constraints and rows: -seed=%d", n)
	server := pgtest.Shared(t)
	db, err := sql.Open("postgres", server.DSN(server.CreateDatabase(t), "timezone=Europe/Berlin"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	o := &oracle{TB: t, db: db, session: pgvalue.Session{UTF8: true}, r: rand.New(rand.NewPCG(n, 1))}
	o.exec(columnsDDL)
	o.loadColumns()
	return o
}

func (o *oracle) exec(query string, args ...any) {
	o.Helper()
	_, err := o.db.Exec(query, args...)
	require.NoError(o, err, query)
}

func (o *oracle) loadColumns() {
	rows, err := o.db.Query(`
		SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod,
			CASE WHEN t.typtype = 'e' THEN 1 WHEN t.typtype = 'b' AND t.typcategory <> 'A' THEN 0 ELSE 2 END, coalesce(l.collisdeterministic, true)
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
		WHERE a.attrelid = 'cells'::regclass AND a.attnum > 0 ORDER BY a.attnum`)
	require.NoError(o, err)
	defer rows.Close()
	for rows.Next() {
		var c check.Column
		var typ string
		require.NoError(o, rows.Scan(&c.Name, &typ, &c.Type.OID, &c.Type.Mod, &c.Type.Kind, &c.Bytewise))
		if c.Type.Kind == pgvalue.Enum {
			c.Type.Labels = cellValues["mood"]
		}
		o.columns, o.types = append(o.columns, c), append(o.types, typ)
	}
	require.NoError(o, rows.Err())
}

// fill makes so many random rows and reads them as lib/pq returns them.
func (o *oracle) fill(n int) {
	o.Helper()
	for id := range n {
		var values, places []string
		for i, typ := range o.types {
			known := cellValues[typ]
			if o.columns[i].Name == "id" {
				values = append(values, fmt.Sprint(id))
			} else if known == nil || o.r.IntN(5) == 0 {
				values = append(values, "NULL")
			} else {
				values = append(values, pq.QuoteLiteral(known[o.r.IntN(len(known))]))
			}
			places = append(places, pq.QuoteIdentifier(o.columns[i].Name))
		}
		query := `INSERT INTO cells (` + strings.Join(places, ", ") + `) VALUES (` + strings.Join(values, ", ") + `)`
		if o.version() < 140000 {
			query = strings.ReplaceAll(strings.ReplaceAll(query, `'-Infinity'`, `'1'`), `'Infinity'`, `'1'`)
		}
		o.exec(query)
	}
	rows, err := o.db.Query(`SELECT * FROM cells ORDER BY id`)
	require.NoError(o, err)
	defer rows.Close()
	for rows.Next() {
		values, dest := make([]any, len(o.columns)), make([]any, len(o.columns))
		for i := range values {
			dest[i] = &values[i]
		}
		require.NoError(o, rows.Scan(dest...))
		var row []driver.Value
		for _, v := range values {
			row = append(row, v)
		}
		o.rows = append(o.rows, row)
	}
	require.NoError(o, rows.Err())
}

func (o *oracle) version() (n int) {
	require.NoError(o, o.db.QueryRow(`SELECT current_setting('server_version_num')::int`).Scan(&n))
	return n
}

// constrain makes a table with the condition as its check and returns its name
// and the definition that PostgreSQL prints.
func (o *oracle) constrain(condition string) (table, definition string) {
	o.Helper()
	o.made++
	table = fmt.Sprintf("c%d", o.made)
	o.exec(`CREATE TABLE ` + table + ` (LIKE cells, CONSTRAINT k CHECK (` + condition + `))`)
	require.NoError(o, o.db.QueryRow(`SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND conname = 'k'`, table).Scan(&definition))
	return table, definition
}

// agrees compares what the constraint says of each row with whether PostgreSQL
// takes it, also when some cells are not known. It returns how often it was not
// certain though all were.
func (o *oracle) agrees(table, definition string, c *check.Constraint) (uncertain int) {
	o.Helper()
	tx, err := o.db.Begin()
	require.NoError(o, err)
	defer func() { require.NoError(o, tx.Rollback()) }()
	_, err = tx.Exec(`CREATE OR REPLACE FUNCTION pg_temp.takes(which int) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO ` + table + ` SELECT * FROM cells WHERE id = which;
			RETURN true;
		EXCEPTION WHEN check_violation THEN
			RETURN false;
		END $$`)
	require.NoError(o, err)
	taken := make([]bool, len(o.rows))
	rows, err := tx.Query(`SELECT pg_temp.takes(i) FROM generate_series(0, $1) AS i`, len(o.rows)-1)
	require.NoError(o, err)
	for i := range taken {
		require.True(o, rows.Next())
		require.NoError(o, rows.Scan(&taken[i]))
	}
	require.NoError(o, rows.Close(), definition)
	for i, row := range o.rows {
		cells := make([]driver.Value, len(c.Columns))
		for k, column := range c.Columns {
			cells[k] = row[column]
		}
		verdict := c.Eval(cells)
		if verdict == check.Unknown {
			uncertain++
		} else {
			require.Equal(o, taken[i], verdict == check.Holds, "%s: %v", definition, cells)
		}
		for k := range cells {
			if o.r.IntN(2) == 0 {
				cells[k] = struct{}{}
			}
		}
		if verdict := c.Eval(cells); verdict != check.Unknown {
			require.Equal(o, taken[i], verdict == check.Holds, "%s: %v of %v", definition, cells, row)
		}
	}
	return uncertain
}

func TestTypicalConstraintsAreDecided(t *testing.T) {
	o := newOracle(t)
	o.fill(120)
	for _, condition := range decided {
		table, definition := o.constrain(condition)
		c, ok := check.Parse(definition, o.columns, o.session)
		require.True(t, ok, definition)
		require.Less(t, o.agrees(table, definition, c), len(o.rows)/2, definition)
	}
}

func TestOtherConstraintsAreNotParsed(t *testing.T) {
	o := newOracle(t)
	for _, condition := range undecided {
		_, definition := o.constrain(condition)
		_, ok := check.Parse(definition, o.columns, o.session)
		require.False(t, ok, definition)
	}
	o.exec(`ALTER TABLE cells ADD CONSTRAINT later CHECK (i4 > 0) NOT VALID`)
	var definition string
	require.NoError(t, o.db.QueryRow(`SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'later'`).Scan(&definition))
	_, ok := check.Parse(definition, o.columns, o.session)
	require.False(t, ok, definition)
}

func TestRandomConstraintsAreJudgedAsPostgresDoes(t *testing.T) {
	o := newOracle(t)
	o.fill(60)
	parsed := 0
	const constraints = 250
	for range constraints {
		table, definition := o.constrain(o.condition(3))
		if c, ok := check.Parse(definition, o.columns, o.session); ok {
			parsed++
			o.agrees(table, definition, c)
		}
	}
	t.Logf("%d of %d constraints were parsed", parsed, constraints)
	require.Greater(t, parsed, constraints/4)
}

// condition makes a random condition.
func (o *oracle) condition(depth int) string {
	if depth > 0 && o.r.IntN(3) > 0 {
		switch o.r.IntN(4) {
		case 0:
			return "NOT (" + o.condition(depth-1) + ")"
		case 1:
			return "(" + o.condition(depth-1) + ") IS " + o.pick("", "NOT ") + o.pick("TRUE", "FALSE", "UNKNOWN", "NULL")
		case 2:
			return "(" + o.condition(depth-1) + ") AND (" + o.condition(depth-1) + ")"
		default:
			return "(" + o.condition(depth-1) + ") OR (" + o.condition(depth-1) + ")"
		}
	}
	i := o.r.IntN(len(o.types))
	for cellValues[o.types[i]] == nil {
		i = o.r.IntN(len(o.types))
	}
	column, typ := pq.QuoteIdentifier(o.columns[i].Name), o.types[i]
	switch o.r.IntN(9) {
	case 0:
		return column + " IS " + o.pick("", "NOT ") + "NULL"
	case 1:
		return column + o.pick(" IN (", " NOT IN (") + o.constant(typ) + ", " + o.constant(typ) + ")"
	case 2:
		return column + o.pick(" BETWEEN ", " NOT BETWEEN ") + o.constant(typ) + " AND " + o.constant(typ)
	case 3:
		return column + " IS " + o.pick("", "NOT ") + "DISTINCT FROM " + o.constant(typ)
	case 4:
		numbers := []string{"i2", "i4", "i8", "n", "n2"}
		if slices.Contains(numbers, o.columns[i].Name) {
			return column + o.operator() + o.pick(numbers...)
		}
	case 5:
		return o.constant(typ) + o.operator() + column
	case 6:
		element, _, _ := strings.Cut(typ, "(")
		return column + o.operator() + o.pick("ANY", "ALL") + " (ARRAY[" + o.constant(typ) + ", " + o.constant(typ) + "]::" + element + "[])"
	}
	return column + o.operator() + o.constant(typ)
}

func (o *oracle) operator() string { return o.pick(" = ", " <> ", " < ", " <= ", " > ", " >= ") }

func (o *oracle) pick(choices ...string) string { return choices[o.r.IntN(len(choices))] }

// constant makes a constant for a column of the type, with or without a cast.
func (o *oracle) constant(typ string) string {
	value := o.pick(cellValues[typ]...)
	if o.version() < 140000 && strings.HasSuffix(value, "Infinity") {
		value = "0"
	}
	plain := strings.Trim(value, "-.0123456789") == ""
	switch o.r.IntN(6) {
	case 0:
		if typ, _, _ := strings.Cut(typ, "("); plain || !strings.HasPrefix(typ, "timestamp") {
			return pq.QuoteLiteral(value) + "::" + typ
		}
	case 1:
		if o.r.IntN(5) == 0 {
			return "NULL"
		}
	}
	if plain && typ != "text" && o.isNumber(typ) {
		return value
	}
	return pq.QuoteLiteral(value)
}

func (o *oracle) isNumber(typ string) bool {
	return slices.Contains([]string{"smallint", "integer", "bigint", "numeric", "numeric(10,2)"}, typ)
}

// isViolation says whether an error is that of a check.
func isViolation(err error) bool {
	var e *pq.Error
	return errors.As(err, &e) && e.Code == "23514"
}

func TestTheErrorOfAnInsertIsACheckViolation(t *testing.T) {
	o := newOracle(t)
	o.fill(40)
	table, definition := o.constrain(`i4 BETWEEN 0 AND 100 AND t IN ('a', 'b', 'new')`)
	c, ok := check.Parse(definition, o.columns, o.session)
	require.True(t, ok, definition)
	for id, row := range o.rows {
		verdict := c.Eval([]driver.Value{row[c.Columns[0]], row[c.Columns[1]]})
		_, err := o.db.Exec(`INSERT INTO `+table+` SELECT * FROM cells WHERE id = $1`, id)
		require.True(t, err == nil || isViolation(err), err)
		require.NotEqual(t, check.Unknown, verdict)
		require.Equal(t, err == nil, verdict == check.Holds, row)
	}
}
