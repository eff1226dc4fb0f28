// Package view keeps the battles' scores in Redis, where others may read them. Redis is a copy that may vanish at any
// time: totals are absolute, each write carries the place in the log it stands at and never undoes a later one, and a
// sentinel of each partition, which vanishes together with the data, tells when all has to be written anew. Together with it
// the keys of open lives are looked for, which somebody may have deleted.
//
// Gifts never wait for Redis: the partition only marks what has changed, and one goroutine per partition writes.
package view

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// flushEvery coalesces changes.
	flushEvery = 50 * time.Millisecond
	// checkEvery is how often the sentinel is compared and keys are looked for, busy or idle.
	checkEvery = 400 * time.Millisecond
	// writeTime bounds one exchange with Redis.
	writeTime = time.Second
	// maxMarks bounds what is remembered of changes; beyond it everything is written anew.
	maxMarks = 50_000
)

// Key names a live in a battle.
type Key struct{ BattleID, LiveID string }

// Row is what Redis is to hold of a live in a battle.
type Row struct {
	Key
	// Lives of the battle, this one included.
	Lives []string
	// UserID of the live's host.
	UserID string
	// Partition, Seq and Index say where in the log this stands. They never go back.
	Partition int
	Seq       uint64
	Index     uint32
	Total     int64
	// Status of the live: OPEN, CLOSED or VOID.
	Status string
	// Running is the battle's status as long as not all of its lives are closed.
	Running string
	// Gifters with their points: those asked for.
	Gifters map[string]int64
}

// Source is the committed state of a partition.
type Source interface {
	// Rows returns the keys of all open and recently closed lives.
	Rows() []Key
	// Open returns the keys of up to most open lives, others each time.
	Open(most int) []Key
	// Row returns what stands there, with the given gifters, or all of them if users is nil; false if it is forgotten.
	Row(k Key, users map[string]struct{}) (Row, bool)
}

// View writes the rows of one partition.
type View struct {
	redis  redis.UniversalClient
	source Source
	number int
	expire time.Duration
	log    *slog.Logger

	mu      sync.Mutex
	running bool
	failing time.Time // since when Redis has not taken what was written; zero if it does
	why     error
	all     bool // everything is to be written
	marks   map[Key]map[string]struct{}
	count   int
}

// New makes a View of a partition; expire is how long Redis keeps a battle after it has closed.
func New(client redis.UniversalClient, number int, source Source, expire time.Duration, log *slog.Logger) *View {
	return &View{redis: client, source: source, number: number, expire: expire, log: log, marks: make(map[Key]map[string]struct{})}
}

// Mark says that a row has changed, and the points of a gifter if user is not empty. It never blocks on Redis.
func (v *View) Mark(k Key, user string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mark(k, user)
}

func (v *View) mark(k Key, user string) {
	if !v.running || v.all {
		return
	}
	users, ok := v.marks[k]
	if !ok {
		users = make(map[string]struct{})
		v.marks[k] = users
		v.count++
	}
	if user != "" {
		if _, ok := users[user]; !ok {
			users[user] = struct{}{}
			v.count++
		}
	}
	if v.count > maxMarks {
		v.markAll()
	}
}

func (v *View) markAll() {
	v.all, v.count = true, 0
	clear(v.marks)
}

// take returns what is to be written and forgets it.
func (v *View) take() (all bool, marks map[Key]map[string]struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all, marks = v.all, v.marks
	v.all, v.marks, v.count = false, make(map[Key]map[string]struct{}), 0
	return all, marks
}

// giveBack marks again what could not be written.
func (v *View) giveBack(all bool, marks map[Key]map[string]struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if all {
		v.markAll()
		return
	}
	for k, users := range marks {
		v.mark(k, "")
		for u := range users {
			v.mark(k, u)
		}
	}
}

// Run writes until ctx ends: at first everything, then what changes, and everything again whenever it is gone.
func (v *View) Run(ctx context.Context) {
	v.mu.Lock()
	v.running = true
	v.markAll()
	v.mu.Unlock()
	defer func() {
		v.mu.Lock()
		v.running, v.failing, v.why = false, time.Time{}, nil
		clear(v.marks)
		v.count = 0
		v.mu.Unlock()
	}()
	w := &writer{View: v, generation: rand.Text()}
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var checked time.Time
	for {
		asked, err := w.flush(ctx)
		if err == nil && time.Since(checked) >= checkEvery {
			checked, asked = time.Now(), true
			err = w.check(ctx)
		}
		if asked && v.fails(err) && ctx.Err() == nil {
			if err != nil {
				v.log.Warn("Redis does not take the scores; they follow when it does", "partition", v.number, "error", err)
			} else {
				v.log.Info("Redis takes the scores again", "partition", v.number)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// fails notes whether Redis takes what is written, and reports whether that is new.
func (v *View) fails(err error) (changed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	changed = (err != nil) == v.failing.IsZero()
	switch {
	case err == nil:
		v.failing = time.Time{}
	case changed:
		v.failing = time.Now()
	}
	v.why = err
	return changed
}

// Failing returns for how long Redis has not taken the scores that this replica writes, and why; 0 if it does.
func (v *View) Failing() (took time.Duration, why error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failing.IsZero() {
		return 0, nil
	}
	return time.Since(v.failing), v.why
}
