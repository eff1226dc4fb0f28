package doctor

import (
	"fmt"
	"slices"
	"time"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/natsd"
)

const (
	// late is how long what is due, or a settlement, may take: longer than a takeover.
	late = 5 * time.Second
	// redisLate is how long Redis may be away: after that scores are missed there.
	redisLate = 2 * time.Second
	// storeLate is how long the log may take to store a group: longer than an append may go without an answer.
	storeLate = 3 * time.Second
	// maxClockOff is how far clocks may differ (docs/runbooks/clock-is-off.md).
	maxClockOff = time.Second
	// nearlyFull is the part of its limit, in percent, from which on a stream is nearly full (pkg/ledger).
	nearlyFull = 90
)

func servers(f Facts) (found []Finding) {
	for _, s := range f.Servers {
		if s.Fault != "" {
			found = append(found, finding(s.URL, "%s", s.Fault))
		}
	}
	return found
}

func unreadable(f Facts) (found []Finding) {
	for _, l := range f.Logs {
		if l.Fault != "" {
			found = append(found, finding(l.Name, "%s", l.Fault))
		}
	}
	return found
}

func missing(f Facts) (found []Finding) {
	for _, l := range f.Logs {
		if !l.Exists && l.Fault == "" {
			found = append(found, finding(l.Name, "there is no such log: %s has never been ready, or has another number of partitions", l.Service))
		}
	}
	return found
}

// noReplica finds services of which nobody answers.
func noReplica(f Facts) (found []Finding) {
	answers := make(map[string]bool)
	for _, r := range f.Replicas {
		answers[r.GetService()] = true
	}
	for _, l := range f.Logs {
		if !answers[l.Service] {
			answers[l.Service] = true // told once
			found = append(found, finding(l.Service, "no replica of %s answers", l.Service))
		}
	}
	return found
}

// silent finds replicas that are connected to NATS and do not answer, or do not say how they are.
func silent(f Facts) (found []Finding) {
	answered := make(map[natsd.Connected]bool)
	for _, r := range f.Replicas {
		answered[natsd.Connected{ServerID: r.GetServerId(), ClientID: r.GetClientId()}] = true
		if r.GetRefusal() != "" {
			found = append(found, finding(fmt.Sprintf("%s, NATS client %d", r.GetService(), r.GetClientId()), "it does not accept the token: %s", r.GetRefusal()))
		}
	}
	owns := func(name string) bool {
		return slices.ContainsFunc(f.Logs, func(l Log) bool { return l.Service == name })
	}
	for _, s := range f.Servers {
		for _, c := range s.Connections {
			if owns(c.Name) && !answered[natsd.Connected{ServerID: c.ServerID, ClientID: c.ClientID}] {
				found = append(found, finding(fmt.Sprintf("%s, NATS client %d", c.Name, c.ClientID),
					"it is connected from %s:%d and does not answer", c.IP, c.Port))
			}
		}
	}
	return found
}

// noWriter finds logs whose lease nobody holds, or somebody who does not write.
func noWriter(f Facts) (found []Finding) {
	for _, l := range f.Logs {
		if !l.Exists || l.Fault != "" {
			continue
		}
		all := f.partitions(l.Name)
		i := slices.IndexFunc(all, func(p *diagnosticsv1.Partition) bool { return p.GetReplica() == l.Holder })
		switch {
		case l.Holder == "":
			found = append(found, finding(l.Name, "nobody holds the lease"))
		case i < 0:
			found = append(found, finding(l.Name, "replica %s holds the lease and does not answer", l.Holder))
		case !all[i].GetWrites():
			found = append(found, finding(l.Name, "replica %s holds the lease and does not write", l.Holder))
		}
	}
	return found
}

// notStored finds groups that the log does not take.
func notStored(f Facts) (found []Finding) {
	for _, r := range f.Replicas {
		for _, p := range r.GetPartitions() {
			if took := p.GetStoring().AsDuration(); took > storeLate {
				now := p.GetNow().AsTime()
				found = append(found, finding(p.GetLog(), "the group after %d of replica %s is not stored", p.GetApplied(), p.GetReplica()).took(now.Add(-took), now))
			}
		}
	}
	return found
}

