package check

import (
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// watcher is what one process has heard of a live.
type watcher struct {
	// at is the number of the last event in each context; nil before the first snapshot.
	at map[string]int64
	// connected: the present stream has begun with a snapshot, or gone on from where the last one was.
	connected, resumes bool
}

// event names an event of a live.
type event struct {
	live, context string
	number        int64
}

// streams: who watches a live hears its events in order and without a gap, or is told that there is one by a snapshot; and
// everybody hears the same.
func (r *run) streams(records []history.Record) {
	watchers := map[int]*watcher{}
	hashes := map[event]string{}
	for _, rec := range records {
		w := watchers[rec.P]
		if w == nil {
			w = &watcher{}
			watchers[rec.P] = w
		}
		switch {
		case rec.F == call.Watch && rec.Type == history.Invoke:
			w.connected, w.resumes = false, string(rec.Val) == "true"
		case rec.F == call.Told:
			var h call.Heard
			if err := read(rec.Val, &h); err != nil {
				r.found(check.Violation, "record %d of process %d: %v", rec.I, rec.P, err)
				continue
			}
			r.heard(w, rec, h, hashes)
		}
	}
}

func (r *run) heard(w *watcher, rec history.Record, h call.Heard, hashes map[event]string) {
	wrong := func(format string, args ...any) {
		r.found(check.Violation, "stream of "+rec.ID+": "+format, args...)
	}
	switch {
	case h.Recovered:
		if w.connected || !w.resumes || w.at == nil {
			wrong("it is said to go on, from nothing")
		}
		w.connected = true
	case h.Snapshot != nil:
		if w.connected {
			wrong("a second snapshot")
		}
		w.connected, w.at = true, h.Snapshot
		var state cohostv1.CoHostState
		if err := call.Read(h.CoHost, &state); err != nil {
			wrong("%v", err)
			return
		}
		r.check.Reads = append(r.check.Reads, check.Read{
			Question: check.AskCoHost, ID: rec.ID, CoHost: &state, Window: check.Window{After: r.heads.after(cohostLog, rec.T)},
		})
	case !w.connected:
		wrong("event %d of %s comes before a snapshot", h.Number, h.Context)
	case h.Scores != nil:
		var scores scorev1.BattleScores
		if err := call.Read(h.Scores, &scores); err != nil {
			wrong("%v", err)
			return
		}
		r.scores("stream of "+rec.ID, &scores, rec.T)
	case h.Context != "":
		if next := w.at[h.Context] + 1; h.Number != next {
			wrong("event %d of %s comes, %d is next", h.Number, h.Context, next)
		}
		w.at[h.Context] = h.Number
		e := event{rec.ID, h.Context, h.Number}
		if first, known := hashes[e]; known && first != h.Hash {
			wrong("event %d of %s is another than somebody else heard", h.Number, h.Context)
		}
		hashes[e] = h.Hash
	}
}
