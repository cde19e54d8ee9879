package writebehind

import (
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/writebehind/writebehind/internal/catalog"
)

func TestParseDSNDefaults(t *testing.T) {
	t.Parallel()
	want := settings{
		maxDelay:        100 * time.Millisecond,
		batchRows:       20_000,
		maxPendingRows:  1000000,
		maxPendingBytes: 256 * 1024 * 1024,
		overflow:        overflowBlock,
		transactions:    transactionsBuffer,
		insert:          insertCheck,
		unique:          uniqueCheck,
		cacheSize:       64 * 1024 * 1024,
		cacheTTL:        10 * time.Minute,
		sync:            syncOn,
		maxJournalBytes: 4 << 30,
		takeoverTimeout: 30 * time.Second,
		closeTimeout:    20 * time.Second,
		driver:          "postgres",
	}
	s, rest, err := parseDSN("host=h password='a b'")
	require.NoError(t, err)
	require.Equal(t, "host=h password='a b'", rest)
	require.Equal(t, want, s)
	require.False(t, s.optsIn())
}

func TestParseDSNReadsEveryParameterInBothForms(t *testing.T) {
	t.Parallel()
	params := [][2]string{
		{"tables", `"Account", billing.Invoices,users`},
		{"journal", "none"},
		{"max_delay", "250ms"},
		{"batch_rows", "100"},
		{"max_pending_rows", "2000"},
		{"max_pending_bytes", "3mb"},
		{"overflow", "error"},
		{"transactions", "buffer"},
		{"insert", "trust"},
		{"insert.users", "check"},
		{"unique", "direct"},
		{`unique."Account"`, "trust"},
		{"cache_size", "0"},
		{"cache_ttl", "1h30m"},
		{"cache_ttl.billing.invoices", "5s"},
		{`cache_ttl."Account"`, "6s"},
		{"sync", "off"},
		{"max_journal_bytes", "1GB"},
		{"takeover_timeout", "2m"},
		{"close_timeout", "1m"},
		{"driver", "pgx"},
	}
	want := settings{
		tables:          []catalog.Name{{Name: "Account"}, {Schema: "billing", Name: "invoices"}, {Name: "users"}},
		journal:         "none",
		maxDelay:        250 * time.Millisecond,
		batchRows:       100,
		maxPendingRows:  2000,
		maxPendingBytes: 3 * 1024 * 1024,
		overflow:        overflowError,
		transactions:    transactionsBuffer,
		insert:          insertTrust,
		unique:          uniqueDirect,
		cacheTTL:        90 * time.Minute,
		sync:            syncOff,
		maxJournalBytes: 1 << 30,
		takeoverTimeout: 2 * time.Minute,
		closeTimeout:    time.Minute,
		driver:          "pgx",
		tableInsert:     map[catalog.Name]insertMode{{Name: "users"}: insertCheck},
		tableUnique:     map[catalog.Name]uniqueMode{{Name: "Account"}: uniqueTrust},
		tableCacheTTL: map[catalog.Name]time.Duration{
			{Schema: "billing", Name: "invoices"}: 5 * time.Second,
			{Name: "Account"}:                     6 * time.Second,
		},
	}

	keyValue, query := "host=h", "sslmode=disable"
	for _, p := range params {
		keyValue += " writebehind." + p[0] + "='" + p[1] + "'"
		query += "&" + url.QueryEscape("writebehind."+p[0]) + "=" + url.QueryEscape(p[1])
	}
	forms := []struct{ name, dsn, rest string }{
		{"key=value", keyValue + " user=u", "host=h user=u"},
		{"URL", "postgres://h/db?" + query + "&user=u", "postgres://h/db?sslmode=disable&user=u"},
		{"another driver's", "inner-1?" + query, "inner-1?sslmode=disable"},
	}
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			s, rest, err := parseDSN(form.dsn)
			require.NoError(t, err)
			require.Equal(t, form.rest, rest)
			require.Equal(t, want, s)
			require.True(t, s.optsIn())
		})
	}
}

