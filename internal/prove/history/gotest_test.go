package history

import (
	"database/sql"
	"encoding/json"
	"go/parser"
	"go/token"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

func TestArgumentsArePrintedAsGo(t *testing.T) {
	n := int64(7)
	for want, arg := range map[string]any{
		`nil`:                              nil,
		`true`:                             true,
		`7`:                                7,
		`int64(-9223372036854775808)`:      int64(math.MinInt64),
		`uint64(18446744073709551615)`:     uint64(math.MaxUint64),
		`int32(7)`:                         int32(7),
		`1.0`:                              1.0,
		`1e+39`:                            1e39,
		`float32(0.1)`:                     float32(0.1),
		`math.NaN()`:                       math.NaN(),
		`math.Inf(-1)`:                     math.Inf(-1),
		`math.Copysign(0, -1)`:             math.Copysign(0, -1),
		`"a"`:                              "a",
		"`a\"b`":                           `a"b`,
		`"a\x00b"`:                         "a\x00b",
		`"\xff"`:                           "\xff",
		"\"`\\\"\"":                        "`\"",
		`strings.Repeat("k", 2500)`:        strings.Repeat("k", 2500),
		"strings.Repeat(\"日\", 100)+\"a\"": strings.Repeat("日", 100) + "a",
		`pq.Array([]int32{1})`:             pq.Array([]int32{1}),
		`[]byte(nil)`:                      []byte(nil),
		`[]byte("\x00\xff")`:               []byte{0, 255},
		`json.RawMessage("[]")`:            json.RawMessage("[]"),
		`[]int64{1, 2}`:                    []int64{1, 2},
		`pq.StringArray{"a"}`:              pq.StringArray{"a"},
		`prove.To(int64(7))`:               &n,
		`(*int64)(nil)`:                    (*int64)(nil),
		`(*prove.Valued)(nil)`:             (*Valued)(nil),
		`prove.To(prove.Valued{V: true})`:  &Valued{V: true},
		`prove.Failing{Text: "x"}`:         Failing{Text: "x"},
		`prove.Number(7)`:                  Number(7),
		`prove.Blob("x")`:                  Blob("x"),
		`json.Number("1.5")`:               json.Number("1.5"),
		`pq.Array([][]int64{[]int64{1}})`:  pq.GenericArray{A: [][]int64{{1}}},
		`uint32(7)`:                        uint32(7),
		`sql.NullTime{Time: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Valid: false}`: sql.NullTime{},
		`sql.Null[string]{V: "a", Valid: true}`:                                      sql.Null[string]{V: "a", Valid: true},
		`prove.Minted{From: -1, N: 3}`:                                               Minted{From: UUIDs, N: 3},
		`prove.Named("x")`:                                                           Named("x"),
		`prove.Valued{V: []byte("x")}`:                                               Valued{V: []byte("x")},
		`sql.NullInt64{Int64: 1, Valid: true}`:                                       sql.NullInt64{Int64: 1, Valid: true},
		`time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)`:                                time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC),
		`time.Date(-43, 3, 15, 0, 0, 0, 0, time.FixedZone("odd", 60))`:               time.Date(-43, 3, 15, 0, 0, 0, 0, time.FixedZone("odd", 60)),
		`time.Date(2001, 2, 3, 4, 5, 6, 0, prove.Zone("Asia/Kathmandu"))`:            time.Date(2001, 2, 3, 4, 5, 6, 0, Zone("Asia/Kathmandu")),
		`time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", 0))`:                   time.Date(2001, 2, 3, 4, 5, 6, 0, time.FixedZone("", 0)),
	} {
		require.Equal(t, want, goLiteral(arg))
		_, err := parser.ParseExpr(want)
		require.NoError(t, err)
	}
}

func TestHistoryIsPrintedAsATest(t *testing.T) {
	h := History{
		Settings: Settings{MaxDelay: 5 * time.Millisecond, Binary: true},
		Schema:   []string{"CREATE TABLE t (\n  id int8 PRIMARY KEY\n)"},
		Statements: []Statement{
			{Call: Begin, Isolation: sql.LevelSerializable},
			{Call: Query, SQL: "SELECT 1 WHERE 1 = $1", Args: []any{int64(1)}, Prepared: Kept, Unordered: true},
			{Conn: 2, SQL: "COMMIT"},
		},
	}
	src := h.GoTest("TestX")
	require.Equal(t, "func TestX(t *testing.T) {\n"+
		"\tprove.Replay(t, prove.History{\n"+
		"\t\tSettings: prove.Settings{MaxDelay: 5 * time.Millisecond, Binary: true},\n"+
		"\t\tSchema: []string{\n"+
		"\t\t\t`CREATE TABLE t (\n  id int8 PRIMARY KEY\n)`,\n"+
		"\t\t},\n"+
		"\t\tStatements: []prove.Statement{\n"+
		"\t\t\t{Call: prove.Begin, Isolation: sql.IsolationLevel(6)},\n"+
		"\t\t\t{Call: prove.Query, SQL: \"SELECT 1 WHERE 1 = $1\", Args: []any{int64(1)}, Prepared: prove.Kept, Unordered: true},\n"+
		"\t\t\t{Conn: 2, SQL: \"COMMIT\"},\n"+
		"\t\t},\n"+
		"\t})\n}\n", src)
	_, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+src, 0)
	require.NoError(t, err)
}
