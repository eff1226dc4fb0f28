package bench

import (
	"slices"
	"sync"
	"syscall"
	"time"
)

// Spread is how long something took, or how late it was, in milliseconds.
type Spread struct {
	Count int     `json:"events"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// times collects durations. It is safe for concurrent use.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *times) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, d)
}

// early counts what is negative.
func (t *times) early() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, d := range t.all {
		if d < 0 {
			n++
		}
	}
	return n
}

func (t *times) spread() *Spread {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.all)
	at := func(q float64) float64 {
		if len(t.all) == 0 {
			return 0
		}
		return float64(t.all[int(q*float64(len(t.all)-1))].Microseconds()) / 1000
	}
	return &Spread{Count: len(t.all), P50: at(0.5), P99: at(0.99), Max: at(1)}
}

// measure is the time, and the time of the processors, since it was started until it is stopped.
type measure struct {
	started     time.Time
	passed, cpu time.Duration
}

func startMeasuring() *measure { return &measure{started: time.Now(), cpu: cpuTime()} }

func (m *measure) stop() { m.passed, m.cpu = time.Since(m.started), cpuTime()-m.cpu }

// per is events a second, and microseconds of the processors for each.
func (m *measure) per(events int) (perS, cpu float64) {
	return float64(events) / m.passed.Seconds(), float64(m.cpu.Microseconds()) / float64(max(events, 1))
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
