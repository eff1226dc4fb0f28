package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/faceoff-live/faceoff/pkg/auth"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

var keys = auth.Keys{"sim": "a secret of more than thirty-two bytes"}

// world is everything of one run.
type world struct {
	faults   *injector
	stores   *memory.Stores
	exchange exchange
	conns    [slots]*grpc.ClientConn
	log      *slog.Logger
	start    time.Time
	under    sync.WaitGroup // what was put off

	mu       sync.Mutex
	replicas [slots]*replica // nil while one is down
	lives    int             // replicas started
	jumps    [slots]time.Duration
	strays   map[string]bool
	findings []string
}

func newWorld(seed uint64, p plan) (*world, error) {
	w := &world{
		faults: newInjector(seed, p), stores: memory.NewStores(), exchange: exchange{served: map[string]*served{}}, start: time.Now(),
		strays: map[string]bool{},
	}
	w.log = slog.New(&alarms{w: w})
	for slot := range w.conns {
		conn, err := w.dial(slot)
		if err != nil {
			return nil, err
		}
		w.conns[slot] = conn
		if err := w.restart(slot); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// restart puts a new replica into a slot.
func (w *world) restart(slot int) error {
	w.mu.Lock()
	w.lives++
	life := w.lives
	w.mu.Unlock()
	r, err := w.launch(slot, life)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas[slot] = r
	return nil
}

func (w *world) replica(slot int) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replicas[slot]
}

// down takes the replica out of a slot and ends it.
func (w *world) down(slot int, crash bool) {
	w.mu.Lock()
	r := w.replicas[slot]
	w.replicas[slot] = nil
	w.mu.Unlock()
	if r != nil {
		r.end(crash)
	}
}

// mishaps crashes and restarts replicas and moves clocks, as planned, until ctx ends.
func (w *world) mishaps(ctx context.Context) {
	var restarting sync.WaitGroup
	defer restarting.Wait()
	busy := [slots]chan struct{}{}
	for slot := range busy {
		busy[slot] = make(chan struct{}, 1)
	}
	for _, m := range w.faults.plan.mishaps {
		if wait(ctx, m.at-time.Since(w.start)) != nil {
			return
		}
		w.faults.happened()
		if m.jump != 0 {
			w.mu.Lock()
			w.jumps[m.slot] += m.jump
			w.mu.Unlock()
			continue
		}
		select {
		case busy[m.slot] <- struct{}{}:
		default:
			continue // it is down
		}
		restarting.Go(func() {
			w.down(m.slot, true)
			_ = wait(ctx, m.down)
			if err := w.restart(m.slot); err != nil {
				w.found("restart: %v", err)
			}
			<-busy[m.slot]
		})
	}
}

// wall is the wall clock of a slot's machine.
func (w *world) wall(slot int) time.Time {
	c := w.faults.plan.clocks[slot]
	passed := time.Since(w.start)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.start.Add(passed + c.offset + w.jumps[slot] + time.Duration(c.drift*float64(passed)))
}

// later does something after a while.
func (w *world) later(d time.Duration, do func()) {
	w.under.Go(func() {
		<-time.After(d)
		do()
	})
}

func (w *world) stray(id string) {
	parts := strings.Split(id, "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strays[strings.Join(parts[:min(2, len(parts))], "/")] = true
}

func (w *world) strayed(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.strays[id]
}

func (w *world) found(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = append(w.findings, fmt.Sprintf(format, args...))
}

// logs returns the names of all logs.
func logs() []string {
	all := []string{"COHOST_00", "BATTLE_00"}
	for i := range partitions {
		all = append(all, fmt.Sprintf("SCORE_%02d", i))
	}
	return all
}

// head of a log, as it is.
func (w *world) head(name string) uint64 {
	head, _ := w.stores.Log(name).Head(context.Background()) // memory does not fail
	return head
}

// groups returns all logs as they are.
func (w *world) groups() map[string][][]byte {
	all := map[string][][]byte{}
	for _, name := range logs() {
		for seq := uint64(1); seq <= w.head(name); seq++ {
			raw, _ := w.stores.Log(name).Read(context.Background(), seq) // memory does not fail
			all[name] = append(all[name], raw)
		}
	}
	return all
}

// close ends all, in an orderly way.
func (w *world) close() {
	for slot := range w.replicas {
		w.down(slot, false)
	}
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.under.Wait()
}

// alarms takes errors that services log as findings, but for those that faults bring.
type alarms struct {
	slog.Handler
	w *world
}

func (a *alarms) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (a *alarms) WithAttrs([]slog.Attr) slog.Handler           { return a }
func (a *alarms) WithGroup(string) slog.Handler                { return a }

func (a *alarms) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "waits for its settlement") {
		return nil
	}
	var b strings.Builder
	if err := slog.NewTextHandler(&b, nil).Handle(ctx, r); err != nil {
		return err
	}
	a.w.found("a service logs: %s", strings.TrimSpace(b.String()))
	return nil
}
