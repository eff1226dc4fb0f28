package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
)

// The load of RunHarmed: each caller takes a place of a few, and gives it back.
const (
	harmedCallers = 12
	harmedKeys    = 6
	harmedPlaces  = 1
)

// harmTime is how long what was harmed is left so: as long as both writers are connected to a server that is cut off,
// nothing is answered.
const harmTime = 12 * time.Second

// RunHarmed has two replicas that both believe they write decide commands in one log, each through a handle of its own. As
// often as rounds says, and no longer than limit, it asks aim what to do, calls harm at a moment when each of them has a
// group under way at the same position, and mend when commands are answered again, or after a while. At last everything
// that was answered must be in the log, and nothing else.
func RunHarmed(t *testing.T, handles [2]ledger.Store, rounds int, limit time.Duration, aim func(round int) (harm, mend func())) {
	t.Helper()
	meet := &meeting{met: make(chan struct{}, 1)}
	h := &harmed{rest: make(chan struct{})}
	for i, s := range handles {
		s.Log = &meetingLog{Log: s.Log, meeting: meet, self: i}
		h.writers = append(h.writers, start(t, setup{log: s.Log, heads: s.Heads, lease: memory.NewLease(fmt.Sprint("w", i))}))
	}
	var callers sync.WaitGroup
	for c := range harmedCallers {
		callers.Go(func() { h.call(t, c) })
	}
	began, done := time.Now(), 0
	for ; done < rounds && (done == 0 || time.Since(began) < limit) && !t.Failed(); done++ {
		harm, mend := aim(done)
		meet.await(t)
		harm()
		h.awaitAnswers(2*harmedCallers, harmTime) // some were on their way
		mend()
		if !h.awaitAnswers(10*harmedCallers, 2*patience) {
			t.Fatal("no command is answered any more")
		}
	}
	close(h.rest)
	callers.Wait()
	t.Logf("%d rounds in %v: %d answers, %d of them no, %d tries without one", done, time.Since(began).Round(time.Second), len(h.answers), h.refused(), h.unknown.Load())
	h.check(t, handles[0])
}

// meeting has two writers publish at the same position at the same time.
type meeting struct {
	mu       sync.Mutex
	wanted   bool
	waiting  *arrival
	underWay [2]uint64 // the position that each writer's publish expects, plus 1; 0: none is under way
	met      chan struct{}
}

type arrival struct {
	self  int
	after uint64
	other chan struct{} // closed when the other writer is there
}

// meetingTime is how long one writer waits for the other.
const meetingTime = 200 * time.Millisecond

// arrive waits for the other writer if a meeting is wanted.
func (m *meeting) arrive(self int, after uint64) {
	m.mu.Lock()
	switch w := m.waiting; {
	case !m.wanted:
	case w == nil || w.self == self || w.after != after:
		a := &arrival{self: self, after: after, other: make(chan struct{})}
		m.waiting = a
		m.mu.Unlock()
		select {
		case <-a.other:
		case <-time.After(meetingTime):
		}
		m.mu.Lock()
	default:
		m.waiting, m.wanted = nil, false
		close(w.other)
		select {
		case m.met <- struct{}{}:
		default:
		}
	}
	m.underWay[self] = after + 1
	m.mu.Unlock()
}

func (m *meeting) leave(self int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.underWay[self] = 0
}

// await returns when both writers have a group under way at one position, at some moment of their publishing.
func (m *meeting) await(t *testing.T) {
	t.Helper()
	ctx := patiently(t)
	for {
		m.mu.Lock()
		m.wanted = true
		m.mu.Unlock()
		select {
		case <-m.met:
		case <-ctx.Done():
			t.Fatal("the writers do not meet")
		}
		<-time.After(rand.N(2 * time.Millisecond)) //nolint:gosec // any moment will do
		m.mu.Lock()
		both := m.underWay[0] != 0 && m.underWay[0] == m.underWay[1]
		m.mu.Unlock()
		if both {
			return
		}
	}
}

