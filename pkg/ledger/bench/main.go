// Command bench measures the ledger on a real nats-server with an fsync before every acknowledgement, against a raw
// publish of groups of the same size in the same run.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/pkg/ledger/jetstream"
	"github.com/faceoff-live/faceoff/pkg/ledger/memory"
	"github.com/faceoff-live/faceoff/pkg/natsd"
)

type settings struct {
	partitions, entryBytes int
	seconds                time.Duration
	json                   bool
}

// figures of one run.
type figures struct {
	Name        string  `json:"name"`
	Callers     int     `json:"callers"`
	PerCommand  int     `json:"entries_per_command"`
	GroupsPerS  float64 `json:"groups_per_s"`
	PerGroup    float64 `json:"entries_per_group"`
	EntriesPerS float64 `json:"entries_per_s"`
	P50         float64 `json:"ack_p50_ms"`
	P99         float64 `json:"ack_p99_ms"`
	CPU         float64 `json:"cpu_us_per_entry"`
	Ratio       float64 `json:"ratio_to_raw,omitempty"`
}

func main() {
	var s settings
	flag.IntVar(&s.partitions, "partitions", 8, "logs written side by side")
	flag.IntVar(&s.entryBytes, "entry-bytes", 33, "size of one entry")
	flag.DurationVar(&s.seconds, "time", 5*time.Second, "time of each run")
	flag.BoolVar(&s.json, "json", false, "print JSON")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	dir, err := os.MkdirTemp("", "faceoff-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := natsd.Start(natsd.Options{Dir: dir, Addr: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	defer server.Shutdown()
	nc, err := nats.Connect(server.ClientURL())
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		return err
	}
	raw, err := benchRaw(s, js)
	if err != nil {
		return err
	}
	report(s, raw)
	for i, load := range []struct{ callers, perCommand int }{{256, 64}, {64, 64}, {2048, 1}, {64, 1}} {
		f, err := benchLedger(s, js, nc, fmt.Sprint("LEDGER", i), load.callers, load.perCommand)
		if err != nil {
			return err
		}
		f.Ratio = f.EntriesPerS / raw.EntriesPerS
		report(s, f)
	}
	return nil
}

func report(s settings, f figures) {
	if s.json {
		b, _ := json.Marshal(f) // numbers and strings always marshal
		fmt.Println(string(b))
		return
	}
	fmt.Printf("%-34s %8.0f groups/s %6.0f entries/group %10.0f entries/s   ack p50 %6.2f ms p99 %6.2f ms   cpu %5.2f us/entry",
		f.Name, f.GroupsPerS, f.PerGroup, f.EntriesPerS, f.P50, f.P99, f.CPU)
	if f.Ratio > 0 {
		fmt.Printf("   %4.2f of raw", f.Ratio)
	}
	fmt.Println()
}

const entriesPerRawGroup = 512