func TestParseTables(t *testing.T) {
	t.Parallel()
	tests := []struct {
		list string
		all  bool
		want []catalog.Name
	}{
		{"a", false, []catalog.Name{{Name: "a"}}},
		{" A , b ", false, []catalog.Name{{Name: "a"}, {Name: "b"}}},
		{"a,A,\"a\"", false, []catalog.Name{{Name: "a"}}},
		{"*", true, nil},
		{"*,a", true, []catalog.Name{{Name: "a"}}},
		{`"*"`, false, []catalog.Name{{Name: "*"}}},
		{`"a,b".c$1`, false, []catalog.Name{{Schema: "a,b", Name: "c$1"}}},
		{`"A.b"."C""d"`, false, []catalog.Name{{Schema: "A.b", Name: `C"d`}}},
		{"ÄÖ_1", false, []catalog.Name{{Name: "ÄÖ_1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.list, func(t *testing.T) {
			t.Parallel()
			var s settings
			require.NoError(t, setTables(&s, strings.TrimSpace(tt.list)))
			require.Equal(t, tt.all, s.allTables)
			require.Equal(t, tt.want, s.tables)
		})
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "17": 17, "17B": 17, "1kB": 1 << 10, "1KB": 1 << 10, "256MB": 256 << 20, "3 gb": 3 << 30, "1TB": 1 << 40,
	} {
		got, err := parseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "MB", "1.5MB", "-1", "1M", "1 0", "1MiB", "2TB", "99999999999999999999", "9999999999999999GB"} {
		_, err := parseSize(text)
		require.Error(t, err, text)
	}
}

func TestParseDSNRefuses(t *testing.T) {
	t.Parallel()
	const opted = "writebehind.tables=users writebehind.journal=none "
	tests := []struct{ name, dsn, want string }{
		{"unknown", "writebehind.colour=red", `unknown parameter "writebehind.colour"; known are writebehind.tables, writebehind.journal, writebehind.sync, ` +
			`writebehind.max_delay, writebehind.batch_rows, writebehind.max_pending_rows, writebehind.max_pending_bytes, ` +
			`writebehind.max_journal_bytes, writebehind.overflow, writebehind.transactions, writebehind.insert, writebehind.unique, writebehind.cache_size, ` +
			`writebehind.cache_ttl, writebehind.takeover_timeout, writebehind.close_timeout, writebehind.driver`},
		{"misspelt", "writebehind.tabels=users", `unknown parameter "writebehind.tabels" (did you mean "writebehind.tables"?)`},
		{"camel case", "writebehind.maxDelay=1s", `(did you mean "writebehind.max_delay"?)`},
		{"with a dash", "writebehind.cache-ttl=1s", `(did you mean "writebehind.cache_ttl"?)`},
		{"prefix in capitals", "WRITEBEHIND.tables=users", `unknown parameter "WRITEBEHIND.tables" (did you mean "writebehind.tables"?)`},
		{"prefix alone", "writebehind.=x", `unknown parameter "writebehind."`},
		{"twice", "writebehind.max_delay=1s writebehind.max_delay=1s", `"writebehind.max_delay" is given twice`},
		{"twice for a table", opted + "writebehind.insert.users=check writebehind.insert.USERS=check", `"writebehind.insert.users" is given twice`},
		{"twice in a URL", "postgres://h?writebehind.max_delay=1s&writebehind%2Emax_delay=2s", `"writebehind.max_delay" is given twice`},
		{"empty", "writebehind.tables=''", `"writebehind.tables": has no value`},
		{"empty in a URL", "postgres://h?writebehind.max_delay=", `"writebehind.max_delay": has no value`},

		{"tables without journal", "writebehind.tables=users", `"writebehind.journal" is required with "writebehind.tables": name a directory on a local disk, or write "none" to keep`},
		{"star without journal", "writebehind.tables=*", `"writebehind.journal" is required`},
		{"sync", opted + "writebehind.sync=maybe", `"writebehind.sync": "maybe" is not known; it must be one of ["on" "off"]`},
		{"max_journal_bytes", opted + "writebehind.max_journal_bytes=1MB", `"writebehind.max_journal_bytes": "1MB" is out of range; it must be from 256MB to 1TB`},
		{"takeover_timeout", opted + "writebehind.takeover_timeout=2h", `"writebehind.takeover_timeout": "2h" is out of range`},
		{"unique", "writebehind.unique=maybe", `"writebehind.unique": "maybe" is not known; it must be one of ["check" "trust" "direct"]`},
		{"unique of a table", opted + "writebehind.unique.users=no", `"writebehind.unique.users": "no" is not known`},

		{"duration without unit", "writebehind.max_delay=100", `"writebehind.max_delay": "100" is a number without a unit; write a duration such as 100ms`},
		{"zero without unit", "writebehind.cache_ttl=0", `"0" is a number without a unit`},
		{"no duration", "writebehind.close_timeout=soon", `"writebehind.close_timeout": "soon" is not a duration`},
		{"duration zero", "writebehind.max_delay=0s", `"0s" is out of range; it must be above 0 and at most 1h`},
		{"duration below zero", "writebehind.cache_ttl=-1s", `"-1s" is out of range; it must be above 0 and at most 720h`},
		{"duration too long", "writebehind.max_delay=61m", `"61m" is out of range`},
		{"close_timeout too long", "writebehind.close_timeout=25h", `it must be above 0 and at most 24h`},
		{"no number", "writebehind.batch_rows=many", `"writebehind.batch_rows": "many" is not a whole number`},
		{"fraction", "writebehind.batch_rows=1.5", `"1.5" is not a whole number`},
		{"number too small", "writebehind.batch_rows=0", `"0" is out of range; it must be from 1 to 1000000`},
		{"number too large", "writebehind.batch_rows=1000001", `it must be from 1 to 1000000`},
		{"number beyond 64 bits", "writebehind.max_pending_rows=99999999999999999999", `it must be from 1 to 1000000000`},
		{"no size", "writebehind.max_pending_bytes=big", `"big" is not a size such as 256MB`},
		{"size zero", "writebehind.max_pending_bytes=0", `"0" is out of range; it must be from 1 to 1TB`},
		{"size too large", "writebehind.max_pending_bytes=2TB", `"2TB" is out of range; it must be at most 1TB`},
		{"cache too small", "writebehind.cache_size=512kB", `"512kB" is out of range; it must be from 1MB to 1TB; 0 turns caching off`},
		{"overflow", "writebehind.overflow=drop", `"writebehind.overflow": "drop" is not known; it must be one of ["block" "error"]`},
		{"insert", "writebehind.insert=CHECK", `"writebehind.insert": "CHECK" is not known; it must be one of ["check" "trust"]`},
		{"driver is ourselves", "writebehind.driver=writebehind", `"writebehind.driver": "writebehind" is this driver itself`},
		{"driver is our other name", "writebehind.driver=postgres-writebehind", `is this driver itself`},

		{"table not opted in", opted + "writebehind.cache_ttl.orders=1s", `"writebehind.cache_ttl.orders": the table is not in "writebehind.tables"`},
		{"table of another schema", "writebehind.tables=a.users writebehind.journal=none writebehind.insert.b.users=trust", `"writebehind.insert.b.users": the table is not in "writebehind.tables"`},
		{"table in other letters", opted + `writebehind.insert."Users"=trust`, `"writebehind.insert."Users"": the table is not in`},
		{"table without tables", "writebehind.insert.users=trust", `"writebehind.insert.users": the table is not in`},
		{"not per table", opted + "writebehind.batch_rows.users=1", `"writebehind.batch_rows" cannot be given per table; insert, unique and cache_ttl can`},
		{"no table", opted + "writebehind.insert.=trust", `"writebehind.insert.": a table name is missing`},
		{"half a table", opted + "writebehind.insert.public.=trust", `a table name is missing`},
		{"three parts", opted + "writebehind.insert.a.b.c=trust", `at most two parts, schema and table`},
		{"text after a table", opted + "writebehind.insert.a-b=trust", `unexpected text after the table name`},
		{"value for a table", opted + "writebehind.cache_ttl.users=5", `"writebehind.cache_ttl.users": "5" is a number without a unit`},

		{"tables: empty item", "writebehind.tables=a,,b", `"writebehind.tables": a table name is missing`},
		{"tables: trailing comma", "writebehind.tables=a, b=c", `a table name is missing or does not begin like one (a list with spaces must be quoted)`},
		{"tables: digit first", "writebehind.tables=1a", `a table name is missing or does not begin like one`},
		{"tables: dash", "writebehind.tables=a-b", `one that is not a plain name needs double quotes`},
		{"tables: two words", "writebehind.tables='a b'", `table names are separated by commas`},
		{"tables: quote open", `writebehind.tables="a`, `a quoted table name is not terminated`},
		{"tables: quoted nothing", `writebehind.tables=""`, `a table name is missing`},
		{"tables: three parts", "writebehind.tables=db.public.a", `at most two parts`},
		{"tables: too long", "writebehind.tables=" + strings.Repeat("a", 64), `longer than the 63 bytes`},
		{"tables: not UTF-8", "writebehind.tables=\xff", `not valid UTF-8`},

		{"stripping fails", "host=h writebehind.tables", `missing "=" after "writebehind.tables"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, rest, err := parseDSN(tt.dsn)
			require.ErrorContains(t, err, tt.want)
			require.Empty(t, rest)
			require.Equal(t, settings{}, s)
		})
	}
}

// However the parameters are mangled, the password stays out of the error.
func TestParseDSNErrorsCarryNoPassword(t *testing.T) {
	t.Parallel()
	separators := []string{";", "&", ",", " ", "\t", "/", ":", "|", "?", "#", "%26", "%3B", "'", "\"", "\\", " ; "}
	shapes := []string{
		"postgres://u:s3cret@h/db?",
		"postgres://h/db?password=s3cret&",
		"password=s3cret ",
		"password='s3cret' ",
		"password=",
		"u:s3cret@tcp(h)/db?",
		"",
	}
	failed := 0
	for _, def := range paramDefs {
		for _, separator := range separators {
			for _, shape := range shapes {
				for _, value := range []string{"", "x", "'x", "none"} {
					dsn := shape + "writebehind." + def.name + "=" + value + separator + "password=s3cret"
					if _, _, err := parseDSN(dsn); err != nil {
						failed++
						require.NotContains(t, err.Error(), "s3cret", dsn)
					}
				}
			}
		}
	}
	require.NotZero(t, failed)
}

func TestSettingsForOneTable(t *testing.T) {
	t.Parallel()
	s, _, err := parseDSN("writebehind.tables=users,audit.users,* writebehind.journal=none " +
		"writebehind.cache_ttl=1m writebehind.cache_ttl.users=2m writebehind.cache_ttl.audit.users=3m writebehind.insert.orders=trust")
	require.NoError(t, err)

	public, audit := catalog.Name{Schema: "public", Name: "users"}, catalog.Name{Schema: "audit", Name: "users"}
	require.Equal(t, 2*time.Minute, s.cacheTTLFor(public, true))
	require.Equal(t, time.Minute, s.cacheTTLFor(public, false), "the bare name means another table")
	require.Equal(t, 3*time.Minute, s.cacheTTLFor(audit, false))
	require.Equal(t, 3*time.Minute, s.cacheTTLFor(audit, true), "the full name comes first")
	require.Equal(t, insertTrust, s.insertFor(catalog.Name{Schema: "public", Name: "orders"}, true))
	require.Equal(t, insertCheck, s.insertFor(public, true))
	require.Equal(t, uniqueCheck, s.uniqueFor(public, true))
}

func TestSettingsFingerprintIgnoresSpelling(t *testing.T) {
	t.Parallel()
	a, _, err := parseDSN("host=h writebehind.tables=b,A writebehind.journal=none writebehind.max_delay=1s writebehind.cache_size=1GB writebehind.insert.a=trust")
	require.NoError(t, err)
	b, _, err := parseDSN(`postgres://x?writebehind.insert."a"=trust&writebehind.cache_size=1024mb&writebehind.max_delay=1000ms` +
		`&writebehind.journal=none&writebehind.tables=%22a%22,B&writebehind.overflow=block`)
	require.NoError(t, err)
	require.Equal(t, a.fingerprint(), b.fingerprint())
	require.Empty(t, a.diff(b))
}

func TestSettingsDiffNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	const base = "writebehind.tables=a,b writebehind.journal=none "
	first, _, err := parseDSN(base + "writebehind.insert.a=trust writebehind.cache_ttl.b=1s")
	require.NoError(t, err)
	tests := []struct{ dsn, want string }{
		{base + "writebehind.insert.a=trust writebehind.cache_ttl.b=2s", "writebehind.cache_ttl.b"},
		{base + "writebehind.insert.a=trust", "writebehind.cache_ttl.b"},
		{base + "writebehind.insert.a=trust writebehind.cache_ttl.b=1s writebehind.insert.b=check", "writebehind.insert.b"},
		{base + "writebehind.insert.a=trust writebehind.cache_ttl.b=1s writebehind.driver=pgx writebehind.batch_rows=1",
			"writebehind.batch_rows, writebehind.driver"},
		{"host=h", "writebehind.tables, writebehind.journal, writebehind.insert.a, writebehind.cache_ttl.b"},
	}
	for _, tt := range tests {
		second, _, err := parseDSN(tt.dsn)
		require.NoError(t, err)
		require.Equal(t, tt.want, first.diff(second))
		require.NotEqual(t, first.fingerprint(), second.fingerprint())
	}
}

func TestSettingsRows(t *testing.T) {
	t.Parallel()
	s, _, err := parseDSN(`writebehind.tables='b.c,"A",*' writebehind.journal=none writebehind.cache_size=1536kB ` +
		`writebehind.max_pending_bytes=1500 writebehind.insert."A"=trust writebehind.cache_ttl.b.c=90s`)
	require.NoError(t, err)
	require.Equal(t, [][2]string{
		{"writebehind.tables", `*,"A",b.c`},
		{"writebehind.journal", "none"},
		{"writebehind.sync", "on"},
		{"writebehind.max_journal_bytes", "4GB"},
		{"writebehind.max_delay", "100ms"},
		{"writebehind.batch_rows", "20000"},
		{"writebehind.max_pending_rows", "1000000"},
		{"writebehind.max_pending_bytes", "1500"},
		{"writebehind.overflow", "block"},
		{"writebehind.transactions", "buffer"},
		{"writebehind.insert", "check"},
		{"writebehind.unique", "check"},
		{"writebehind.cache_size", "1536kB"},
		{"writebehind.cache_ttl", "10m"},
		{"writebehind.takeover_timeout", "30s"},
		{"writebehind.close_timeout", "20s"},
		{"writebehind.driver", "postgres"},
		{`writebehind.insert."A"`, "trust"},
		{"writebehind.cache_ttl.b.c", "1m30s"},
	}, s.rows())
}

// What SHOW prints could be pasted into a DSN and would mean the same.
func TestSettingsRowsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := defaultSettings()
		ident := rapid.StringMatching(`[a-zA-Z0-9_$ ".,ä*]{1,20}`)
		table := rapid.Custom(func(t *rapid.T) catalog.Name {
			name := catalog.Name{Name: ident.Draw(t, "table")}
			if rapid.Bool().Draw(t, "qualified") {
				name.Schema = ident.Draw(t, "schema")
			}
			return name
		})
		duration := rapid.Int64Range(1, int64(time.Hour))
		s.tables = rapid.SliceOfNDistinct(table, 1, 4, func(n catalog.Name) catalog.Name { return n }).Draw(t, "tables")
		s.allTables = rapid.Bool().Draw(t, "all")
		s.journal = journalNone
		s.maxDelay = time.Duration(duration.Draw(t, "max_delay"))
		s.batchRows = rapid.IntRange(1, 1_000_000).Draw(t, "batch_rows")
		s.maxPendingBytes = rapid.Int64Range(1, maxSize).Draw(t, "max_pending_bytes")
		s.cacheSize = int64(rapid.IntRange(0, 1<<20).Draw(t, "cache_size")) << 20
		s.tableCacheTTL = map[catalog.Name]time.Duration{s.tables[0]: time.Duration(duration.Draw(t, "cache_ttl"))}
		s.tableInsert = map[catalog.Name]insertMode{s.tables[0]: insertTrust}

		dsn := "postgres://h/db"
		for i, row := range s.rows() {
			dsn += string("?&"[min(i, 1)]) + url.QueryEscape(row[0]) + "=" + url.QueryEscape(row[1])
		}
		got, rest, err := parseDSN(dsn)
		require.NoError(t, err)
		require.Equal(t, "postgres://h/db", rest)
		require.Equal(t, s.fingerprint(), got.fingerprint())
		require.Empty(t, s.diff(got))
	})
}

