package codec

import (
	"fmt"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// RequestBattle reads a request; newBattleID is the id that the battle gets.
func RequestBattle(m *battlev1.RequestBattleRequest, newBattleID string) battle.RequestBattle {
	return battle.RequestBattle{
		BattleID: newBattleID, Inviter: m.GetInviterLiveId(), TargetLives: m.GetTargetLiveIds(), TargetUsers: m.GetTargetUserIds(),
		Terms: fromTerms(m.GetConfig()), Timeout: time.Duration(m.GetTimeoutSeconds()) * time.Second,
	}
}

// CancelBattleRequest reads for whom a request is taken back.
func CancelBattleRequest(m *battlev1.CancelBattleRequestRequest) battle.CancelBattleRequest {
	return battle.CancelBattleRequest{
		BattleID: m.GetBattleId(), LiveID: m.GetLiveId(), TargetLives: m.GetTargetLiveIds(), TargetUsers: m.GetTargetUserIds(),
	}
}

// EndBattle reads a host's word, or an admin's.
func EndBattle(m *battlev1.EndBattleRequest) battle.EndBattle {
	return battle.EndBattle{BattleID: m.GetBattleId(), LiveID: m.GetLiveId(), Reason: m.GetReason()}
}

// ExtendBattle reads a host's word, or an admin's.
func ExtendBattle(m *battlev1.ExtendBattleRequest) battle.ExtendBattle {
	return battle.ExtendBattle{
		BattleID: m.GetBattleId(), LiveID: m.GetLiveId(), By: time.Duration(m.GetExtendSeconds()) * time.Second,
	}
}

// Rematch reads a request for a rematch; newBattleID is the id that the battle gets.
func Rematch(m *battlev1.RematchRequest, newBattleID string) battle.Rematch {
	c := battle.Rematch{
		BattleID: newBattleID, Of: m.GetBattleId(), LiveID: m.GetLiveId(), Timeout: time.Duration(m.GetTimeoutSeconds()) * time.Second,
	}
	if config := m.GetConfig(); config != nil {
		terms := fromTerms(config)
		c.Terms = &terms
	}
	return c
}

func toRematch(c battle.Rematch) *battlev1.RematchRequest {
	m := &battlev1.RematchRequest{
		BattleId: c.Of, LiveId: c.LiveID,
		TimeoutSeconds: int32(c.Timeout / time.Second), //nolint:gosec // it was an int32 of seconds
	}
	if c.Terms != nil {
		m.Config = toTerms(*c.Terms)
	}
	return m
}

// LeaveBattle reads cohost's word.
func LeaveBattle(m *battlev1.LeaveBattleRequest) battle.LeaveBattle {
	return battle.LeaveBattle{LiveID: m.GetLiveId(), Lost: m.GetReason() == battlev1.UserExitBattle_LOST}
}

func leaveBattle(c battle.LeaveBattle) *battlev1.LeaveBattleRequest {
	m := &battlev1.LeaveBattleRequest{LiveId: c.LiveID}
	if c.Lost {
		m.Reason = battlev1.UserExitBattle_LOST
	}
	return m
}

// ReportOpened reads a score partition's word.
func ReportOpened(m *battlev1.ReportOpenedRequest) battle.ReportOpened {
	return battle.ReportOpened{
		BattleID: m.GetBattleId(), LiveID: m.GetLiveId(), Partition: m.GetPartition(), Sequence: m.GetSequence(), Index: m.GetIndex(),
	}
}

// ReportClosed reads a score partition's word.
func ReportClosed(m *battlev1.ReportClosedRequest) battle.ReportClosed {
	return battle.ReportClosed{
		BattleID: m.GetBattleId(), LiveID: m.GetLiveId(), Closing: fromClosing(m.GetTotal(), m.GetTopGifters(), m.GetProof()),
		Rejoins: m.GetRejoins(),
	}
}

func toCommand(command battle.Command) (*battlev1.Command, error) {
	m := new(battlev1.Command)
	switch c := command.(type) {
	case battle.RequestBattle:
		m.NewBattleId = c.BattleID
		m.Command = &battlev1.Command_RequestBattle{RequestBattle: &battlev1.RequestBattleRequest{
			InviterLiveId: c.Inviter, TargetLiveIds: c.TargetLives, TargetUserIds: c.TargetUsers, Config: toTerms(c.Terms),
			TimeoutSeconds: int32(c.Timeout / time.Second), //nolint:gosec // it was an int32 of seconds
		}}
	case battle.Rematch:
		m.NewBattleId = c.BattleID
		m.Command = &battlev1.Command_Rematch{Rematch: toRematch(c)}
	case battle.AcceptBattle:
		m.Command = &battlev1.Command_AcceptBattle{AcceptBattle: &battlev1.AcceptBattleRequest{BattleId: c.BattleID, LiveId: c.LiveID}}
	case battle.RejectBattle:
		m.Command = &battlev1.Command_RejectBattle{RejectBattle: &battlev1.RejectBattleRequest{
			BattleId: c.BattleID, LiveId: c.LiveID, Reason: c.Reason,
		}}
	case battle.CancelBattleRequest:
		m.Command = &battlev1.Command_CancelBattleRequest{CancelBattleRequest: &battlev1.CancelBattleRequestRequest{
			BattleId: c.BattleID, LiveId: c.LiveID, TargetLiveIds: c.TargetLives, TargetUserIds: c.TargetUsers,
		}}
	case battle.ExitBattle:
		m.Command = &battlev1.Command_ExitBattle{ExitBattle: &battlev1.ExitBattleRequest{BattleId: c.BattleID, LiveId: c.LiveID}}
	case battle.RejoinBattle:
		m.Command = &battlev1.Command_RejoinBattle{RejoinBattle: &battlev1.RejoinBattleRequest{BattleId: c.BattleID, LiveId: c.LiveID}}
	case battle.EndBattle:
		m.Command = &battlev1.Command_EndBattle{EndBattle: &battlev1.EndBattleRequest{
			BattleId: c.BattleID, LiveId: c.LiveID, Reason: c.Reason,
		}}
	case battle.ExtendBattle:
		m.Command = &battlev1.Command_ExtendBattle{ExtendBattle: &battlev1.ExtendBattleRequest{
			BattleId: c.BattleID, LiveId: c.LiveID, ExtendSeconds: Seconds(c.By),
		}}
	case battle.VoidBattle:
		m.Command = &battlev1.Command_VoidBattle{VoidBattle: &battlev1.VoidBattleRequest{BattleId: c.BattleID, Reason: c.Reason}}
	case battle.LeaveBattle:
		m.Command = &battlev1.Command_LeaveBattle{LeaveBattle: leaveBattle(c)}
	case battle.ReportOpened:
		m.Command = &battlev1.Command_ReportOpened{ReportOpened: &battlev1.ReportOpenedRequest{
			BattleId: c.BattleID, LiveId: c.LiveID, Partition: c.Partition, Sequence: c.Sequence, Index: c.Index,
		}}
	case battle.ReportClosed:
		m.Command = &battlev1.Command_ReportClosed{ReportClosed: &battlev1.ReportClosedRequest{
			BattleId: c.BattleID, LiveId: c.LiveID, Total: c.Closing.Total,
			TopGifters: each(c.Closing.TopGifters, toGifter), Proof: toProof(c.Closing.Proof), Rejoins: c.Rejoins,
		}}
	case battle.ReadCohost:
		m.Command = &battlev1.Command_ReadCohost_{ReadCohost: &battlev1.Command_ReadCohost{
			Sequence: c.Sequence, Facts: each(c.Facts, toFact), Sessions: each(c.Sessions, toSessionFact),
		}}
	case battle.Advance:
		m.Command = &battlev1.Command_Advance_{Advance: &battlev1.Command_Advance{BattleId: c.BattleID}}
	case battle.AsHost:
		inner, err := toCommand(c.Command)
		if err != nil {
			return nil, err
		}
		inner.SessionId, inner.SessionLiveId = c.Session, c.LiveID
		return inner, nil
	default:
		return nil, fmt.Errorf("command %T: %w", command, errUnknown)
	}
	return m, nil
}

func fromCommand(m *battlev1.Command) (battle.Command, error) {
	command, err := plainCommand(m)
	if err != nil || m.GetSessionId() == "" {
		return command, err
	}
	return battle.AsHost{LiveID: m.GetSessionLiveId(), Session: m.GetSessionId(), Command: command}, nil
}

func plainCommand(m *battlev1.Command) (battle.Command, error) {
	switch x := m.GetCommand().(type) {
	case *battlev1.Command_RequestBattle:
		return RequestBattle(x.RequestBattle, m.GetNewBattleId()), nil
	case *battlev1.Command_Rematch:
		return Rematch(x.Rematch, m.GetNewBattleId()), nil
	case *battlev1.Command_AcceptBattle:
		return battle.AcceptBattle{BattleID: x.AcceptBattle.GetBattleId(), LiveID: x.AcceptBattle.GetLiveId()}, nil
	case *battlev1.Command_RejectBattle:
		c := x.RejectBattle
		return battle.RejectBattle{BattleID: c.GetBattleId(), LiveID: c.GetLiveId(), Reason: c.GetReason()}, nil
	case *battlev1.Command_CancelBattleRequest:
		return CancelBattleRequest(x.CancelBattleRequest), nil
	case *battlev1.Command_ExitBattle:
		return battle.ExitBattle{BattleID: x.ExitBattle.GetBattleId(), LiveID: x.ExitBattle.GetLiveId()}, nil
	case *battlev1.Command_RejoinBattle:
		return battle.RejoinBattle{BattleID: x.RejoinBattle.GetBattleId(), LiveID: x.RejoinBattle.GetLiveId()}, nil
	case *battlev1.Command_EndBattle:
		return EndBattle(x.EndBattle), nil
	case *battlev1.Command_ExtendBattle:
		return ExtendBattle(x.ExtendBattle), nil
	case *battlev1.Command_VoidBattle:
		return battle.VoidBattle{BattleID: x.VoidBattle.GetBattleId(), Reason: x.VoidBattle.GetReason()}, nil
	case *battlev1.Command_LeaveBattle:
		return LeaveBattle(x.LeaveBattle), nil
	case *battlev1.Command_ReportOpened:
		return ReportOpened(x.ReportOpened), nil
	case *battlev1.Command_ReportClosed:
		return ReportClosed(x.ReportClosed), nil
	case *battlev1.Command_ReadCohost_:
		for _, f := range x.ReadCohost.GetFacts() {
			if f.GetFact() == nil || f.GetLeft() != nil && f.GetReason() == 0 {
				return nil, fmt.Errorf("fact %w", errUnknown)
			}
		}
		for _, f := range x.ReadCohost.GetSessions() {
			if f.GetFact() == nil || f.GetTaken() != nil && f.GetTaken().GetSessionId() == "" {
				return nil, fmt.Errorf("fact %w", errUnknown)
			}
		}
		return battle.ReadCohost{
			Sequence: x.ReadCohost.GetSequence(), Facts: each(x.ReadCohost.GetFacts(), fromFact),
			Sessions: each(x.ReadCohost.GetSessions(), fromSessionFact),
		}, nil
	case *battlev1.Command_Advance_:
		return battle.Advance{BattleID: x.Advance.GetBattleId()}, nil
	}
	return nil, fmt.Errorf("command %w", errUnknown)
}

func toSessionFact(f battle.SessionFact) *battlev1.Command_SessionFact {
	if f.Session == "" {
		return &battlev1.Command_SessionFact{Fact: &battlev1.Command_SessionFact_Ended{Ended: &battlev1.Entry_LiveEnded{LiveId: f.LiveID}}}
	}
	return &battlev1.Command_SessionFact{Fact: &battlev1.Command_SessionFact_Taken{Taken: toTaken(battle.SessionTaken(f))}}
}

func fromSessionFact(m *battlev1.Command_SessionFact) battle.SessionFact {
	if ended := m.GetEnded(); ended != nil {
		return battle.SessionFact{LiveID: ended.GetLiveId()}
	}
	return battle.SessionFact(fromTaken(m.GetTaken()))
}

func toFact(f battle.ConnectionFact) *battlev1.Command_Fact {
	if f.Left == 0 {
		return &battlev1.Command_Fact{Fact: &battlev1.Command_Fact_Joined{Joined: toJoined(f.ConnectionID, f.Live)}}
	}
	return &battlev1.Command_Fact{
		Fact:   &battlev1.Command_Fact_Left{Left: &battlev1.Entry_ConnectionLeft{ConnectionId: f.ConnectionID, LiveId: f.Live.LiveID}},
		Reason: battlev1.Entry_UserExited_Reason(f.Left),
	}
}

func fromFact(m *battlev1.Command_Fact) battle.ConnectionFact {
	if left := m.GetLeft(); left != nil {
		return battle.ConnectionFact{
			ConnectionID: left.GetConnectionId(), Live: battle.Participant{LiveID: left.GetLiveId()}, Left: battle.ExitReason(m.GetReason()),
		}
	}
	joined := m.GetJoined()
	return battle.ConnectionFact{
		ConnectionID: joined.GetConnectionId(),
		Live:         battle.Participant{LiveID: joined.GetLiveId(), Host: fromUser(joined.GetHost())},
	}
}
