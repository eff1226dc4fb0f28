package check

import (
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/history"
	"github.com/faceoff-live/faceoff/test/sim/check"
)

type message = proto.Message

// questions makes a Read or Scores of every answer to a question. Of the questions that were asked at rest, again and again
// until the answer was the last, only the last answer counts.
func (r *run) questions() {
	final := map[string]attempt{}
	for _, a := range r.calls {
		if before, asked := final[key(a)]; atRest(a) && (!asked || a.kind() != history.Unknown || before.kind() == history.Unknown) {
			final[key(a)] = a
		}
	}
	for _, a := range r.calls {
		switch {
		case !atRest(a):
			r.question(a)
		case final[key(a)].I != a.I:
		case a.kind() == history.Unknown:
			r.found(check.Stuck, "%s of %s %s gets no answer at rest: %s", a.F, a.ID, question(a).Event, a.end.Err)
		default:
			r.question(a)
		}
	}
}

func (r *run) question(a attempt) {
	switch a.F {
	case string(check.AskLive), string(check.AskCoHost), string(check.AskCandidates), string(check.AskBattle), string(check.AskGift):
		r.count(a)
		r.asked(a)
	case call.GetLiveState:
		r.count(a)
		r.liveState(a)
	case call.GetBattleScores:
		r.count(a)
		r.told(a)
	case call.ReplayBattle:
		r.count(a)
		r.replayed(a)
	case call.Redis:
		r.redis(a)
	case call.Gifters:
		r.gifters(a)
	}
}

func question(a attempt) (q call.Question) {
	_ = read(a.Val, &q) // one without says nothing
	return q
}

func atRest(a attempt) bool { return question(a).Rest }

// key tells questions apart.
func key(a attempt) string { return a.F + " " + a.ID + " " + question(a).Event }

// grace is how far behind a replica may be that is not harmed, and was not for as long.
const grace = 5e9

// since is the length of a log that an answer must know of. A replica that is cut off may tell what was long ago.
func (r *run) since(log string, a attempt) uint64 {
	switch {
	case atRest(a):
		return r.heads.before(log, r.times.quiet)
	case r.times.calm(a.T-2*grace, a.until()):
		return r.heads.before(log, a.T-grace)
	}
	return 0
}

// asked makes a Read of an answer.
func (r *run) asked(a attempt) {
	q := check.Read{Question: check.Question(a.F), ID: a.ID, Event: question(a).Event}
	log := cohostLog
	switch q.Question {
	case check.AskBattle:
		log = battleLog
	case check.AskGift:
		log = r.logOf(a.ID)
	}
	q.Window = check.Window{Before: r.since(log, a), After: r.heads.after(log, a.until())}
	var err error
	switch a.kind() {
	case history.Fail:
		if !strings.HasSuffix(a.reason(), "_NOT_FOUND") {
			r.found(check.Violation, "%s of %s: answered %s", a.F, a.ID, a.end.Err)
		}
	case history.OK:
		err = answer(&q, a)
	default:
		return
	}
	if err != nil {
		r.found(check.Violation, "%s of %s: %v", a.F, a.ID, err)
	}
	r.check.Reads = append(r.check.Reads, q)
}

func answer(q *check.Read, a attempt) (err error) {
	switch q.Question {
	case check.AskLive:
		var m cohostv1.GetLiveResponse
		err, q.Live = call.Read(a.end.Res, &m), m.GetLive()
	case check.AskCoHost:
		var m cohostv1.GetCoHostStateResponse
		err, q.CoHost = call.Read(a.end.Res, &m), m.GetState()
	case check.AskCandidates:
		var m cohostv1.ListCandidatesResponse
		err = call.Read(a.end.Res, &m)
		q.Page = &check.Page{After: question(a).After, Size: question(a).Size, Lives: m.GetCandidates(), Next: m.GetNextPageToken()}
	case check.AskBattle:
		var m battlev1.GetBattleResponse
		err, q.Battle = call.Read(a.end.Res, &m), m.GetBattle()
	case check.AskGift:
		var m scorev1.GetGiftResponse
		err, q.Receipt = call.Read(a.end.Res, &m), m.GetVerdict()
	}
	return err
}

// liveState judges each part of the state of a live as the answer to a question for that part.
func (r *run) liveState(a attempt) {
	var m gatewayv1.GetLiveStateResponse
	switch a.kind() {
	case history.Fail:
		if a.reason() != "LIVE_NOT_FOUND" {
			r.found(check.Violation, "%s of %s: answered %s", a.F, a.ID, a.end.Err)
		}
	case history.OK:
		if err := call.Read(a.end.Res, &m); err != nil {
			r.found(check.Violation, "%s of %s: %v", a.F, a.ID, err)
			return
		}
	default:
		return
	}
	window := func(log string) check.Window {
		return check.Window{Before: r.since(log, a), After: r.heads.after(log, a.until())}
	}
	r.check.Reads = append(
		r.check.Reads,
		check.Read{Question: check.AskLive, ID: a.ID, Live: m.GetCohost().GetLive(), Window: window(cohostLog)},
		check.Read{Question: check.AskCoHost, ID: a.ID, CoHost: m.GetCohost().GetState(), Window: window(cohostLog)},
	)
	if b := m.GetBattle().GetBattle(); b != nil {
		r.check.Reads = append(r.check.Reads, check.Read{Question: check.AskBattle, ID: b.GetBattleId(), Battle: b, Window: window(battleLog)})
	}
	if s := m.GetScores(); s != nil {
		r.scores(a.F, s, a.until())
	}
}

