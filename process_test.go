package writebehind_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/writebehind/writebehind"
)

// remoteDSN, in the environment, makes the test binary a process that executes on
// the shim what it reads from standard input, line by line, and answers each
// line with one.
const remoteDSN = "WRITEBEHIND_TEST_REMOTE_DSN"

// serveRemote is that process.
func serveRemote(dsn string) error {
	db, err := sql.Open("writebehind", dsn)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		answer, err := answerRemote(db, verb, rest)
		if err != nil {
			answer = "error: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(answer)
	}
	return lines.Err()
}

func answerRemote(db *sql.DB, verb, rest string) (string, error) {
	ctx := context.Background()
	switch verb {
	case "exec":
		result, err := db.ExecContext(ctx, rest)
		if err != nil {
			return "", err
		}
		n, err := result.RowsAffected()
		return fmt.Sprint(n), err
	case "value":
		var v any
		err := db.QueryRowContext(ctx, rest).Scan(&v)
		return fmt.Sprint(v), err
	case "caches":
		before, err := writebehind.Stats(db)
		if err != nil {
			return "", err
		}
		var v any
		if err := db.QueryRowContext(ctx, rest).Scan(&v); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return "", err
		}
		after, err := writebehind.Stats(db)
		return fmt.Sprint(after.Cached > before.Cached), err
	case "ownership":
		st, err := writebehind.Stats(db)
		return st.Ownership, err
	case "pending":
		st, err := writebehind.Stats(db)
		return fmt.Sprint(st.PendingRows), err
	case "flush":
		return "ok", writebehind.Flush(ctx, db)
	case "abandon":
		return "ok", writebehind.Abandon(ctx, db, rest)
	case "close":
		return "ok", db.Close()
	case "exit":
		fmt.Println("ok")
		os.Exit(0)
	}
	return "", fmt.Errorf("unknown verb %q", verb)
}

// remote is another process that uses the shim.
type remote struct {
	*testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

// newRemote starts a process on the harness's database with more parameters.
func (h *harness) newRemote(params string) *remote {
	h.Helper()
	self, err := os.Executable()
	require.NoError(h, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), remoteDSN+"="+h.dsn+" writebehind.tables=* writebehind.max_delay=1h "+params)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(h, err)
	out, err := cmd.StdoutPipe()
	require.NoError(h, err)
	require.NoError(h, cmd.Start())
	r := &remote{T: h.T, cmd: cmd, in: in, lines: bufio.NewScanner(out)}
	h.Cleanup(r.kill)
	return r
}

// kill ends the process as a crash would.
func (r *remote) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it was killed
}

// do sends a line and returns the answer.
func (r *remote) do(verb, rest string) string {
	r.Helper()
	_, err := fmt.Fprintln(r.in, verb, strings.Join(strings.Fields(rest), " "))
	require.NoError(r, err)
	require.True(r, r.lines.Scan(), "the process ended")
	return r.lines.Text()
}

func (r *remote) exec(query string) {
	r.Helper()
	require.Equal(r, "1", r.do("exec", query))
}

func (r *remote) value(query string) string { r.Helper(); return r.do("value", query) }
