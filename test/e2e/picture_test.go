package e2e

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	gatewayv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/gateway/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"
)

// picture is what a viewer knows of a live: a state, with what happened after it folded in. It takes what the audience of a
// live is told that invites and is invited, and is asked to battles and does not decline.
type picture struct {
	joined string // the offset of the state
	live   *cohostv1.Live
	state  *cohostv1.CoHostState
	battle *battlev1.Battle
	scores map[string]map[string]int64 // by battle: they may come before the battle's own events, and after them
}

func pictureOf(r *gatewayv1.GetLiveStateResponse) *picture {
	return &picture{
		joined: r.GetOffset(),
		live:   proto.CloneOf(r.GetCohost().GetLive()), state: proto.CloneOf(r.GetCohost().GetState()),
		battle: proto.CloneOf(r.GetBattle().GetBattle()),
		scores: map[string]map[string]int64{r.GetScores().GetBattleId(): r.GetScores().GetScores()},
	}
}

// current is the scores of the battle that is shown.
func (p *picture) current() map[string]int64 {
	if p.battle == nil {
		return nil
	}
	return p.scores[p.battle.GetBattleId()]
}

// String is all of it but what time it is.
func (p *picture) String() string {
	state, battle := proto.CloneOf(p.state), proto.CloneOf(p.battle)
	state.ServerNow = nil
	if battle != nil {
		battle.ServerNow = nil
	}
	text := ""
	for _, m := range []proto.Message{p.live, state, battle} {
		data, err := prototext.MarshalOptions{Multiline: false}.Marshal(m)
		if err != nil {
			return err.Error()
		}
		text += string(data) + "\n"
	}
	return text + fmt.Sprint(p.current())
}

func (p *picture) take(t testing.TB, m *message) {
	t.Helper()
	switch payload := m.GetPayload().(type) {
	case *gatewayv1.WatchLiveResponse_Cohost:
		p.takeCohost(t, payload.Cohost)
	case *gatewayv1.WatchLiveResponse_Battle:
		p.takeBattle(t, payload.Battle)
	case *gatewayv1.WatchLiveResponse_Scores:
		p.scores[payload.Scores.GetBattleId()] = payload.Scores.GetScores()
	}
}

func (p *picture) takeCohost(t testing.TB, event *cohostv1.Event) {
	t.Helper()
	s := p.state
	switch e := event.GetEvent().(type) {
	case *cohostv1.Event_CoHostRequestSent:
		s.Invitees = append(s.Invitees, e.CoHostRequestSent.GetInvitation())
	case *cohostv1.Event_CoHostRequestReceived:
		s.Applicants = append(s.Applicants, e.CoHostRequestReceived.GetInvitation())
	case *cohostv1.Event_CoHostRequestCancelled:
		p.invitationEnded(e.CoHostRequestCancelled.GetInvitationId())
	case *cohostv1.Event_CoHostRequestAccepted:
		p.invitationEnded(e.CoHostRequestAccepted.GetInvitationId())
	case *cohostv1.Event_CoHostRequestRejected:
		p.invitationEnded(e.CoHostRequestRejected.GetInvitationId())
	case *cohostv1.Event_CoHostRequestTimeout:
		p.invitationEnded(e.CoHostRequestTimeout.GetInvitationId())
	case *cohostv1.Event_CoHostUserJoined:
		s.ConnectionId, s.Status = e.CoHostUserJoined.GetConnectionId(), cohostv1.CoHostState_CONNECTED
		p.live.ConnectionId = s.GetConnectionId()
		s.Layout = e.CoHostUserJoined.GetLayoutTemplate()
		s.Connected = append(s.Connected, e.CoHostUserJoined.GetMember())
	case *cohostv1.Event_CoHostUserLeft:
		left := e.CoHostUserLeft.GetMember().GetLiveId()
		s.Connected = slices.DeleteFunc(s.Connected, func(m *cohostv1.Member) bool { return m.GetLiveId() == left })
		s.MutedLiveIds = slices.DeleteFunc(s.MutedLiveIds, func(id string) bool { return id == left })
		if left == s.GetLiveId() {
			s.Connected, s.MutedLiveIds, s.ConnectionId, s.Layout, s.Status = nil, nil, "", "", cohostv1.CoHostState_DISCONNECTED
			p.live.ConnectionId = ""
		}
	case *cohostv1.Event_LayoutChanged:
		s.Layout = e.LayoutChanged.GetLayoutTemplate()
	case *cohostv1.Event_RemoteMuteChanged:
		target := e.RemoteMuteChanged.GetTarget().GetLiveId()
		s.MutedLiveIds = slices.DeleteFunc(s.MutedLiveIds, func(id string) bool { return id == target })
		if e.RemoteMuteChanged.GetMuted() {
			s.MutedLiveIds = append(s.MutedLiveIds, target)
		}
	case *cohostv1.Event_LiveUpdated:
		p.showHost(e.LiveUpdated.GetLiveId(), e.LiveUpdated.GetHost())
	default:
		t.Errorf("an event that nobody expects: %v", event)
	}
}

func (p *picture) showHost(live string, host *userv1.User) {
	if live == p.live.GetLiveId() {
		p.live.Host = host
	}
	for i, m := range p.state.GetConnected() {
		if m.GetLiveId() == live {
			m = proto.CloneOf(m) // it may be part of a message that others read
			m.Host = host
			p.state.Connected[i] = m
		}
	}
}

func (p *picture) invitationEnded(id string) {
	is := func(i *cohostv1.Invitation) bool { return i.GetInvitationId() == id }
	p.state.Invitees, p.state.Applicants = slices.DeleteFunc(p.state.Invitees, is), slices.DeleteFunc(p.state.Applicants, is)
	p.state.Applicant = nil
	if n := len(p.state.GetApplicants()); n > 0 {
		p.state.Applicant = p.state.Applicants[n-1]
	}
}

func (p *picture) takeBattle(t testing.TB, event *battlev1.Event) {
	t.Helper()
	switch e := event.GetEvent().(type) {
	case *battlev1.Event_BattleRequestSent:
		p.battle = e.BattleRequestSent.GetBattle()
	case *battlev1.Event_BattleRequestReceived:
		p.battle = e.BattleRequestReceived.GetBattle()
	case *battlev1.Event_BattleStarting:
		p.battle = e.BattleStarting.GetBattle()
	case *battlev1.Event_BattleStarted:
		p.battle = e.BattleStarted.GetBattle()
	case *battlev1.Event_BattleSettling:
		p.battle = e.BattleSettling.GetBattle()
	case *battlev1.Event_BattleRequestCancelled, *battlev1.Event_BattleEnded:
		p.battle = nil
	case *battlev1.Event_UserJoinBattle, *battlev1.Event_UserExitBattle: // BattleStarting or BattleEnded follows
	default:
		t.Errorf("an event that nobody expects: %v", event)
	}
}
