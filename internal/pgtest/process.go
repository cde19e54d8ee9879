package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	pollInterval = 5 * time.Millisecond
	startTimeout = time.Minute // crash recovery included
	stopTimeout  = 30 * time.Second
)

// process is one run of the server's main process ("postmaster").
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// launch starts the server and waits until it accepts connections.
func (s *Server) launch(ctx context.Context) (*process, error) {
	acc, err := serverAccount()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(s.logFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append([]string{
		"-D", s.dataDir(), "-k", s.dir, "-p", strconv.Itoa(s.port.number), "-c", "listen_addresses=127.0.0.1",
	}, s.opts.serverArgs()...)
	// The context is about the start only.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(s.bin.dir, "postgres"), args...)
	acc.prepare(cmd, s.dir)
	dieWithParent(cmd)
	cmd.Stdout, cmd.Stderr = log, log
	p := &process{cmd: cmd, done: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := p.waitReady(ctx, s.dataDir()); err != nil {
		err = errors.Join(err, p.kill())
		text, logErr := s.Log()
		return nil, errors.Join(fmt.Errorf("%w; its log:\n%s", err, text), logErr)
	}
	return p, nil
}

// start starts the process on a goroutine that waits for its end on a thread
// of its own: the kernel takes the end of the thread that forked for the
// death of the parent.
func (p *process) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in the log
		}
		close(p.done)
	}()
	return <-started
}

// waitReady waits for the word that pg_ctl waits for, too.
func (p *process) waitReady(ctx context.Context, data string) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if statusIn(filepath.Join(data, "postmaster.pid"), p.cmd.Process.Pid) == "ready" {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return errors.New("the server ended")
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", context.Cause(ctx))
		}
	}
}

// statusIn returns the status line of a postmaster.pid, or "" if the file is
// not there, not complete, or about another process.
func statusIn(file string, pid int) string {
	const pidLine, statusLine = 1, 8 // PostgreSQL: src/include/utils/pidfile.h
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		switch line := strings.TrimSpace(lines.Text()); {
		case n == pidLine && line != strconv.Itoa(pid):
			return ""
		case n == statusLine:
			return line
		}
	}
	return ""
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop is a "fast" shutdown.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("pgtest: stop PostgreSQL: %w", err)
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-p.done:
		return nil
	case <-timeout.C:
		return errors.Join(fmt.Errorf("pgtest: PostgreSQL did not stop within %v", stopTimeout), p.kill())
	}
}

// kill ends the server and its children at once. The server is held still
// first, so that the list of its children is complete.
func (p *process) kill() error {
	pid := p.cmd.Process.Pid
	var children []int
	var err error
	if p.alive() && syscall.Kill(pid, syscall.SIGSTOP) == nil {
		children, err = childrenOf(pid)
	}
	if killErr := p.cmd.Process.Kill(); killErr != nil && !errors.Is(killErr, os.ErrProcessDone) {
		err = errors.Join(err, killErr)
	}
	for _, child := range children {
		if killErr := syscall.Kill(child, syscall.SIGKILL); killErr != nil && !errors.Is(killErr, syscall.ESRCH) {
			err = errors.Join(err, killErr)
		}
	}
	if err != nil {
		return fmt.Errorf("pgtest: kill PostgreSQL: %w", err)
	}
	<-p.done
	return waitGone(children)
}

// waitGone waits until the processes, which are not children of ours, have
// ended.
func waitGone(pids []int) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	for _, pid := range pids {
		for !gone(pid) {
			select {
			case <-tick.C:
			case <-timeout.C:
				return fmt.Errorf("pgtest: process %d of PostgreSQL did not end within %v", pid, stopTimeout)
			}
		}
	}
	return nil
}
