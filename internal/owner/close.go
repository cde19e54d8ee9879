package owner

import (
	"context"
	"database/sql"
	"fmt"
)

// Close gives up the process's place and ends its goroutines. drained says that
// nothing is pending, so that the database is clean; else it stays dirty until
// the journal is opened again. After an error it can be called again; after
// success it does nothing.
func (o *Owner) Close(ctx context.Context, drained bool) error {
	return o.close(ctx, drained, false)
}

// Die is Close for a process whose statements may still be at work in the server:
// it leaves its row, so that the next one takes it for dead.
func (o *Owner) Die(ctx context.Context, drained bool) error { return o.close(ctx, drained, true) }

func (o *Owner) close(ctx context.Context, drained, dies bool) error {
	o.end()
	ended := make(chan struct{})
	go func() {
		o.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("owner: close: the engine does not end yielding: %w", ctx.Err())
	}
	return o.leave(ctx, drained, dies)
}

// leave removes the process's row, unless it dies, and cleans the database if it
// has drained.
func (o *Owner) leave(ctx context.Context, drained, dies bool) error {
	if err := o.lock(ctx); err != nil {
		return err
	}
	defer o.unlock()
	if o.gone {
		return nil
	}
	err := o.transact(ctx, &scene{}, func(tx *sql.Tx, s *scene) error {
		if s.row.Dirty && s.row.Instance == o.opts.Instance {
			w := ownership{epoch: s.row.Epoch, dirty: !drained, groups: s.row.Groups}
			if drained {
				w.groups = 0
			} else if o.started {
				w.groups = int64(o.opts.Engine.Pending())
			}
			if err := o.writeOwner(ctx, tx, w); err != nil {
				return err
			}
		}
		if dies {
			return nil
		}
		_, err := tx.ExecContext(ctx, dropInstance, o.opts.Instance)
		return err
	})
	if err != nil {
		return err
	}
	o.gone, o.joined, o.alone, o.dirty, o.others = true, false, false, false, nil
	return nil
}
