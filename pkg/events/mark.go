package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/faceoff-live/faceoff/pkg/ledger"
)

// mark says how far a log was projected.
type mark struct {
	// Done is the last group of which nothing is missing.
	Done uint64 `json:"done"`
	// Last is the place of the last event then.
	Last Place `json:"last"`
}

// Projected reads up to which group a log was projected out of what a Projector keeps in Options.Marks. ok is false if
// nothing was kept yet.
func Projected(ctx context.Context, at ledger.Heads) (seq uint64, ok bool, err error) {
	m := marks{at: at}
	kept, err := m.load(ctx)
	return kept.Done, err == nil && m.revision != 0, err
}

// marks keeps the mark of a log.
type marks struct {
	at       ledger.Heads
	revision uint64
	kept     mark
}

func (m *marks) load(ctx context.Context) (mark, error) {
	raw, revision, err := m.at.Load(ctx)
	if err != nil {
		return mark{}, fmt.Errorf("mark: %w", err)
	}
	kept := mark{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &kept); err != nil {
			return mark{}, fmt.Errorf("mark: %w", err)
		}
	}
	m.revision, m.kept = revision, kept
	return kept, nil
}

// save keeps a mark. One that another projector has saved meanwhile stays: the next call sees it.
func (m *marks) save(ctx context.Context, next mark) error {
	if next == m.kept {
		return nil
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return err
	}
	revision, err := m.at.Save(ctx, raw, m.revision)
	if err != nil {
		kept, fault := m.load(ctx)
		if fault != nil {
			return fault
		}
		if kept.Done >= next.Done {
			return nil
		}
		return err
	}
	m.revision, m.kept = revision, next
	return nil
}

// saveMark is beside the work: without a mark more of the log is folded the next time.
func (p *Projector) saveMark(ctx context.Context) {
	if p.done.Load() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := p.mark.save(ctx, mark{Done: p.done.Load(), Last: p.at}); err != nil {
		p.o.Logger.Debug("mark not saved", "log", p.o.Log, "error", err)
	}
}

// lag is since when a projector is held up.
type lag struct {
	done  uint64
	since time.Time
	told  bool
}

// measure compares how far the log was projected with its head.
func (p *Projector) measure(ctx context.Context, l *lag) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	head, err := p.o.Head(ctx)
	if err != nil {
		return
	}
	done := p.done.Load()
	behind := max(head, done) - done
	p.o.Metrics.EventsLag(p.o.Log, behind)
	if behind == 0 || done != l.done || l.since.IsZero() {
		if l.told {
			p.o.Logger.Info("the events of the log go on", "log", p.o.Log, "groups_behind", behind)
		}
		*l = lag{done: done, since: time.Now()}
		return
	}
	if !l.told && time.Since(l.since) >= alarmAfter {
		l.told = true
		var fault error
		if held := p.fault.Load(); held != nil {
			fault = *held
		}
		p.o.Logger.Error("the events of the log are held up; the log itself goes on", "log", p.o.Log, "groups_behind", behind, "error", fault)
	}
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type noMetrics struct{}

func (noMetrics) EventsStored(string, int) {}
func (noMetrics) EventsLag(string, uint64) {}