// benchRaw publishes messages of a full group's size, one in flight per stream, with the same expectation header.
func benchRaw(s settings, js natsjs.JetStream) (figures, error) {
	payload := make([]byte, entriesPerRawGroup*(s.entryBytes+2)) // an entry's frame takes two bytes
	logs, err := openLogs(s, js, "RAW")
	if err != nil {
		return figures{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.seconds)
	defer cancel()
	m := startMeasuring()
	var running sync.WaitGroup
	for _, log := range logs {
		running.Go(func() {
			for seq := uint64(0); ctx.Err() == nil; seq++ {
				started := time.Now()
				if err := log.Append(context.Background(), seq, payload); err != nil {
					fmt.Fprintln(os.Stderr, "raw publish:", err)
					return
				}
				m.done(entriesPerRawGroup, time.Since(started))
				m.groups.Add(1)
			}
		})
	}
	running.Wait()
	f := m.figures()
	f.Name = fmt.Sprintf("raw publish, %d streams", s.partitions)
	return f, nil
}

func openLogs(s settings, js natsjs.JetStream, name string) ([]ledger.Log, error) {
	logs := make([]ledger.Log, s.partitions)
	for i := range logs {
		log, err := jetstream.OpenLog(context.Background(), js, fmt.Sprintf("%s_%02d", name, i), fmt.Sprintf("log.%s.%02d", name, i), 1)
		if err != nil {
			return nil, err
		}
		logs[i] = log
	}
	return logs, nil
}

// benchLedger lets callers submit commands, each as soon as the one before is answered.
func benchLedger(s settings, js natsjs.JetStream, nc *nats.Conn, name string, callers, perCommand int) (figures, error) {
	logs, err := openLogs(s, js, name)
	if err != nil {
		return figures{}, err
	}
	m := startMeasuring()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var running sync.WaitGroup
	ledgers := make([]*ledger.Ledger[command, event], len(logs))
	var ready sync.WaitGroup
	for i, log := range logs {
		lease := memory.NewLease("bench")
		ledgers[i] = ledger.New(ledger.Config[command, event]{
			Name: fmt.Sprintf("%s_%02d", name, i), Store: ledger.Store{Log: log, Lease: lease, Peers: jetstream.NewPeers(nc)}, Machine: &sum{}, Codec: codec{}, Metrics: m,
		})
		ready.Add(1)
		running.Go(func() {
			if err := ledgers[i].Run(ctx, ready.Done); err != nil {
				fmt.Fprintln(os.Stderr, "ledger:", err)
			}
		})
	}
	ready.Wait()
	m.restart()
	until := time.Now().Add(s.seconds)
	var calling sync.WaitGroup
	for c := range callers {
		calling.Go(func() {
			entries := make([][]byte, perCommand)
			for i := range entries {
				entries[i] = make([]byte, s.entryBytes)
			}
			for n := c; time.Now().Before(until); n++ {
				started := time.Now()
				if _, err := ledgers[n%len(ledgers)].Submit(ctx, ledger.Command[command]{Body: command{entries}}); err != nil {
					fmt.Fprintln(os.Stderr, "submit:", err)
					return
				}
				m.done(perCommand, time.Since(started))
			}
		})
	}
	calling.Wait()
	f := m.figures()
	f.Name = fmt.Sprintf("ledger, %d callers x %d entries", callers, perCommand)
	f.Callers, f.PerCommand = callers, perCommand
	stop()
	running.Wait()
	return f, nil
}

// measure counts what was done since it was started.
type measure struct {
	started         time.Time
	cpu             time.Duration
	groups, entries atomic.Int64

	mu   sync.Mutex
	took []time.Duration
}

func startMeasuring() *measure {
	m := new(measure)
	m.restart()
	return m
}

func (m *measure) restart() {
	m.groups.Store(0)
	m.entries.Store(0)
	m.took = nil
	m.started, m.cpu = time.Now(), cpuTime()
}

func (m *measure) done(entries int, took time.Duration) {
	m.entries.Add(int64(entries))
	m.mu.Lock()
	m.took = append(m.took, took)
	m.mu.Unlock()
}

func (m *measure) figures() figures {
	passed, cpu := time.Since(m.started), cpuTime()-m.cpu
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.Sort(m.took)
	at := func(q float64) float64 {
		if len(m.took) == 0 {
			return 0
		}
		return float64(m.took[int(q*float64(len(m.took)-1))].Microseconds()) / 1000
	}
	entries, groups := float64(m.entries.Load()), float64(m.groups.Load())
	return figures{
		GroupsPerS: groups / passed.Seconds(), PerGroup: entries / max(groups, 1), EntriesPerS: entries / passed.Seconds(),
		P50: at(0.5), P99: at(0.99), CPU: float64(cpu.Microseconds()) / max(entries, 1),
	}
}

// Stored implements ledger.Metrics.
func (m *measure) Stored(string, int, time.Duration) { m.groups.Add(1) }

// Void implements ledger.Metrics.
func (m *measure) Void(string) {}

// Unknown implements ledger.Metrics.
func (m *measure) Unknown(string) {}

// Writer implements ledger.Metrics.
func (m *measure) Writer(string, bool) {}

// ClockOff implements ledger.Metrics.
func (m *measure) ClockOff(string, time.Duration) {}

// Size implements ledger.Metrics.
func (m *measure) Size(string, uint64, uint64, bool) {}

// cpuTime is what this process, the embedded server included, has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sum is a machine that costs next to nothing, so that what is measured is the ledger.
type sum struct{ entries es.Value[int] }

type (
	command struct{ entries [][]byte }
	event   []byte
)

func (*sum) Decide(_ time.Time, c command) ([]event, error) {
	events := make([]event, len(c.entries))
	for i, e := range c.entries {
		events[i] = e
	}
	return events, nil
}
func (s *sum) Evolve(es.Place, event)   { s.entries.Set(s.entries.Get() + 1) }
func (*sum) Due(time.Time) []command    { return nil }
func (*sum) NextDue() (time.Time, bool) { return time.Time{}, false }
func (s *sum) Commit()                  { s.entries.Commit() }
func (s *sum) Discard()                 { s.entries.Discard() }

type codec struct{}

func (codec) EncodeEvent(e event) ([]byte, error)   { return e, nil }
func (codec) DecodeEvent(b []byte) (event, error)   { return b, nil }
func (codec) EncodeCommand(command) ([]byte, error) { return nil, nil }
func (codec) DecodeCommand([]byte) (command, error) { return command{}, nil }
