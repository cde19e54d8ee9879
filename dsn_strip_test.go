package writebehind

import (
	"maps"
	"strings"
	"testing"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStripDSNKeepsTheRestByteForByte(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, dsn, rest string
		params          []dsnParam
	}{
		{"empty", "", "", nil},
		{"nothing of ours, URL", "postgres://u:p%40@h:5/db?b=2&a=1&&x#f", "postgres://u:p%40@h:5/db?b=2&a=1&&x#f", nil},
		{"nothing of ours, key=value", "  host = h\tpassword='a b' \n", "  host = h\tpassword='a b' \n", nil},
		{"nothing of ours, other driver", "sqlmock_db_0", "sqlmock_db_0", nil},
		{"blank", " \n", " \n", nil},

		{"URL, only ours", "postgres://h/db?writebehind.tables=t", "postgres://h/db", []dsnParam{{"writebehind.tables", "t"}}},
		{"URL, all ours", "postgresql://h/db?writebehind.tables=t&writebehind.journal=none", "postgresql://h/db",
			[]dsnParam{{"writebehind.tables", "t"}, {"writebehind.journal", "none"}}},
		{"URL, first", "postgres://h/db?writebehind.tables=t&a=1", "postgres://h/db?a=1", []dsnParam{{"writebehind.tables", "t"}}},
		{"URL, last", "postgres://h/db?a=1&writebehind.tables=t", "postgres://h/db?a=1", []dsnParam{{"writebehind.tables", "t"}}},
		{"URL, middle", "postgres://h/db?b=%41&writebehind.tables=t&a=1+2", "postgres://h/db?b=%41&a=1+2", []dsnParam{{"writebehind.tables", "t"}}},
		{"URL, between others", "postgres://h/db?writebehind.a=1&x=y&writebehind.b=2&z=&writebehind.c=3", "postgres://h/db?x=y&z=",
			[]dsnParam{{"writebehind.a", "1"}, {"writebehind.b", "2"}, {"writebehind.c", "3"}}},
		{"URL, duplicate keys of others stay", "postgres://h/db?a=1&writebehind.a=1&a=2", "postgres://h/db?a=1&a=2", []dsnParam{{"writebehind.a", "1"}}},
		{"URL, empty pairs stay", "postgres://h/db?a=1&&writebehind.a=1&", "postgres://h/db?a=1&&", []dsnParam{{"writebehind.a", "1"}}},
		{"URL, fragment stays", "postgres://h/db?writebehind.a=1#frag", "postgres://h/db#frag", []dsnParam{{"writebehind.a", "1"}}},
		{"URL, pair with a semicolon of others stays", "postgres://h/db?a=1;b&writebehind.a=1", "postgres://h/db?a=1;b", []dsnParam{{"writebehind.a", "1"}}},
		{"URL, broken escape of others stays", "postgres://h/db?%zz=%a&writebehind.a=1", "postgres://h/db?%zz=%a", []dsnParam{{"writebehind.a", "1"}}},
		{"URL, encoded", "postgres://h/db?%77ritebehind%2Etables=a%2C+%22B+c%22%3B", "postgres://h/db", []dsnParam{{"writebehind.tables", `a, "B c";`}}},
		{"URL, space around the name", "postgres://h/db?+writebehind.a%20=1&%0awritebehind.b=2&x=y", "postgres://h/db?x=y",
			[]dsnParam{{"writebehind.a", "1"}, {"writebehind.b", "2"}}},
		{"URL, equals sign in the value", "postgres://h/db?writebehind.a=b=c", "postgres://h/db", []dsnParam{{"writebehind.a", "b=c"}}},
		{"URL, no equals sign", "postgres://h/db?writebehind.a", "postgres://h/db", []dsnParam{{"writebehind.a", ""}}},
		{"URL, ours as a value stays", "postgres://h/db?options=-c%20writebehind.tables%3Dx", "postgres://h/db?options=-c%20writebehind.tables%3Dx", nil},
		{"URL of another driver", "cockroach://u:a=b@h/db?writebehind.a=1&b=2", "cockroach://u:a=b@h/db?b=2", []dsnParam{{"writebehind.a", "1"}}},
		{"URL, other letter case", "postgres://h/db?WriteBehind.a=1", "postgres://h/db", []dsnParam{{"WriteBehind.a", "1"}}},

		{"key=value, only ours", "writebehind.a=1", "", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, only ours in space", " writebehind.a=1 \n", "", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, first", "writebehind.a=1 host=h", "host=h", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, last", "host=h writebehind.a=1", "host=h", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, last before space", "host=h writebehind.a=1\n", "host=h\n", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, middle", "host=h  writebehind.a=1\tuser=u", "host=h\tuser=u", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, lines", "\n  host=h\n  writebehind.a=1\n  user=u\n", "\n  host=h\n  user=u\n", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, space around the equals sign", "host = h writebehind.a \t=  1 user =  u", "host = h user =  u", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, no value at the end", "host=h writebehind.a= ", "host=h ", []dsnParam{{"writebehind.a", ""}}},
		{"key=value, quoted", `host=h writebehind.a='b \'c\' \\ d' user=u`, "host=h user=u", []dsnParam{{"writebehind.a", `b 'c' \ d`}}},
		{"key=value, quoted empty", "writebehind.a='' user=u", "user=u", []dsnParam{{"writebehind.a", ""}}},
		{"key=value, escaped", `writebehind.a=b\ c\\d\'e user=u`, "user=u", []dsnParam{{"writebehind.a", `b c\d'e`}}},
		{"key=value, quote inside a value", `writebehind.a=b'c user=u`, "user=u", []dsnParam{{"writebehind.a", `b'c`}}},
		{"key=value, double quotes are text", `writebehind.a="B" user=u`, "user=u", []dsnParam{{"writebehind.a", `"B"`}}},
		{"key=value, percent is text", `writebehind.a=%41+ user=u`, "user=u", []dsnParam{{"writebehind.a", `%41+`}}},
		{"key=value, no space after a quoted value", "a=b writebehind.a='1'c=d", "a=b c=d", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, no space between ours", "a=b writebehind.a='1'writebehind.b='2'c=d", "a=b c=d",
			[]dsnParam{{"writebehind.a", "1"}, {"writebehind.b", "2"}}},
		{"key=value, no space between ours at the end", "a=b writebehind.a='1'writebehind.b='2'", "a=b",
			[]dsnParam{{"writebehind.a", "1"}, {"writebehind.b", "2"}}},
		{"key=value, no space at all", "a='b'writebehind.a='1'c=d", "a='b'c=d", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, no space at all, but earlier", "x=y a='b'writebehind.a='1'c=d", "x=y a='b'c=d", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, quoted after space", "writebehind.a= 'b=c' x=y", "x=y", []dsnParam{{"writebehind.a", "b=c"}}},
		{"key=value, no space before", "a='b'writebehind.a=1\tc=d", "a='b'\tc=d", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, Unicode space", "a=b\u00a0writebehind.a=1\u2003c=d", "a=b\u2003c=d", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, ours in a quoted value stays", "password='x writebehind.a=1' user=u", "password='x writebehind.a=1' user=u", nil},
		{"key=value, ours in an escaped value stays", `password=x\ writebehind.a=1 user=u`, `password=x\ writebehind.a=1 user=u`, nil},
		{"key=value, ours in a password stays", `password=x&writebehind.a=1 user=u`, `password=x&writebehind.a=1 user=u`, nil},
		{"key=value, ours as option stays", "options=-cwritebehind.a=1", "options=-cwritebehind.a=1", nil},
		{"key=value, invalid UTF-8 stays", "a=\xff\xfe writebehind.a=1 b=\x80", "a=\xff\xfe b=\x80", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, unterminated quote of others stays", "writebehind.a=1 password='x y", "password='x y", []dsnParam{{"writebehind.a", "1"}}},
		{"key=value, backslash at the end of others stays", `writebehind.a=1 password=x\`, `password=x\`, []dsnParam{{"writebehind.a", "1"}}},
		{"only a name like ours", "writebehindx=1 writebehind=2", "writebehindx=1 writebehind=2", nil},

		{"other driver, after a space", "inner-1 writebehind.a=1 writebehind.b='2 3'", "inner-1", []dsnParam{{"writebehind.a", "1"}, {"writebehind.b", "2 3"}}},
		{"other driver, ours first", "writebehind.a=1 inner-1", "inner-1", []dsnParam{{"writebehind.a", "1"}}},
		{"other driver, between words", "inner  1 writebehind.a=1 'q' x", "inner  1 'q' x", []dsnParam{{"writebehind.a", "1"}}},
		{"other driver, query", "sqlmock_db_0?writebehind.a=1&writebehind.b=2", "sqlmock_db_0", []dsnParam{{"writebehind.a", "1"}, {"writebehind.b", "2"}}},
		{"other driver, query with others", "file:x?mode=rw&writebehind.a=%31&c=d", "file:x?mode=rw&c=d", []dsnParam{{"writebehind.a", "1"}}},
		{"other driver, number sign is text", "in#1?writebehind.a=1#2", "in#1", []dsnParam{{"writebehind.a", "1#2"}}},
		{"other driver, query and space", "inner?x=1&writebehind.a=1 writebehind.b=2", "inner?x=1", []dsnParam{{"writebehind.b", "2"}, {"writebehind.a", "1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rest, params, err := stripDSN(tt.dsn)
			require.NoError(t, err)
			require.Equal(t, tt.rest, rest)
			require.Equal(t, tt.params, params)
		})
	}
}

// Each of these would leave a parameter of ours where lib/pq drops it without a
// word, or takes it for another's value.
func TestStripDSNNeverOverlooksAParameter(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, dsn, want string }{
		{"semicolon after", "postgres://u:s3cret@h/db?writebehind.tables=t;password=s3cret", `"writebehind.tables" is next to a semicolon`},
		{"semicolon before", "postgres://h/db?password=s3cret;writebehind.tables=t", `"writebehind.tables" is next to a semicolon`},
		{"semicolon, encoded name", "postgres://h/db?a=1;%77ritebehind.tables=t", `"writebehind.tables" is next to a semicolon`},
		{"in the name of another", "postgres://h/db?a%3Ds3cret%20writebehind.tables=t", "stands where no parameter is read"},
		{"broken escape in the name", "postgres://h/db?writebehind.tables%zz=t", `"writebehind.tables": invalid percent-encoding in the name`},
		{"broken escape in the value", "postgres://u:s3cret@h/db?writebehind.tables=t%", `"writebehind.tables": invalid percent-encoding in the value`},
		{"in the fragment", "postgres://u:s3cret#@h/db?writebehind.tables=t", "stands where no parameter is read"},
		{"as the fragment", "postgres://h/db#writebehind.tables=t", "stands where no parameter is read"},
		{"no question mark", "postgres://u:s3cret@h/db&writebehind.tables=t", "stands where no parameter is read"},
		{"second question mark", "postgres://h/db?application_name=s3cret?writebehind.tables=t", "stands where no parameter is read"},
		{"space in a URL", "postgres://h/db?password=s3cret writebehind.tables=t", "stands where no parameter is read"},
		{"space after a URL", "postgres://u:s3cret@h/db writebehind.tables=t", "stands where no parameter is read"},
		{"semicolon in key=value", "application_name=s3cret;writebehind.tables=t", "stands where no parameter is read"},
		{"ampersand in a word", "s3cret&writebehind.tables=t", "stands where no parameter is read"},
		{"other DSN with an equals sign", "user:s3=cret@tcp(h)/db?writebehind.tables=t", "stands where no parameter is read"},
		{"no equals sign", "host=h writebehind.tables", `missing "=" after "writebehind.tables"`},
		{"no equals sign before another", "writebehind.tables password=s3cret", `missing "=" after "writebehind.tables"`},
		{"value of the one before", "password= writebehind.tables=s3cret", `"writebehind.tables" is read as the value of the setting before it`},
		{"the next as value", "writebehind.journal= password=s3cret", `"writebehind.journal" has no value`},
		{"unterminated", "writebehind.journal='none password=s3cret", `"writebehind.journal": the value ends inside a quoted string`},
		{"backslash at the end", `password=s3cret writebehind.journal=none\`, `"writebehind.journal": the value ends inside a quoted string or after a backslash`},
		{"inside an unterminated one", "password='s3cret writebehind.tables=t", "a quoted string is not terminated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := stripDSN(tt.dsn)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "s3")
		})
	}
}

// setting is one setting of a generated key=value DSN.
type setting struct {
	text string
	ours bool
	// closed says that the value was quoted, so that no space need follow.
	closed bool
}

// drawSetting draws a setting in any of the ways in which lib/pq lets it be
// written. Its value never begins like another setting after a space.
func drawSetting(t *rapid.T, key string, ours bool, value *rapid.Generator[string]) setting {
	var (
		text   = value.Draw(t, "value")
		spaces = rapid.SampledFrom([]string{"", "", "", " ", " \t", "\u00a0"})
		equals = spaces.Draw(t, "before =") + "=" + spaces.Draw(t, "after =")
		escape = strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	)
	if text == "" || rapid.Bool().Draw(t, "quoted") {
		return setting{text: key + equals + "'" + escape.Replace(text) + "'", ours: ours, closed: true}
	}
	bare := strings.NewReplacer(`\`, `\\`, `'`, `\'`, " ", `\ `, "\t", "\\\t", "\u00a0", "\\\u00a0")
	return setting{text: key + equals + bare.Replace(text), ours: ours}
}

// Whatever lib/pq can read, it reads the same without our parameters, and the
// values it would have read for ours are those we read.
func TestStripDSNAgreesWithLibPQ(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			text     = rapid.StringOf(rapid.RuneFrom([]rune("aZ0 \t\u00a0'\\\"_.,*-ä€@/")))
			space    = rapid.SampledFrom([]string{" ", "  ", "\n", "\t ", "\u2003"})
			keys     = []string{"host", "user", "password", "dbname", "application_name", "search_path", "work_mem", "a.b", "options"}
			settings []setting
		)
		for i := range rapid.IntRange(0, 6).Draw(t, "others") {
			key := keys[(i+rapid.IntRange(0, 2).Draw(t, "key"))%len(keys)]
			settings = append(settings, drawSetting(t, key, false, text))
		}
		names := []string{"writebehind.tables", `writebehind.insert."Ä"`, "writebehind.max_delay", "Writebehind.x"}
		for _, name := range names[:rapid.IntRange(0, len(names)).Draw(t, "ours")] {
			at := rapid.IntRange(0, len(settings)).Draw(t, "at")
			settings = append(settings[:at:at], append([]setting{drawSetting(t, name, true, text)}, settings[at:]...)...)
		}

		var with, without strings.Builder
		with.WriteString(rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "lead"))
		for i, s := range settings {
			if i > 0 && !(settings[i-1].closed && rapid.Bool().Draw(t, "no space")) {
				with.WriteString(space.Draw(t, "space"))
			}
			with.WriteString(s.text)
			if !s.ours {
				without.WriteString(s.text + " ")
			}
		}
		with.WriteString(rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "trail"))

		rest, params, err := stripDSN(with.String())
		require.NoError(t, err)

		got, err := pq.NewConfig(rest)
		require.NoError(t, err)
		plain, err := pq.NewConfig(without.String())
		require.NoError(t, err)
		require.Equal(t, plain, got)

		whole, err := pq.NewConfig(with.String())
		require.NoError(t, err)
		ours := make(map[string]string)
		for _, p := range params {
			ours[p.name] = p.value
		}
		require.Equal(t, takeOurs(whole.Runtime), ours)
		require.Equal(t, whole, got)
	})
}

