package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/ledger/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/pkg/ids"
	"github.com/faceoff-live/faceoff/pkg/rpc"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

const (
	cohostLog = "COHOST_00"
	battleLog = "BATTLE_00"
)

// record has commands and gifts decided, and keeps the answers with how far the logs had come before and after.
type record struct {
	s    *stack
	js   jetstream.JetStream
	logs []string // battle's first: what it refers to is in those that are read after it

	mu    sync.Mutex
	ops   []check.Op
	gifts []check.Gift
}

func newRecord(t testing.TB, s *stack) *record {
	t.Helper()
	js, err := jetstream.New(s.nats)
	if err != nil {
		t.Fatal(err)
	}
	r := &record{s: s, js: js, logs: []string{battleLog, cohostLog}}
	names := js.StreamNames(t.Context())
	for name := range names.Name() {
		if strings.HasPrefix(name, "SCORE_") {
			r.logs = append(r.logs, name)
		}
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// scoreLog is the log that decides on a live's gifts.
func (r *record) scoreLog(live string) string {
	return check.LogOf(live, len(r.logs)-2)
}

// head is how far a log has come.
func (r *record) head(ctx context.Context, log string) uint64 {
	for ctx.Err() == nil {
		if stream, err := r.js.Stream(ctx, log); err == nil {
			return stream.CachedInfo().State.LastSeq
		}
		wait(ctx, 20*time.Millisecond)
	}
	return 0
}

// command has a host's command decided, sent at a time, and repeats it until its outcome is known. It returns when the
// first try was sent.
func (r *record) command(t testing.TB, p *side, o check.Op, at time.Time, call func(context.Context, *check.Op) error) (check.Op, time.Time) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	key := ids.New()
	o.Live, o.ID = p.live, p.user+"/"+key
	own := cohostLog
	switch o.Kind {
	case check.RequestBattle, check.AcceptBattle, check.RejectBattle, check.CancelBattle, check.ExitBattle:
		own = battleLog
	}
	o.Own.Before = r.head(ctx, own)
	o.Cohost.Before = o.Own.Before
	if own != cohostLog {
		o.Cohost.Before = r.head(ctx, cohostLog)
	}
	o.Tried, o.Since, o.SinceCohost = true, o.Own.Before, o.Cohost.Before
	until(ctx, at)
	sent := time.Now()
	var err error
	for {
		err = call(withID(p.host.in(ctx), key), &o)
		o.Own.After = r.head(ctx, own)
		o.Cohost.After = o.Own.After
		if own != cohostLog {
			o.Cohost.After = r.head(ctx, cohostLog)
		}
		if err == nil || !unknown(err) || ctx.Err() != nil {
			break
		}
		wait(ctx, 20*time.Millisecond)
	}
	refusal, refused := rpc.Refusal(err)
	switch {
	case err == nil && o.Outcome == "":
		o.Outcome = check.OK
	case err == nil: // the call says itself
	case refused && !unknown(err):
		o.Outcome, o.Reason = check.Refused, refusal.Reason
	default:
		o.Outcome = check.Unknown
		t.Errorf("%s of %s: %v", o.Kind, p.live, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, o)
	return o, sent
}

// give sends gifts of one live at a time, and repeats them until there are verdicts. It returns when they were sent first.
func (r *record) give(t testing.TB, gifts []*scorev1.GiftEvent, at time.Time, send door) ([]*scorev1.GiftVerdict, time.Time) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	log := r.scoreLog(gifts[0].GetLiveId())
	before := r.head(ctx, log)
	wait(ctx, time.Until(at))
	sent := time.Now()
	var verdicts []*scorev1.GiftVerdict
	for {
		var err error
		if verdicts, err = send(ctx, gifts); err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Errorf("gifts of %s: %v", gifts[0].GetLiveId(), err)
			return nil, sent
		}
		wait(ctx, 20*time.Millisecond)
	}
	window := check.Window{Before: before, After: r.head(ctx, log)}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, v := range verdicts {
		r.gifts = append(r.gifts, check.Gift{
			GiftID: check.GiftID{Live: v.GetLiveId(), Event: gifts[i].GetEventId()}, Points: giftPoints, Log: log, Window: window, Verdict: v,
		})
	}
	return verdicts, sent
}

// export reads all logs from the first group to the head.
func (r *record) export(t testing.TB) map[string][][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	logs := make(map[string][][]byte)
	for _, name := range r.logs {
		consumer, err := r.js.OrderedConsumer(ctx, name, jetstream.OrderedConsumerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		groups, err := read(ctx, consumer, r.head(ctx, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		logs[name] = groups
	}
	// Score refers to what battle has had since its log was read: its logs end before that.
	for _, name := range r.logs[2:] {
		end := uint64(len(logs[name]))
		entries(logs[name], func(group uint64, _ time.Time, e *scorev1.Entry) {
			if e.GetBattleRead().GetSequence() > uint64(len(logs[battleLog])) {
				end = min(end, group-1)
			}
		})
		logs[name] = logs[name][:end]
	}
	return logs
}

func read(ctx context.Context, c jetstream.Consumer, head uint64) (groups [][]byte, err error) {
	messages, err := c.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	for uint64(len(groups)) < head {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		groups = append(groups, m.Data())
	}
	return groups, nil
}

// entries calls handle with every entry of a log, its group and the log time of its decision. What is wrong with the log
// itself is for the checks to say.
func entries[E any, P interface {
	*E
	proto.Message
}](groups [][]byte, handle func(seq uint64, at time.Time, e P),
) {
	for i, raw := range groups {
		var g ledgerv1.Group
		if proto.Unmarshal(raw, &g) != nil {
			return
		}
		for _, d := range g.GetDecisions() {
			for _, b := range d.GetEntries() {
				if e := P(new(E)); proto.Unmarshal(b, e) == nil {
					handle(uint64(i+1), time.UnixMilli(d.GetAtMs()), e)
				}
			}
		}
	}
}

// judge waits until nothing of what is named is open, has the logs and the answers checked, and returns the logs with what
// was found, by class.
func (r *record) judge(t testing.TB, named map[string]bool) (logs map[string][][]byte, found map[string]any) {
	t.Helper()
	var open []string
	for end := time.Now().Add(patience); ; wait(t.Context(), 200*time.Millisecond) {
		logs = r.export(t)
		open = nil
		for _, what := range check.Open(logs) {
			for _, word := range strings.Fields(what) {
				if named[word] {
					open = append(open, what)
					break
				}
			}
		}
		if len(open) == 0 || time.Now().After(end) {
			break
		}
	}
	report := check.Check(check.Run{Logs: logs, Ops: r.ops, Gifts: r.gifts})
	for _, what := range open {
		report.Findings = append(report.Findings, check.Finding{Class: check.Stuck, Text: what})
	}
	found = map[string]any{}
	count := map[check.Class]int{}
	for _, f := range report.Findings {
		count[f.Class]++
		t.Errorf("%s: %s", f.Class, f.Text)
	}
	for _, class := range []check.Class{check.Lost, check.Duplicated, check.Stuck, check.Violation} {
		found[string(class)] = count[class]
	}
	return logs, found
}
