package queue

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCommitWithoutAnAnswerIsNeverGuessed loses the answer of a COMMIT of an
// insert, which would be refused if it were sent twice.
func TestCommitWithoutAnAnswerIsNeverGuessed(t *testing.T) {
	for name, heard := range map[string]error{"broken": errLost, "going down": pgError("57P01"), "pooler": pgError("08P01"), "class 08": pgError("08006")} {
		for _, done := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFixture(t, nil)
					f.server.bend(func(s *server) {
						s.commit = func() (bool, error) {
							s.bend(func(s *server) { s.commit = nil })
							return done, heard
						}
					})
					f.commit(f.insert(1, "a", 1))
					f.settled()
					require.Equal(t, map[string]row{"1": {"1", "a", "1"}}, f.server.table("items"))
					require.Empty(t, f.watcher.refused)
					statements := f.server.did(true)
					require.Equal(t, "checkpoint", statements[8], "the checkpoint is what the next attempt begins with")
					require.Equal(t, done, statements[len(statements)-1] == "look", statements)
				})
			})
		}
	}
}

func TestCheckpointMovedByAnotherPauses(t *testing.T) {
	for at, want := range map[int64]error{5: ErrForeign, 0: ErrRewound} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, nil)
			f.commit(f.insert(1, "a", 1))
			f.drain()
			f.server.did(false)
			f.server.bend(func(s *server) { s.at = at })
			f.commit(f.update(1, "a", 2))
			time.Sleep(2 * time.Hour)
			require.ErrorIs(t, f.queue.Drain(t.Context(), f.queue.Newest()), want)
			require.True(t, f.queue.Stats().Paused)
			require.Empty(t, f.server.did(false), "nothing is sent")
		})
	}
}

func TestLostAnswerInAReplayIsNotGuessedEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.server.rows["items 2"] = row{"2", "outside", "0"}
		f.server.bend(func(s *server) {
			s.commit = func() (bool, error) {
				s.bend(func(s *server) { s.commit = nil })
				return true, errLost
			}
		})
		f.commit(f.insert(1, "a", 1))
		f.commit(f.insert(2, "b", 1))
		f.settled()
		require.Len(t, f.watcher.refused, 1, "group 1 was there already, and not by another's hand")
		require.EqualValues(t, 2, f.watcher.refused[0].hash)
		require.Equal(t, []string{"insert items 1,2", "insert items 1", "insert items 2"}, f.server.did(false))
	})
}

func TestFlusherSurvivesAPanic(t *testing.T) {
	for _, at := range []string{"connect", "begin", "commit"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				times := 1
				f.server.bend(func(s *server) {
					s.hook = func(_ context.Context, words string) error {
						if words == at && times > 0 {
							times--
							panic("fake: " + at)
						}
						return nil
					}
				})
				f.commit(f.insert(1, "a", 1))
				time.Sleep(f.queue.opts.MaxDelay)
				synctest.Wait()
				require.ErrorContains(t, f.queue.Stats().LastError, "fake: "+at)
				require.True(t, f.queue.Stats().Paused)
				f.drain()
				require.Len(t, f.server.table("items"), 1)
				require.Empty(t, f.watcher.refused)
			})
		})
	}
}

// TestFlusherSurvivesAPanicInsideAStatement is not in a bubble: database/sql
// never gives such a connection back.
func TestFlusherSurvivesAPanicInsideAStatement(t *testing.T) {
	f := newFixture(t, nil)
	var once sync.Once
	f.server.bend(func(s *server) {
		s.hook = func(_ context.Context, words string) error {
			if words == "insert items 1" {
				once.Do(func() { panic("fake: statement") })
			}
			return nil
		}
	})
	f.commit(f.insert(1, "a", 1))
	require.Eventually(t, func() bool { return f.queue.Drain(t.Context(), f.queue.Newest()) == nil }, 20*time.Second, time.Millisecond)
	require.Len(t, f.server.table("items"), 1)
}

func TestPanicAfterTheCommitDoesNotFlushTwice(t *testing.T) {
	for _, at := range []string{"flushed", "refused"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, nil)
				if at == "refused" {
					f.server.rows["items 1"] = row{"1", "outside", "0"}
				}
				times := 1
				f.watcher.on = func(call string) {
					if call == at && times > 0 {
						times--
						panic("fake: observer")
					}
				}
				f.commit(f.insert(1, "a", 1))
				f.settled()
				f.drain()
				refused := 0
				if at == "refused" {
					refused = 1
				}
				require.Len(t, f.watcher.refused, refused)
				require.Equal(t, 1, strings.Count(strings.Join(f.server.did(true), " "), "commit"))
			})
		})
	}
}
