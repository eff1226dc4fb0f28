package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/faceoff-live/faceoff/pkg/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const budget = 10 * time.Second

var quiet = slog.New(slog.DiscardHandler)

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// journal keeps what components do in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) want(t *testing.T, lines string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if diff := cmp.Diff(lines, strings.Join(j.lines, " ")); diff != "" {
		t.Error(diff)
	}
}

// component is ready after one second and takes a second to stop.
func (j *journal) component(name string) lifecycle.Component {
	return lifecycle.Component{Name: name, Run: func(ctx context.Context, ready func()) error {
		j.add(name + "+")
		pass(time.Second)
		ready()
		ready() // harmless
		<-ctx.Done()
		pass(time.Second)
		j.add(name + "-")
		return ctx.Err()
	}}
}

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		var status lifecycle.Status
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- lifecycle.Run(ctx, quiet, budget, j.component("a"), j.component("b"), status.Component())
		}()
		pass(500 * time.Millisecond)
		j.want(t, "a+")
		pass(time.Second)
		j.want(t, "a+ b+")
		if status.Ready() {
			t.Error("ready before b")
		}
		pass(time.Second)
		if !status.Ready() {
			t.Error("not ready")
		}

		stop()
		synctest.Wait()
		if status.Ready() {
			t.Error("still ready")
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		j.want(t, "a+ b+ b- a-")
	})
}

func TestFaultStopsAll(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		run  func(ctx context.Context, ready func()) error
		want string
		does string
	}{
		"before it is ready": {
			run:  func(context.Context, func()) error { return broken },
			want: "x: broken", does: "a+ a-",
		},
		"later": {
			run:  func(_ context.Context, ready func()) error { ready(); pass(time.Hour); return broken },
			want: "x: broken", does: "a+ z+ z- a-",
		},
		"an end without an error": {
			run:  func(_ context.Context, ready func()) error { ready(); pass(time.Hour); return nil },
			want: "x ended by itself", does: "a+ z+ z- a-",
		},
		"an error of a context that is not its own": {
			run:  func(_ context.Context, ready func()) error { ready(); return context.Canceled },
			want: "x: context canceled", does: "a+ z+ z- a-",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j journal
				err := lifecycle.Run(t.Context(), quiet, budget, j.component("a"), lifecycle.Component{Name: "x", Run: c.run}, j.component("z"))
				if err == nil || err.Error() != c.want {
					t.Errorf("got %v, want %s", err, c.want)
				}
				j.want(t, c.does)
			})
		})
	}
}

func TestFaultWhileStoppingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		err := lifecycle.Run(ctx, quiet, budget, j.component("a"), lifecycle.Component{Name: "x", Run: func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			return errors.New("not flushed")
		}})
		if err == nil || err.Error() != "x: not flushed" {
			t.Errorf("got %v", err)
		}
		j.want(t, "a+ a-")
	})
}

func TestStopKeepsToItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		stuck := func(name string) lifecycle.Component {
			return lifecycle.Component{Name: name, Run: func(_ context.Context, ready func()) error { ready(); <-release; return nil }}
		}
		ended := make(chan error)
		go func() { ended <- lifecycle.Run(ctx, quiet, budget, stuck("a"), stuck("b")) }()
		synctest.Wait()
		stop()
		began := time.Now()
		err := <-ended
		if took := time.Since(began); took != budget {
			t.Errorf("took %v", took)
		}
		if err == nil || err.Error() != "a did not stop within 10s\nb did not stop within 10s" {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

func TestStopDuringStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, stop := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer stop()
		if err := lifecycle.Run(ctx, quiet, budget, j.component("a"), j.component("b"), j.component("c")); err != nil {
			t.Error(err)
		}
		j.want(t, "a+ b+ b- a-")
	})
}

func TestSignalEndsTheContext(t *testing.T) {
	ctx, stop := lifecycle.Signals(t.Context())
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}