type meetingLog struct {
	ledger.Log
	meeting *meeting
	self    int
}

// Append implements ledger.Log.
func (l *meetingLog) Append(ctx context.Context, after uint64, group []byte) error {
	l.meeting.arrive(l.self, after)
	defer l.meeting.leave(l.self)
	return l.Log.Append(ctx, after, group)
}

// harmed is what RunHarmed knows of its commands.
type harmed struct {
	writers  []*replica
	rest     chan struct{} // closed when the load ends
	answered atomic.Int64
	unknown  atomic.Int64

	mu      sync.Mutex
	latest  uint64 // the last group that an answer has named
	answers []harmedAnswer
}

// harmedAnswer is a command with its answer.
type harmedAnswer struct {
	ledger.Command[Command]
	refused bool
	at      es.Place // of its first event
	// The answer rests on a state after the group `from`, which was known before the call, and within the group `to`.
	from, to uint64
}

// awaitAnswers waits for n more answers; false if they do not come in time.
func (h *harmed) awaitAnswers(n int64, limit time.Duration) bool {
	enough, over := h.answered.Load()+n, time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for h.answered.Load() < enough {
		select {
		case <-tick.C:
		case <-over:
			return false
		}
	}
	return true
}

// call takes a place and gives it back, until it is time to rest.
func (h *harmed) call(t *testing.T, caller int) {
	for n := 0; ; n++ {
		select {
		case <-h.rest:
			return
		default:
		}
		key, id := fmt.Sprint("k", caller%harmedKeys), fmt.Sprintf("%d-%d-", caller, n)
		if h.submit(t, ledger.Command[Command]{ID: id + "take", Body: Command{Key: key, Add: 1, Max: harmedPlaces}}) {
			h.submit(t, ledger.Command[Command]{ID: id + "give", Body: Command{Key: key, Add: -1}})
		}
	}
}

// submit has a command decided by one writer or the other until the answer is known, and now and then asks the other once more.
func (h *harmed) submit(t *testing.T, c ledger.Command[Command]) (yes bool) {
	h.mu.Lock()
	from := h.latest
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for i := rand.IntN(2); ; i++ { //nolint:gosec // any writer will do
		w := h.writers[i%2]
		res, err := w.Submit(ctx, c)
		a := harmedAnswer{Command: c, from: from, to: w.Applied()}
		var refusal *es.Refusal
		switch {
		case err == nil:
			a.at = res.Events[0].Place
			if rand.IntN(8) > 0 { //nolint:gosec // now and then: it tells the other writer of this one's groups
				break
			}
			if again, err := h.writers[(i+1)%2].Submit(ctx, c); err == nil && again.Events[0].Place != a.at {
				t.Errorf("%s: at %+v, and again at %+v", c.ID, a.at, again.Events[0].Place)
			}
		case errors.As(err, &refusal) && refusal.Reason == "FULL":
			a.refused = true
		case ctx.Err() == nil && refusal == nil:
			h.unknown.Add(1)
			continue
		default:
			t.Errorf("%s: %v", c.ID, err)
			return false
		}
		h.answered.Add(1)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.answers = append(h.answers, a)
		h.latest = max(h.latest, res.Seq)
		return err == nil
	}
}

func (h *harmed) refused() (n int) {
	for _, a := range h.answers {
		if a.refused {
			n++
		}
	}
	return n
}

