// Package telemetry is how a process tells operators what it does: logs, metrics and the private listener that serves
// them. All metrics that services share are declared in this one file; their labels are bounded: never a user, a live or
// a battle.
package telemetry

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry makes a registry with the metrics of the Go runtime and of the process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// seconds are buckets from 0.5 ms to 16 s, each twice the one before.
var seconds = prometheus.ExponentialBuckets(0.0005, 2, 16)

// LedgerMetrics are the metrics of all partitions of a process; they implement ledger.Metrics and events.Metrics.
type LedgerMetrics struct {
	Groups, Entries, VoidGroups, Unknowns *prometheus.CounterVec
	IsWriter, ClockOffset                 *prometheus.GaugeVec
	Bytes, MaxBytes, NearlyFull           *prometheus.GaugeVec
	AppendSeconds                         *prometheus.HistogramVec
	Events                                *prometheus.CounterVec
	EventsBehind                          *prometheus.GaugeVec
}

// Ledger registers the metrics of the logs. Partitions may share a registerer, and so may calls of Ledger. reg may be nil.
func Ledger(reg prometheus.Registerer) *LedgerMetrics {
	return &LedgerMetrics{
		Groups:        counter(reg, "faceoff_ledger_groups_total", "Groups that this replica has stored.", "log"),
		Entries:       counter(reg, "faceoff_ledger_entries_total", "Entries that this replica has stored.", "log"),
		VoidGroups:    counter(reg, "faceoff_ledger_void_groups_total", "Groups read that do not fit the log's chain; any is an alarm.", "log"),
		Unknowns:      counter(reg, "faceoff_ledger_unknown_total", "Appends without a clear answer.", "log"),
		IsWriter:      gauge(reg, "faceoff_ledger_is_writer", "1 while this replica writes the log, else 0.", "log"),
		ClockOffset:   gauge(reg, "faceoff_ledger_clock_offset_seconds", "How far this replica's wall clock is ahead of the log's server; beyond 1 either way is an alarm.", "log"),
		Bytes:         gauge(reg, "faceoff_ledger_bytes", "Bytes that the log takes, as the replica knows that writes it.", "log"),
		MaxBytes:      gauge(reg, "faceoff_ledger_max_bytes", "Most bytes that the log may take; 0 for no limit.", "log"),
		NearlyFull:    gauge(reg, "faceoff_ledger_nearly_full", "1 while the log takes only what ends things; an alarm.", "log"),
		AppendSeconds: histogram(reg, "faceoff_ledger_append_seconds", "Time from publishing a group until the log has it.", "log"),
		Events:        counter(reg, "faceoff_events_stored_total", "Integration events that this replica has stored in EVENTS.", "log"),
		EventsBehind:  gauge(reg, "faceoff_events_lag_groups", "Groups of the log whose events are not in EVENTS yet, as the replica knows that writes it; one that does not go down is an alarm.", "log"),
	}
}

// Stored counts a group with its entries.
func (m *LedgerMetrics) Stored(log string, entries int, took time.Duration) {
	m.Groups.WithLabelValues(log).Inc()
	m.Entries.WithLabelValues(log).Add(float64(entries))
	m.AppendSeconds.WithLabelValues(log).Observe(took.Seconds())
}

// Void counts a group that does not fit the chain.
func (m *LedgerMetrics) Void(log string) { m.VoidGroups.WithLabelValues(log).Inc() }

// Unknown counts an append without a clear answer.
func (m *LedgerMetrics) Unknown(log string) { m.Unknowns.WithLabelValues(log).Inc() }

// Writer notes whether this replica writes the log.
func (m *LedgerMetrics) Writer(log string, writes bool) {
	m.IsWriter.WithLabelValues(log).Set(flag(writes))
}

// EventsStored counts integration events.
func (m *LedgerMetrics) EventsStored(log string, n int) {
	m.Events.WithLabelValues(log).Add(float64(n))
}

// EventsLag notes how many groups of a log are not projected yet.
func (m *LedgerMetrics) EventsLag(log string, groups uint64) {
	m.EventsBehind.WithLabelValues(log).Set(float64(groups))
}

// Size notes how much of a log's room is taken.
func (m *LedgerMetrics) Size(log string, used, limit uint64, nearlyFull bool) {
	m.Bytes.WithLabelValues(log).Set(float64(used))
	m.MaxBytes.WithLabelValues(log).Set(float64(limit))
	m.NearlyFull.WithLabelValues(log).Set(flag(nearlyFull))
}

func flag(set bool) float64 {
	if set {
		return 1
	}
	return 0
}

// ClockOff notes how far this replica's wall clock is ahead.
func (m *LedgerMetrics) ClockOff(log string, by time.Duration) {
	m.ClockOffset.WithLabelValues(log).Set(by.Seconds())
}

// RPCMetrics are the metrics of the gRPC servers of a process.
type RPCMetrics struct {
	Requests *prometheus.CounterVec
	Seconds  *prometheus.HistogramVec
}

// RPC registers the metrics of gRPC servers; several may share a registerer. reg may be nil.
func RPC(reg prometheus.Registerer) *RPCMetrics {
	return &RPCMetrics{
		Requests: counter(reg, "faceoff_grpc_requests_total", "Calls answered.", "method", "code"),
		Seconds:  histogram(reg, "faceoff_grpc_request_seconds", "Time to answer a call; for a stream, its length.", "method"),
	}
}

func counter(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	return register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
}

func gauge(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.GaugeVec {
	return register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels))
}

func histogram(reg prometheus.Registerer, name, help string, labels ...string) *prometheus.HistogramVec {
	return register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds}, labels))
}

// register registers c, or returns what was registered before under its name.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	if again, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return again.ExistingCollector.(C)
	}
	if err != nil {
		panic(err) // one name, declared twice in different ways
	}
	return c
}
