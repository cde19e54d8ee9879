package queue

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTransientErrorsAreTriedAgainWithGrowingPauses(t *testing.T) {
	for _, state := range []pgError{"40001", "40P01", "55P03", "53100", "57P03", "08006"} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, func(o *Options) { o.MaxDelay = time.Millisecond })
				var attempts []time.Time
				f.server.bend(func(s *server) {
					s.hook = func(_ context.Context, words string) error {
						if words != "begin" {
							return nil
						}
						attempts = append(attempts, time.Now())
						if len(attempts) <= 12 {
							return state
						}
						return nil
					}
				})
				f.commit(f.insert(1, "a", 1))
				time.Sleep(time.Minute)
				synctest.Wait()
				f.pending(0)
				require.Len(t, attempts, 13)
				pause := backoffFirst
				for i := range 12 {
					waited := attempts[i+1].Sub(attempts[i])
					require.GreaterOrEqual(t, waited, pause/2)
					require.Less(t, waited, pause*3/2)
					pause = min(2*pause, backoffLast)
				}
				s := f.queue.Stats()
				require.EqualValues(t, 12, s.Retries)
				require.NoError(t, s.LastError, "all is well again")
				require.Empty(t, f.watcher.refused)
			})
		})
	}
}

func TestBarrierHearsThatTheServerIsAway(t *testing.T) {
	for name, err := range map[string]error{"broken": errLost, "starting up": pgError("57P03"), "too many connections": pgError("53300"), "08": pgError("08006")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				f.server.bend(func(s *server) { s.hook = failing("insert", always, err) })
				f.commit(f.insert(1, "a", 1))
				for range 3 {
					began := time.Now()
					require.ErrorIs(t, f.queue.Drain(t.Context(), f.queue.Newest()), err)
					require.Zero(t, time.Since(began), "each barrier has its own attempt, at once")
				}
				s := f.queue.Stats()
				require.ErrorIs(t, s.LastError, err)
				require.False(t, s.Paused)
				require.EqualValues(t, 1, s.Rows, "kept")
				f.server.bend(func(s *server) { s.hook = nil })
				f.drain()
				require.Len(t, f.server.table("items"), 1)
			})
		})
	}
}

// TestBarrierHearsOfAConflictThatLasts is for who waits for a flush that waits
// for a lock of its own.
func TestBarrierHearsOfAConflictThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.bend(func(s *server) { s.hook = failing("insert", always, pgError("55P03")) })
		f.commit(f.insert(1, "a", 1))
		require.ErrorIs(t, f.queue.Drain(t.Context(), f.queue.Newest()), pgError("55P03"))
		require.Len(t, f.server.did(false), 2, "the first time may be chance")
		f.server.bend(func(s *server) { s.hook = nil })
		f.settled()
	})
}

func TestErrorsForAnOperatorPause(t *testing.T) {
	for state, stale := range map[pgError]bool{"25006": false, "28P01": false, "3D000": false, "42P01": true, "42703": true, "0A000": true, "58030": false, "XX000": false} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				f.server.bend(func(s *server) { s.hook = failing("insert", always, state) })
				f.commit(f.insert(1, "a", 1))
				require.ErrorIs(t, f.queue.Drain(t.Context(), f.queue.Newest()), state)
				s := f.queue.Stats()
				require.True(t, s.Paused)
				require.ErrorIs(t, s.LastError, state)
				require.True(t, s.LastErrorTime.Equal(time.Now()))
				synctest.Wait()
				require.Equal(t, stale, len(f.watcher.stale) > 0)
				_, there := f.get(1)
				require.Equal(t, Present, there, "kept, and still read")

				f.server.bend(func(s *server) { s.hook = nil })
				time.Sleep(2 * backoffLast)
				synctest.Wait()
				f.pending(0)
				require.False(t, f.queue.Stats().Paused)
			})
		})
	}
}

func TestRefusedGroupIsPassedOverWholeAndTheRestApplied(t *testing.T) {
	for _, state := range []pgError{"22003", "23505", "23514", "44000", "54000"} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				f.server.rows["items 2"] = row{"2", "outside", "0"} // the key is taken
				f.commit(f.insert(1, "a", 1))
				bad := f.commit(f.insert(3, "with 2", 1), f.insert(2, "bad", 1))
				f.commit(f.update(1, "a", 2))
				f.commit(f.insert(4, "d", 4))
				if state != "23505" {
					delete(f.server.rows, "items 2")
					f.server.bend(func(s *server) {
						s.hook = func(_ context.Context, words string) error {
							if strings.HasPrefix(words, "insert items") && strings.Contains(words, "2") {
								return state
							}
							return nil
						}
					})
				}
				f.drain()
				want := map[string]row{"1": {"1", "a", "2"}, "4": {"4", "d", "4"}}
				if state == "23505" {
					want["2"] = row{"2", "outside", "0"}
				}
				require.Equal(t, want, f.server.table("items"))
				require.Len(t, f.watcher.refused, 2)
				for i, id := range []int{3, 2} {
					r := f.watcher.refused[i]
					require.Equal(t, bad, r.lsn)
					require.Equal(t, rowKey(items, id), r.key)
					require.EqualValues(t, id, r.hash)
					require.Same(t, items, r.table)
					require.ErrorIs(t, r.err, state)
				}
				s := f.queue.Stats()
				require.EqualValues(t, 1, s.RefusedGroups)
				require.Zero(t, s.Rows)
				require.NoError(t, s.LastError)
			})
		})
	}
}

