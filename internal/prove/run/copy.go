package run

import (
	"context"

	"github.com/writebehind/writebehind/internal/prove/compare"
	"github.com/writebehind/writebehind/internal/prove/history"
)

// copyIn sends rows with a COPY FROM STDIN. Which of the calls tells of an
// error is a matter of timing, so only the first error is recorded.
func (l *line) copyIn(ctx context.Context, out *compare.Outcome, st history.Statement, args []any) {
	stmt, err := l.target().PrepareContext(ctx, st.SQL)
	if err != nil {
		out.Err = err
		return
	}
	defer func() { _ = stmt.Close() }()
	for ; st.Columns > 0 && len(args) >= st.Columns; args = args[st.Columns:] {
		if _, err := stmt.ExecContext(ctx, args[:st.Columns]...); err != nil {
			out.Err = err
			return
		}
	}
	res, err := stmt.ExecContext(ctx)
	if out.Err = err; err == nil {
		out.Result = compare.ReadResult(res)
	}
}