// takeOurs moves our parameters out of what lib/pq would send to the server.
func takeOurs(runtime map[string]string) map[string]string {
	ours := make(map[string]string)
	for k, v := range runtime {
		if isOurs(k) {
			ours[k] = v
		}
	}
	maps.DeleteFunc(runtime, func(k, _ string) bool { return isOurs(k) })
	return ours
}

// The same for URLs, in which lib/pq sees only what net/url does.
func TestStripDSNAgreesWithLibPQOnURLs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			atom = rapid.SampledFrom([]string{"a", "Z", "0", ".", "-", "_", "=", "%41", "%2E", "%3B", "%26", "%20", "+",
				"%zz", "%", ";", "/", "?", "'", "\\", "%27", "%5C"})
			prefix = rapid.SampledFrom([]string{"writebehind.", "%77ritebehind%2E", "writebehind%2e"})
			pairs  []string
			others []string
		)
		for range rapid.IntRange(0, 6).Draw(t, "pairs") {
			if rapid.Bool().Draw(t, "ours") {
				pairs = append(pairs, prefix.Draw(t, "prefix")+rapid.StringMatching(`[a-z]{8}=(%2C|\+|[a-z*.]){1,8}`).Draw(t, "ours"))
				continue
			}
			pair := strings.Join(rapid.SliceOf(atom).Draw(t, "pair"), "")
			pairs, others = append(pairs, pair), append(others, pair)
		}
		base := rapid.SampledFrom([]string{"postgres://", "postgresql://u:p%40@h:1/db", "postgres://h/"}).Draw(t, "base")
		fragment := rapid.SampledFrom([]string{"", "#", "#f?a=b&c"}).Draw(t, "fragment")
		dsn := base + "?" + strings.Join(pairs, "&") + fragment

		rest, params, err := stripDSN(dsn)
		require.NoError(t, err)
		require.Len(t, params, len(pairs)-len(others))

		expected := dsn
		if len(others) < len(pairs) {
			expected = base + fragment
			if others != nil {
				expected = base + "?" + strings.Join(others, "&") + fragment
			}
		}
		require.Equal(t, expected, rest)

		whole, wholeErr := pq.NewConfig(dsn)
		got, gotErr := pq.NewConfig(rest)
		require.Equal(t, wholeErr == nil, gotErr == nil)
		if wholeErr != nil {
			return
		}
		ours := takeOurs(whole.Runtime)
		for _, p := range params {
			require.Contains(t, ours, p.name)
		}
		require.Equal(t, whole, got)
	})
}
