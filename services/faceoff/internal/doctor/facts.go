// Package doctor finds what looks stuck in a running stack. What is seen of it (Facts) comes from NATS and from the replicas
// themselves; what is wrong with it (Findings) follows from that alone.
package doctor

import (
	"time"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

// Facts are what is seen of a stack at one time.
type Facts struct {
	// At is when the replicas were asked, HeadsAt when the heads of the logs were read.
	At, HeadsAt time.Time
	Logs        []Log
	Streams     []Stream
	// Replicas are the answers.
	Replicas []*diagnosticsv1.Diagnosis
	Servers  []Server
}

// Log is one that there should be.
type Log struct {
	Name string
	// Service that owns it.
	Service string
	// Exists: there is such a log, if Fault is empty.
	Exists bool
	// Head is its last group.
	Head uint64
	// Holder is the replica that holds its lease; empty if none does.
	Holder string
	// Fault says why one of them is not known.
	Fault string
}

// Stream is one that takes nothing any more when it is full.
type Stream struct {
	Name string
	// Bytes are taken, MaxBytes are the most there may be.
	Bytes, MaxBytes uint64
}

// Server is a NATS server whose monitoring endpoint was asked.
type Server struct {
	URL string
	// Fault says why it cannot be relied on, or is not known.
	Fault string
	// Connections of its clients.
	Connections []natsd.Connected
}

// partitions ranges over what all replicas say of a log.
func (f Facts) partitions(log string) (all []*diagnosticsv1.Partition) {
	for _, r := range f.Replicas {
		for _, p := range r.GetPartitions() {
			if p.GetLog() == log {
				all = append(all, p)
			}
		}
	}
	return all
}

// newest is what the replica says of a log that knows most of it; nil if nobody says anything.
func (f Facts) newest(log string) (newest *diagnosticsv1.Partition) {
	for _, p := range f.partitions(log) {
		if newest == nil || p.GetApplied() > newest.GetApplied() {
			newest = p
		}
	}
	return newest
}

// head is the last group of a log; false if that is not known.
func (f Facts) head(log string) (uint64, bool) {
	for _, l := range f.Logs {
		if l.Name == log {
			return l.Head, l.Exists && l.Fault == ""
		}
	}
	return 0, false
}
