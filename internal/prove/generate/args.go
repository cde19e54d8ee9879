package generate

import (
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/writebehind/writebehind/internal/prove/history"
)

// null is NULL, of any type, in the Go values that become it.
var null = val("NULL", nil, (*int64)(nil), (*string)(nil), (*time.Time)(nil), (*history.Valued)(nil), history.Valued{}, sql.NullString{}, sql.NullInt64{},
	sql.NullTime{}, sql.NullBool{}, sql.Null[string]{}, json.RawMessage(nil), history.Blob(nil))

// refused are arguments that database/sql refuses, most of them before any driver
// gets to see them.
var refused = []value{
	val("", history.Failing{Text: "no value today"}), val("", history.Failing{}), val("", history.Valued{V: int32(1)}), val("", history.Valued{V: []int64{1}}),
	val("", struct{}{}), val("", []string{"a"}), val("", history.Valued{V: history.Named("a")}),
}

// huge are values of about 100 kB, and one of 1 MB, for the types that have such.
func (k *kind) huge() []value {
	const long, longest = 100_000, 1_000_000
	switch k.name {
	case "text":
		text := strings.Repeat("h", long)
		return []value{val("", text, []byte(text)), val("", text), val("", strings.Repeat("日", long)), val("", strings.Repeat("H", longest))}
	case "bytea":
		return []value{val("", []byte(strings.Repeat("\x00", long))), val("", []byte(strings.Repeat("\xff", long))), val("", []byte(strings.Repeat("h", longest)))}
	case "json", "jsonb":
		return []value{val("", strings.Repeat(" ", long)+"1"), val("", json.RawMessage(strings.Repeat("7", long)))}
	}
	return nil
}