func TestFormatDurationReadsBack(t *testing.T) {
	t.Parallel()
	for text, d := range map[string]time.Duration{
		"10m": 10 * time.Minute, "1h": time.Hour, "1h0m1s": time.Hour + time.Second, "30s": 30 * time.Second,
		"1m30s": 90 * time.Second, "10h": 10 * time.Hour, "1h10m": 70 * time.Minute, "100ms": 100 * time.Millisecond,
		"2562047h47m16.854775807s": math.MaxInt64,
	} {
		require.Equal(t, text, formatDuration(d))
		back, err := time.ParseDuration(text)
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
}

// FuzzParseDSN: whatever the text, ours are found or refused, the rest is left
// alone, and lib/pq reads it as it would have read the whole.
func FuzzParseDSN(f *testing.F) {
	for _, seed := range []string{
		"postgres://u:p@h:1/db?sslmode=disable&writebehind.tables=a&writebehind.journal=none#f",
		"postgres://h?%77ritebehind%2Etables=a&a=1;b",
		`host=h password='a \' b' writebehind.tables='"A b",c.d'user=u`,
		"password= writebehind.tables=a",
		"inner-1 writebehind.max_delay=1s",
		"inner-1?a=b&writebehind.max_delay=1s writebehind.batch_rows=2",
		" \n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		rest, params, err := stripDSN(dsn)
		if s, parsedRest, parseErr := parseDSN(dsn); parseErr == nil {
			require.NoError(t, err)
			require.Equal(t, rest, parsedRest)
			require.Empty(t, s.diff(s))
		}
		if err != nil {
			return
		}

		require.True(t, leavesOut(dsn, rest), "%q is not %q with parts left out", rest, dsn)
		if len(params) == 0 {
			require.Equal(t, dsn, rest)
		}
		again, left, err := stripDSN(rest)
		require.NoError(t, err)
		require.Empty(t, left)
		require.Equal(t, rest, again)

		pqURL := strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
		if !pqURL && (hasScheme(dsn) || opaqueQuery(dsn) >= 0) {
			return // another driver's: lib/pq would take it for the name of a setting
		}
		whole, err := pq.NewConfig(dsn)
		if err != nil {
			return
		}
		got, err := pq.NewConfig(rest)
		require.NoError(t, err)
		ours := takeOurs(whole.Runtime)
		require.Equal(t, whole, got)
		for _, p := range params {
			// Empty ones vanish from a URL, and names with a space or an equals
			// sign become something else on lib/pq's way to key=value.
			if p.value != "" && !strings.ContainsFunc(p.name, func(r rune) bool { return r == '=' || unicode.IsSpace(r) }) {
				require.Contains(t, ours, string([]rune(p.name)))
			}
		}
	})
}

// leavesOut says whether rest is text without some of its bytes.
func leavesOut(text, rest string) bool {
	for i := 0; i < len(text) && rest != ""; i++ {
		if text[i] == rest[0] {
			rest = rest[1:]
		}
	}
	return rest == ""
}