// told judges scores that the API told.
func (r *run) told(a attempt) {
	if a.kind() != history.OK {
		return
	}
	var m scorev1.GetBattleScoresResponse
	if err := call.Read(a.end.Res, &m); err != nil || m.GetScores().GetBattleId() != a.ID {
		r.found(check.Violation, "scores of %s: answered %s, %v", a.ID, a.end.Res, err)
		return
	}
	r.scores("GetBattleScores", m.GetScores(), a.until())
}

// scores makes Scores of a message that came before some moment. They stand where it says, by log, or behind: lives that
// share a log are read one after another.
func (r *run) scores(where string, m *scorev1.BattleScores, t int64) {
	s := check.Scores{
		Where: where, Battle: m.GetBattleId(), Points: m.GetScores(), Windows: map[string]check.Window{},
		Final: m.GetStatus() == scorev1.BattleScores_CLOSED,
	}
	for place := range strings.SplitSeq(m.GetSeq(), ",") {
		nn, text, _ := strings.Cut(place, ":")
		seq, err := strconv.ParseUint(text, 10, 64)
		log := "SCORE_" + nn
		if err != nil || r.logs[log] == nil {
			r.found(check.Violation, "%s: battle %s: there is no such place as %q", where, s.Battle, m.GetSeq())
			return
		}
		s.Windows[log] = check.Window{Before: seq, After: max(seq, r.heads.after(log, t))}
	}
	r.check.Scores = append(r.check.Scores, s)
}

// redis judges the hash of a battle: each live's score stands where its field _seq says.
func (r *run) redis(a attempt) {
	var fields map[string]string
	if a.kind() != history.OK || read(a.end.Res, &fields) != nil || len(fields) == 0 {
		return // what must be there is looked for at rest
	}
	s := check.Scores{
		Where: "Redis", Battle: a.ID, Points: map[string]int64{}, Windows: map[string]check.Window{}, Final: fields["_status"] == "CLOSED",
	}
	for name, value := range fields {
		live, place := strings.CutPrefix(name, "_seq:")
		if !place {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				s.Points[name] = n
			}
			continue
		}
		text, _, _ := strings.Cut(value, ".")
		seq, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			r.found(check.Violation, "Redis: battle %s: %s is %q", a.ID, name, value)
			continue
		}
		s.Windows[live] = check.Window{Before: seq, After: seq}
	}
	r.check.Scores = append(r.check.Scores, s)
}

// gifters judges the gifters of a live.
func (r *run) gifters(a attempt) {
	g := check.Gifters{Where: "Redis", Battle: a.ID, Live: question(a).Event}
	if err := read(a.end.Res, &g.Points); err != nil {
		r.found(check.Violation, "Redis: gifters of %s in battle %s: %v", g.Live, g.Battle, err)
		return
	}
	r.check.Gifters = append(r.check.Gifters, g)
}

// replayed: what is counted again is what was settled.
func (r *run) replayed(a attempt) {
	var m scorev1.ReplayBattleResponse
	if a.kind() != history.OK || call.Read(a.end.Res, &m) != nil || !m.GetEqual() {
		r.found(check.Violation, "battle %s counted again: %s %v", a.ID, a.end.Err, m.GetDifferences())
	}
}

// atRest judges the end of the run: what is told of every battle that was settled, and whether every live can be booked.
func (r *run) atRest() {
	if r.times.quiet == 0 {
		return
	}
	results := map[string]*battlev1.Battle{}
	redis := map[string]map[string]string{}
	for _, a := range r.calls {
		switch {
		case a.F == call.Book && a.kind() != history.OK:
			r.found(check.Stuck, "%s cannot be booked: %s", a.ID, a.end.Err)
		case !atRest(a) || a.kind() != history.OK:
		case a.F == string(check.AskBattle):
			var m battlev1.GetBattleResponse
			if call.Read(a.end.Res, &m) == nil && m.GetBattle().GetResult() != nil {
				results[a.ID] = m.GetBattle()
			}
		case a.F == call.Redis:
			var fields map[string]string
			_ = read(a.end.Res, &fields) // without fields nothing is there
			redis[a.ID] = fields
		}
	}
	for id, b := range results {
		s := check.Scores{Where: "Redis at rest", Battle: id, Points: map[string]int64{}, Windows: map[string]check.Window{}, Final: true}
		for _, l := range b.GetResult().GetLives() {
			if n, err := strconv.ParseInt(redis[id][l.GetUserId()], 10, 64); err == nil {
				s.Points[l.GetUserId()] = n
			}
			s.Windows[l.GetLiveId()] = check.Window{After: math.MaxUint64}
		}
		r.check.Scores = append(r.check.Scores, s)
	}
}