func full(f Facts) (found []Finding) {
	for _, s := range f.Streams {
		if s.MaxBytes > 0 && s.Bytes >= s.MaxBytes/100*nearlyFull {
			found = append(found, finding(s.Name, "%d of %d bytes are taken", s.Bytes, s.MaxBytes))
		}
	}
	return found
}

// clocks finds replicas whose clock is off, each once.
func clocks(f Facts) (found []Finding) {
	for _, r := range f.Replicas {
		for _, p := range r.GetPartitions() {
			if by := p.GetClockAhead().AsDuration(); by.Abs() > maxClockOff {
				found = append(found, finding(r.GetService()+" "+p.GetReplica(), "its clock is ahead of the NATS server's by %v", by))
				break
			}
		}
	}
	return found
}

// foldsBehind finds replicas that have not folded what a log had when its head was read.
func foldsBehind(f Facts) (found []Finding) {
	for _, l := range f.Logs {
		head, known := f.head(l.Name)
		newest := f.newest(l.Name)
		for _, p := range f.partitions(l.Name) {
			if !known || p.GetApplied() >= head {
				continue
			}
			x := finding(l.Name+" at "+p.GetReplica(), "it has folded up to group %d; the log was at %d", p.GetApplied(), head)
			if newest.GetApplied() > p.GetApplied() {
				x.Detail += fmt.Sprintf(", another replica is at %d", newest.GetApplied())
			}
			x = x.took(f.HeadsAt, f.At)
			found = append(found, x)
		}
	}
	return found
}

// readersBehind finds who has not read what another's log had when its head was read.
func readersBehind(f Facts) (found []Finding) {
	for _, r := range f.Replicas {
		for _, p := range r.GetPartitions() {
			for _, x := range p.GetReaders() {
				if head, known := f.head(x.GetLog()); known && x.GetRead() < head {
					found = append(found, finding(x.GetInto()+" of "+x.GetLog(), "replica %s has read up to group %d; the log was at %d", p.GetReplica(), x.GetRead(), head).
						took(f.HeadsAt, f.At))
				}
			}
		}
	}
	return found
}

// waits finds what has waited for too long, of one kind, as the replica knows it that knows most of the log.
func waits(kind diagnosticsv1.Waiting_Kind) func(Facts) []Finding {
	return func(f Facts) (found []Finding) {
		for _, l := range f.Logs {
			newest := f.newest(l.Name)
			now := newest.GetNow().AsTime()
			for _, w := range newest.GetWaiting() {
				if since := w.GetSince().AsTime(); w.GetKind() == kind && now.Sub(since) > late {
					found = append(found, finding(w.GetId(), "%s", w.GetDetail()).took(since, now))
				}
			}
		}
		return found
	}
}

// parked finds the gifts that wait for lives to close, at all replicas.
func parked(f Facts) (found []Finding) {
	for _, r := range f.Replicas {
		for _, p := range r.GetPartitions() {
			now := p.GetNow().AsTime()
			for _, w := range p.GetWaiting() {
				if since := w.GetSince().AsTime(); w.GetKind() == diagnosticsv1.Waiting_GIFTS && now.Sub(since) > late {
					found = append(found, finding(w.GetId()+" at "+p.GetReplica(), "%d calls with gifts wait for the live to close, %s", w.GetCalls(), w.GetDetail()).
						took(since, now))
				}
			}
		}
	}
	return found
}

// redis finds replicas whose scores Redis does not take, each once with the log that has waited longest.
func redis(f Facts) (found []Finding) {
	for _, r := range f.Replicas {
		var worst Finding
		logs := 0
		for _, p := range r.GetPartitions() {
			now := p.GetNow().AsTime()
			for _, w := range p.GetWaiting() {
				since := w.GetSince().AsTime()
				if w.GetKind() != diagnosticsv1.Waiting_SCORES || now.Sub(since) <= redisLate {
					continue
				}
				logs++
				if x := finding(r.GetService()+" "+p.GetReplica(), "%s", w.GetDetail()).took(since, now); x.Seconds > worst.Seconds {
					worst = x
				}
			}
		}
		if logs > 0 {
			worst.Detail = fmt.Sprintf("Redis does not take the scores of %d logs: %s", logs, worst.Detail)
			found = append(found, worst)
		}
	}
	return found
}
