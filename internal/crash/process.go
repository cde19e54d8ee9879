package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/writebehind/writebehind/internal/crash/child"
)

// process is a child process.
type process struct {
	cmd    *exec.Cmd
	watch  *watch
	input  io.WriteCloser
	stderr bytes.Buffer
	done   chan struct{} // closed when it has ended and all it told is noted
	code   int           // then; -1 if a signal ended it
	marks  uint64
}

const (
	startTimeout = 90 * time.Second
	// Above close_timeout.
	endTimeout = 60 * time.Second
)

// startProcess starts a child and returns once the shim answers it.
func startProcess(ctx context.Context, w *watch, program string, c child.Config) (_ *process, err error) {
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	reports, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// The context ends the wait for it, not the process: that is killed by close.
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(ctx), program), watch: w, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), child.Env+"=1")
	p.cmd.ExtraFiles = []*os.File{pipe} // the first is child.PipeFD
	p.cmd.Stderr = &p.stderr
	if p.input, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	_ = pipe.Close() // the child has it now
	if err != nil {
		return nil, errors.Join(err, reports.Close())
	}
	w.began()
	go p.follow(reports)

	if err := json.NewEncoder(p.input).Encode(c); err != nil && !errors.Is(err, syscall.EPIPE) {
		p.kill()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if !w.wait(ctx, func() bool { return w.ready }) {
		p.kill()
		return nil, errors.Join(fmt.Errorf("the child did not start to work (exit code %d): %s", p.code, p.stderr.String()), w.failure())
	}
	return p, nil
}

func (p *process) follow(reports *os.File) {
	p.watch.read(reports)
	_ = reports.Close()
	_ = p.cmd.Wait() // how it ended is in its state
	p.code = p.cmd.ProcessState.ExitCode()
	close(p.done)
	p.watch.end()
}

// kill ends the process as a crash would, and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// signal sends the process what is to end it, and returns its exit code.
func (p *process) signal(ctx context.Context, s syscall.Signal) (code int, err error) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	return p.wait(ctx)
}

func (p *process) wait(ctx context.Context) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	select {
	case <-p.done:
		return p.code, nil
	case <-ctx.Done():
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // says where it hangs
		hung := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
		<-p.done
		hung.Stop()
		return 0, fmt.Errorf("the child did not end: %w\n%s", ctx.Err(), p.stderr.String())
	}
}

// alive tells whether the process runs.
func (p *process) alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// catchUp returns when all is noted that the child had told before the call.
func (p *process) catchUp(ctx context.Context) error {
	p.marks++
	if _, err := fmt.Fprintln(p.input, p.marks); err != nil {
		return err
	}
	if !p.watch.wait(ctx, func() bool { return p.watch.mark == p.marks }) {
		return errors.Join(fmt.Errorf("the child does not answer: %s", p.stderr.String()), ctx.Err())
	}
	return nil
}
