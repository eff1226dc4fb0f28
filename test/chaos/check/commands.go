package check

import (
	"encoding/json"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

func read(raw json.RawMessage, into any) error { return json.Unmarshal(raw, into) }

// commands makes an Op of every answer to a command, and one of every command that never had any.
func (r *run) commands() {
	type id struct{ by, key string }
	tries := map[id][]attempt{}
	var order []id
	for _, a := range r.calls {
		if !call.IsCommand(a.F) {
			continue
		}
		var c call.Command
		if err := read(a.Val, &c); err != nil {
			r.found(check.Violation, "record %d: %v", a.I, err)
			continue
		}
		x := id{c.By, a.ID}
		if tries[x] == nil {
			order = append(order, x)
		}
		tries[x] = append(tries[x], a)
	}
	for _, x := range order {
		r.command(x.by+"/"+x.key, tries[x])
	}
}

// command judges the tries of one command.
func (r *run) command(id string, tries []attempt) {
	r.Tried++
	var c call.Command
	_ = read(tries[0].Val, &c) // was read before
	kind := check.Kind(tries[0].F)
	request, err := call.ReadRequest(c.Request)
	if err != nil {
		r.found(check.Violation, "%s %s: %v", kind, id, err)
	}
	own := battleLog
	if kind.InCohost() {
		own = cohostLog
	}
	known, acked, unknown := false, false, check.Op{}
	for _, a := range tries {
		r.count(a)
		o := check.Op{
			Kind: kind, Live: c.Live, Others: c.Others, Battle: c.Battle, ID: id, Request: request,
			Own: r.heads.window(own, a), Cohost: r.heads.window(cohostLog, a),
			Tried: true, Since: r.heads.before(own, tries[0].T), SinceCohost: r.heads.before(cohostLog, tries[0].T),
		}
		switch a.kind() {
		case history.OK:
			var done call.Done
			if err := read(a.end.Res, &done); err != nil {
				r.found(check.Violation, "record %d: %v", a.I, err)
			}
			o.Outcome, o.Accepted, o.Refusals = check.OK, done.Accepted, done.Refusals
			if kind == check.RequestBattle || kind == check.Rematch {
				o.Made = done.Battle
			}
			known, acked = true, true
		case history.Fail:
			o.Outcome, o.Reason = check.Refused, a.reason()
			known = true
		default:
			unknown = o
			continue
		}
		r.check.Ops = append(r.check.Ops, o)
	}
	if !known {
		unknown.Outcome = check.Unknown
		r.check.Ops = append(r.check.Ops, unknown)
	}
	if acked {
		r.Acks[kind]++
	}
	r.outcome(known, acked, "%s %s of %s", kind, id, c.Live)
}

// outcome counts what has become of a command or a gift.
func (r *run) outcome(known, acked bool, format string, args ...any) {
	if acked {
		r.Acked++
	}
	if known {
		return
	}
	r.Unknown++
	if r.times.quiet > 0 {
		r.found(check.Stuck, format+" gets no answer", args...)
	}
}

// count counts a call, and finds answers that nobody may ever get.
func (r *run) count(a attempt) {
	r.Calls++
	if a.kind() == history.Unknown {
		r.Unsure++
	}
	switch reason := a.reason(); reason {
	case "UNAUTHENTICATED":
		if r.times.clocks {
			return // the clock of who looked at the token was wrong
		}
		fallthrough
	case "INTERNAL", "PERMISSION_DENIED", "INVALID_ARGUMENT", "PAYLOAD_MISMATCH":
		r.found(check.Violation, "%s %s at %d ms: answered %s", a.F, a.ID, a.T/1e6, a.end.Err)
	}
}