// check compares what was answered with the log, and the replicas with each other and with one that starts anew.
func (h *harmed) check(t *testing.T, s ledger.Store) {
	t.Helper()
	log := steady{s.Log}
	checkChain(t, log)
	places, refusals, states := history(t, log)
	for _, a := range h.answers {
		switch at := places[a.ID]; {
		case a.refused && len(at) > 0:
			t.Errorf("%s was refused and is in the log at %+v", a.ID, at)
		case a.refused && refusals[a.ID] != 1:
			t.Errorf("%s was refused, and is in the log as refused %d times", a.ID, refusals[a.ID])
		case a.refused && !fullWithin(states[a.Body.Key], a.from, a.to):
			t.Errorf("%s was refused, but there was a place after each event from group %d to %d", a.ID, a.from, a.to)
		case !a.refused && (len(at) != 1 || at[0] != a.at):
			t.Errorf("%s was answered at %+v and is in the log at %+v", a.ID, a.at, at)
		}
	}
	if h.refused() == 0 || h.refused() == len(h.answers) {
		t.Errorf("%d of %d answers are no: the load proves nothing", h.refused(), len(h.answers))
	}
	third := start(t, setup{log: log, heads: s.Heads, lease: memory.NewLease("third")})
	for i, r := range append(h.writers, third) {
		if err := r.Sync(patiently(t)); err != nil {
			t.Errorf("replica %d: %v", i, err)
		}
		for k := range harmedKeys {
			key := fmt.Sprint("k", k)
			all := states[key]
			if got, want := r.total(key), all[len(all)-1].total; got != want || want != 0 {
				t.Errorf("replica %d: %s is %d, in the log %d, and all was given back", i, key, got, want)
			}
		}
	}
}

// steady is a log that is asked again until it answers: servers that have just come back are away now and then.
type steady struct{ ledger.Log }

// Head implements ledger.Log.
func (l steady) Head(ctx context.Context) (uint64, error) {
	return again(ctx, func() (uint64, error) { return l.Log.Head(ctx) })
}

// Read implements ledger.Log.
func (l steady) Read(ctx context.Context, seq uint64) ([]byte, error) {
	return again(ctx, func() ([]byte, error) { return l.Log.Read(ctx, seq) })
}

// again asks until there is an answer, the log turns out to be broken, or ctx ends.
func again[T any](ctx context.Context, ask func() (T, error)) (answer T, err error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if answer, err = ask(); err == nil || errors.Is(err, ledger.ErrLog) {
			return answer, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return answer, err
		}
	}
}

// level is a counter after an event of a group.
type level struct {
	seq   uint64
	total int64
}

// fullWithin reports whether there was no place left at some moment after group from and not after group to.
func fullWithin(all []level, from, to uint64) bool {
	for i, c := range all {
		stood := c.seq <= to && (i+1 == len(all) || all[i+1].seq > from)
		if stood && c.total >= harmedPlaces {
			return true
		}
	}
	return false
}

// history reads a log: the place of each command's first event, once for each time that it is there, how often each was
// refused, and every counter after each of its events.
func history(t *testing.T, log ledger.Log) (places map[string][]es.Place, refusals map[string]int, states map[string][]level) {
	t.Helper()
	places, refusals, states = make(map[string][]es.Place), make(map[string]int), make(map[string][]level)
	totals := make(map[string]int64)
	for seq := uint64(1); seq <= head(t, log); seq++ {
		raw, err := log.Read(patiently(t), seq)
		if err != nil {
			t.Fatal(err)
		}
		g := new(ledgerv1.Group)
		if err := proto.Unmarshal(raw, g); err != nil {
			t.Fatal(err)
		}
		place := es.Place{Seq: seq}
		copy(place.Chain[:], g.GetPrevious())
		for _, d := range g.GetDecisions() {
			place.At = time.UnixMilli(d.GetAtMs()).UTC()
			if d.GetRefusal() != nil {
				refusals[d.GetCommandId()]++
			}
			for i, b := range d.GetEntries() {
				e, err := Codec{}.DecodeEvent(b)
				if err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					places[d.GetCommandId()] = append(places[d.GetCommandId()], place)
				}
				totals[e.Key] += e.Add
				if n := totals[e.Key]; n < 0 || n > harmedPlaces {
					t.Errorf("%s is %d after group %d", e.Key, n, seq)
				}
				states[e.Key] = append(states[e.Key], level{seq, totals[e.Key]})
				place.Index++
			}
		}
	}
	return places, refusals, states
}