func TestReplayGoesGroupByGroupUnderSavepoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 2"] = row{"2", "outside", "0"}
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 1))
		f.commit(f.update(1, "a", 2), f.insert(3, "c", 1))
		f.drain()
		require.Equal(t, []string{
			"connect", "begin", "settings", "checkpoint", "insert items 1,2,3", "rollback",
			"begin", "settings", "checkpoint",
			"savepoint", "insert items 1", "constraints", "release",
			"savepoint", "insert items 2", "restore", "letter",
			"savepoint", "update items 1", "insert items 3", "constraints", "release",
			"commit",
		}, f.server.did(true))
	})
}

func TestDeferredConstraintRefusesItsGroupAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		refuse := failing("constraints", 1, pgError("23503"))
		f.server.bend(func(s *server) {
			s.commit = func() (bool, error) { return false, pgError("23503") }
			s.hook = func(ctx context.Context, words string) error {
				err := refuse(ctx, words)
				if err != nil {
					s.bend(func(s *server) { s.commit = nil })
				}
				return err
			}
		})
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 1))
		f.drain()
		require.Equal(t, map[string]row{"2": {"2", "b", "1"}}, f.server.table("items"))
		require.Len(t, f.watcher.refused, 1)
	})
}

func TestRowThatIsNotThereRefusesItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 1"] = row{"1", "a", "1"}
		f.commit(f.update(1, "a", 2))
		f.commit(f.update(2, "gone", 2))
		f.commit(f.delete(3, "gone", 2))
		f.drain()
		require.Equal(t, map[string]row{"1": {"1", "a", "2"}}, f.server.table("items"))
		require.Len(t, f.watcher.refused, 2)
		for _, r := range f.watcher.refused {
			require.ErrorIs(t, r.err, errWrongCount)
		}
	})
}

func TestSecondStatementTimeoutTakesSmallerSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.bend(func(s *server) { s.hook = failing("insert items 1,2", always, pgError("57014")) })
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 1))
		f.drain()
		require.Equal(t, []string{"insert items 1,2", "insert items 1,2", "insert items 1", "insert items 2"}, f.server.did(false))
		require.Len(t, f.server.table("items"), 2)
	})
}

func TestReplayThatMeetsATransientErrorGoesOnAsAReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 2"] = row{"2", "outside", "0"}
		f.server.bend(func(s *server) { s.hook = failing("commit", 2, pgError("40001")) })
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 1))
		f.settled()
		require.Equal(t, []string{"insert items 1,2", "insert items 1", "insert items 2", "insert items 1", "insert items 2", "insert items 1", "insert items 2"}, f.server.did(false))
		require.Len(t, f.watcher.refused, 1)
		require.EqualValues(t, 1, f.queue.Stats().RefusedGroups, "one, however often it was tried")
	})
}

func TestWhatTheReplayCannotSolveIsAnOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.bend(func(s *server) { s.hook = failing("insert", always, pgError("08P01")) })
		f.commit(f.insert(1, "a", 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, f.queue.Drain(ctx, f.queue.Newest()), pgError("08P01"), "no barrier waits for what does not help")
		require.True(t, f.queue.Stats().Paused)
		f.pending(1)
		f.server.bend(func(s *server) { s.hook = nil })
	})
}

// TestThoseWhoWaitDoNotKeepTheFlusherFromAServerThatIsBack has many barriers meet
// a short outage: each has an attempt of its own, and none makes the pause longer.
func TestThoseWhoWaitDoNotKeepTheFlusherFromAServerThatIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.bend(func(s *server) {
			s.hook = func(context.Context, string) error { return errLost }
		})
		f.commit(f.insert(1, "a", 1))
		for range 50 {
			require.Error(t, f.queue.Drain(t.Context(), f.queue.Newest()))
		}
		f.server.bend(func(s *server) { s.hook = nil })
		back := time.Now()
		require.NoError(t, f.queue.DrainPatiently(t.Context(), f.queue.Newest()))
		require.Less(t, time.Since(back), 2*backoffFirst)
	})
}
