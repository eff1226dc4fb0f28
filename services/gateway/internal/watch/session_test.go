package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"
)

// silent is a context in which nothing ever happens.
func silent(ctx context.Context, _ string, _ int64) (stream, error) {
	first := true
	return func() (update, error) {
		if first {
			first = false
			return update{0, true, func(*gatewayv1.WatchLiveResponse) {}}, nil
		}
		<-ctx.Done()
		return update{}, ctx.Err()
	}, nil
}

// away is a score service that cannot be reached, or says nothing.
type away struct {
	scorev1.ScoreServiceClient
	silent bool
}

func (a away) WatchLive(context.Context, *scorev1.WatchLiveRequest, ...grpc.CallOption) (grpc.ServerStreamingClient[scorev1.WatchLiveResponse], error) {
	return nil, status.Error(codes.Unavailable, "down")
}

func (a away) GetBattleScores(ctx context.Context, _ *scorev1.GetBattleScoresRequest, _ ...grpc.CallOption) (*scorev1.GetBattleScoresResponse, error) {
	if a.silent {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	return nil, status.Error(codes.Unavailable, "down")
}

func newSession(cohost, battle opener) *session {
	return &session{
		log:    slog.New(slog.DiscardHandler),
		box:    newOutbox(),
		cohost: &feed{name: "cohost", live: "a", open: cohost},
		battle: &feed{name: "battle", live: "a", open: battle},
		score:  away{},
	}
}

// TestServiceCannotBeReached: a caller who is not connected yet is refused after a while.
func TestServiceCannotBeReached(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]opener{
		"refuses": func(context.Context, string, int64) (stream, error) {
			return nil, status.Error(codes.Unavailable, "down")
		},
		"says nothing": func(ctx context.Context, _ string, _ int64) (stream, error) {
			return func() (update, error) {
				<-ctx.Done()
				return update{}, status.FromContextError(ctx.Err()).Err()
			}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := newSession(silent, down).run(t.Context(), offset{-1, -1})
				if status.Code(err) != codes.Unavailable || time.Since(began) < firstConnect || time.Since(began) > firstConnect+firstMessage+longestWait {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// TestStateCannotBeHad: who asks for a live's state gets all of it, or UNAVAILABLE after a while; a part that is not needed may
// be away.
func TestStateCannotBeHad(t *testing.T) {
	t.Parallel()
	mute := func(ctx context.Context, _ string, _ int64) (stream, error) {
		return func() (update, error) {
			<-ctx.Done()
			return update{}, status.FromContextError(ctx.Err()).Err()
		}, nil
	}
	running := func(ctx context.Context, live string, after int64) (stream, error) {
		battle := &battlev1.WatchLiveResponse_Snapshot{Battle: &battlev1.Battle{StartsAt: timestamppb.Now()}}
		return func() (update, error) {
			return update{0, true, func(r *gatewayv1.WatchLiveResponse) { r.GetConnected().Battle = battle }}, nil
		}, nil
	}
	for _, row := range []struct {
		name           string
		cohost, battle opener
		score          scorev1.ScoreServiceClient
		want           codes.Code
		within         time.Duration
	}{
		{"no battle, no score service", silent, silent, away{}, codes.OK, 0},
		{"cohost says nothing", mute, silent, away{}, codes.Unavailable, firstMessage},
		{"battle says nothing", silent, mute, away{}, codes.Unavailable, firstMessage},
		{"score cannot be reached", silent, running, away{}, codes.Unavailable, 0},
		{"score says nothing", silent, running, away{silent: true}, codes.Unavailable, firstScores},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				s := newSession(row.cohost, row.battle)
				s.score = row.score
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, err := s.look(ctx, cancel)
				if status.Code(err) != row.want || time.Since(began) > row.within {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

// TestRefusalIsPassedOnAtOnce: what would not change is not tried again.
func TestRefusalIsPassedOnAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := newSession(silent, func(context.Context, string, int64) (stream, error) {
			return nil, status.Error(codes.NotFound, "no such live")
		}).run(t.Context(), offset{-1, -1})
		if status.Code(err) != codes.NotFound || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestGapIsNoticed: a service that leaves out an event is asked again, from the last one on.
func TestGapIsNoticed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		show := func(*gatewayv1.WatchLiveResponse) {}
		var asked []int64
		lossy := func(ctx context.Context, _ string, after int64) (stream, error) {
			asked = append(asked, after)
			script := map[int64][]update{
				1:  {{2, false, show}},                                    // what was left out
				-1: {{0, true, show}, {1, false, show}, {3, false, show}}, // 2 is left out
			}[after]
			if len(asked) == 2 {
				script = []update{{2, true, show}} // the second snapshot tells that 2 has happened
			}
			return func() (update, error) {
				if len(script) == 0 {
					<-ctx.Done()
					return update{}, ctx.Err()
				}
				u := script[0]
				script = script[1:]
				return u, nil
			}, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		s := newSession(lossy, silent)
		ended := make(chan error)
		go func() { ended <- s.run(ctx, offset{-1, -1}) }()
		<-time.After(longestWait) // of the bubble's time
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		var offsets []string
		for m := s.box.take(); m != nil; m = s.box.take() {
			offsets = append(offsets, m.GetOffset())
		}
		if len(offsets) != 3 || offsets[0] != "c0.b0" || offsets[1] != "c1.b0" || offsets[2] != "c2.b0" {
			t.Errorf("offsets %q after asking for %v", offsets, asked)
		}
	})
}

// script is a context whose streams are given one after another, each with the updates that it brings before it breaks; the
// last one does not break.
func script(streams ...[]int64) opener {
	show := func(*gatewayv1.WatchLiveResponse) {}
	opened := 0
	return func(ctx context.Context, _ string, _ int64) (stream, error) {
		numbers, last := streams[min(opened, len(streams)-1)], opened >= len(streams)-1
		opened++
		next := 0
		return func() (update, error) {
			if next++; next <= len(numbers) {
				return update{numbers[next-1], next == 1, show}, nil
			}
			if last {
				<-ctx.Done()
				return update{}, ctx.Err()
			}
			return update{}, status.Error(codes.Unavailable, "gone")
		}, nil
	}
}

// watch returns what a caller gets in some time: whether each message connects, and its offset.
func watch(t *testing.T, after offset, cohost opener, d time.Duration) (got []string) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	s := newSession(cohost, silent)
	if err := s.run(ctx, after); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	for m := s.box.take(); m != nil; m = s.box.take() {
		kind := "event "
		if c := m.GetConnected(); c != nil {
			kind = fmt.Sprintf("connected %t ", c.GetRecovered())
		}
		got = append(got, kind+m.GetOffset())
	}
	return got
}

// TestReplicaThatIsBehind: a stream breaks, and the replica that is asked next has not read as far. The caller must not be
// taken back.
func TestReplicaThatIsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := watch(t, offset{-1, -1}, script([]int64{1, 2}, []int64{0}, []int64{1}, []int64{2, 3}), 10*time.Second)
		if want := []string{"connected false c1.b0", "event c2.b0", "event c3.b0"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestOffsetOfWhatIsNotYet: a caller comes back with an offset to a replica that is behind, or with one that means nothing.
func TestOffsetOfWhatIsNotYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := watch(t, offset{2, 0}, script([]int64{1}, []int64{2, 3}), 10*time.Second)
		if want := []string{"connected true c2.b0", "event c3.b0"}; !slices.Equal(got, want) {
			t.Errorf("behind: got %q, want %q", got, want)
		}
		got = watch(t, offset{9, 0}, script([]int64{1, 2}), 10*time.Second)
		if want := []string{"connected false c1.b0", "event c2.b0"}; !slices.Equal(got, want) {
			t.Errorf("unknown: got %q, want %q", got, want)
		}
	})
}

// TestQueueIsBounded: what waits for a caller who does not read has a limit.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	box := newOutbox()
	for range maxQueued {
		if err := box.put(&gatewayv1.WatchLiveResponse{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.put(&gatewayv1.WatchLiveResponse{}); err == nil {
		t.Error("no limit")
	}
}
