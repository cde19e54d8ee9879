package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// childEnv makes a process one that writes and then dies without closing anything:
// number of groups, first key and DSN, with spaces between.
const childEnv = "WRITEBEHIND_BENCH_CHILD"

func childWanted() bool { return os.Getenv(childEnv) != "" }

// leaveJournal has a child process acknowledge inserts and die.
func leaveJournal(ctx context.Context, groups int, first int64, dsn string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %s", childEnv, groups, first, dsn))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("child: %w: %s", err, out)
	}
	return nil
}

// runChild is the child process. It returns its exit code.
func runChild() int {
	if err := writeAndDie(os.Getenv(childEnv)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func writeAndDie(task string) error {
	words := strings.SplitN(task, " ", 3)
	if len(words) < 3 {
		return fmt.Errorf("%s: %q is no task", childEnv, task)
	}
	groups, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	first, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	db, err := sql.Open("writebehind", words[2])
	if err != nil {
		return err
	}
	return fillInserts(context.Background(), db, "trusted", "item", first, groups)
}
