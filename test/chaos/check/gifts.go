package check

import (
	"encoding/json"

	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

// gifts makes a Gift of every verdict.
func (r *run) gifts() {
	r.check.Sent = []check.Sent{}
	answered := map[check.GiftID]bool{}
	var order []check.GiftID
	for _, a := range r.calls {
		if a.F != call.SendGifts {
			continue
		}
		r.count(a)
		events, err := r.events(a)
		if err != nil {
			r.found(check.Violation, "record %d: %v", a.I, err)
			continue
		}
		verdicts := r.verdicts(a, events)
		for i, e := range events {
			id := check.GiftID{Live: e.GetLiveId(), Event: e.GetEventId()}
			r.check.Sent = append(r.check.Sent, check.Sent{Event: e, Answered: verdicts != nil})
			if _, known := answered[id]; !known {
				order = append(order, id)
			}
			answered[id] = answered[id] || verdicts != nil
			if verdicts != nil {
				log := r.logOf(id.Live)
				r.check.Gifts = append(r.check.Gifts, check.Gift{
					GiftID: id, Points: check.Worth(e), Log: log, Window: r.heads.window(log, a), Verdict: verdicts[i], Sent: e,
				})
			}
		}
	}
	for _, id := range order {
		r.Tried++
		r.outcome(answered[id], answered[id], "gift %v", id)
	}
}

func (r *run) logOf(live string) string { return check.LogOf(live, len(r.logs)-2) }

// events are the gifts that a call sent.
func (r *run) events(a attempt) ([]*scorev1.GiftEvent, error) {
	var sent call.Gifts
	if err := read(a.Val, &sent); err != nil {
		return nil, err
	}
	return messages(sent.Gifts, func() *scorev1.GiftEvent { return &scorev1.GiftEvent{} })
}

// verdicts are the answers to them, nil if there are none.
func (r *run) verdicts(a attempt, events []*scorev1.GiftEvent) []*scorev1.GiftVerdict {
	switch a.kind() {
	case history.Fail:
		r.found(check.Violation, "gifts at %d ms are refused: %s", a.T/1e6, a.end.Err)
		return nil
	case history.Unknown:
		return nil
	}
	var got call.Verdicts
	err := read(a.end.Res, &got)
	if err == nil && len(got.Verdicts) == len(events) {
		var verdicts []*scorev1.GiftVerdict
		if verdicts, err = messages(got.Verdicts, func() *scorev1.GiftVerdict { return &scorev1.GiftVerdict{} }); err == nil {
			for i, v := range verdicts {
				if v.GetLiveId() != events[i].GetLiveId() || v.GetEventId() != events[i].GetEventId() {
					r.found(check.Violation, "gift %s of %s gets the verdict of %s of %s", events[i].GetEventId(), events[i].GetLiveId(), v.GetEventId(), v.GetLiveId())
				}
			}
			return verdicts
		}
	}
	r.found(check.Violation, "%d gifts at %d ms get %d verdicts: %v", len(events), a.T/1e6, len(got.Verdicts), err)
	return nil
}

func messages[M message](raw []json.RawMessage, empty func() M) ([]M, error) {
	all := make([]M, len(raw))
	for i, x := range raw {
		all[i] = empty()
		if err := call.Read(x, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
