package codec

import (
	"fmt"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

func toEntry(event battle.Event) (*battlev1.Entry, error) {
	m := new(battlev1.Entry)
	switch e := event.(type) {
	case battle.CohostRead:
		m.Entry = &battlev1.Entry_CohostRead_{CohostRead: &battlev1.Entry_CohostRead{Sequence: e.Sequence}}
	case battle.ConnectionJoined:
		m.Entry = &battlev1.Entry_ConnectionJoined_{ConnectionJoined: toJoined(e.ConnectionID, e.Live)}
	case battle.ConnectionLeft:
		m.Entry = &battlev1.Entry_ConnectionLeft_{ConnectionLeft: &battlev1.Entry_ConnectionLeft{
			ConnectionId: e.ConnectionID, LiveId: e.LiveID,
		}}
	case battle.SessionTaken:
		m.Entry = &battlev1.Entry_SessionTaken_{SessionTaken: toTaken(e)}
	case battle.LiveEnded:
		m.Entry = &battlev1.Entry_LiveEnded_{LiveEnded: &battlev1.Entry_LiveEnded{LiveId: e.LiveID}}
	case battle.BattleRequested:
		m.Entry = &battlev1.Entry_BattleRequested_{BattleRequested: toRequested(e)}
	case battle.InviteeAnswered:
		m.Entry = &battlev1.Entry_InviteeAnswered_{InviteeAnswered: &battlev1.Entry_InviteeAnswered{
			BattleId: e.BattleID, LiveId: e.LiveID, Answer: battlev1.Entry_InviteeAnswered_Answer(e.Answer), Reason: e.Reason,
		}}
	case battle.BattleStarting:
		m.Entry = &battlev1.Entry_BattleStarting_{BattleStarting: &battlev1.Entry_BattleStarting{
			BattleId: e.BattleID, StartsAtMs: toMillis(e.StartsAt), EndsAtMs: toMillis(e.EndsAt), RuleSet: e.RuleSet,
			Participants: each(e.Participants, toParticipant),
		}}
	case battle.LiveOpened:
		m.Entry = &battlev1.Entry_LiveOpened_{LiveOpened: &battlev1.Entry_LiveOpened{
			BattleId: e.BattleID, LiveId: e.LiveID, Partition: e.Partition, Sequence: e.Sequence, Index: e.Index,
		}}
	case battle.BattleStarted:
		m.Entry = &battlev1.Entry_BattleStarted_{BattleStarted: &battlev1.Entry_BattleStarted{BattleId: e.BattleID}}
	case battle.UserExited:
		m.Entry = &battlev1.Entry_UserExited_{UserExited: &battlev1.Entry_UserExited{
			BattleId: e.BattleID, LiveId: e.LiveID, Reason: battlev1.Entry_UserExited_Reason(e.Reason),
		}}
	case battle.UserRejoined:
		m.Entry = &battlev1.Entry_UserRejoined_{UserRejoined: &battlev1.Entry_UserRejoined{
			BattleId: e.BattleID, LiveId: e.LiveID, EndsAtMs: toMillis(e.EndsAt), Rejoins: e.Rejoins,
		}}
	case battle.BattleEnding:
		m.Entry = &battlev1.Entry_BattleEnding_{BattleEnding: &battlev1.Entry_BattleEnding{
			BattleId: e.BattleID, Reason: battlev1.Battle_EndReason(e.Reason), EndsAtMs: toMillis(e.EndsAt), Detail: e.Detail,
		}}
	case battle.LiveClosed:
		m.Entry = &battlev1.Entry_LiveClosed_{LiveClosed: &battlev1.Entry_LiveClosed{
			BattleId: e.BattleID, LiveId: e.LiveID, Total: e.Closing.Total,
			TopGifters: each(e.Closing.TopGifters, toGifter), Proof: toProof(e.Closing.Proof),
		}}
	case battle.BattleEnded:
		m.Entry = &battlev1.Entry_BattleEnded_{BattleEnded: &battlev1.Entry_BattleEnded{
			BattleId: e.BattleID, Reason: battlev1.Battle_EndReason(e.Reason), Never: battlev1.Entry_BattleEnded_Never(e.Never),
			Result: Result(e.Result), Detail: e.Detail, PunishmentEndsAtMs: toMillis(e.PunishmentEndsAt), Series: toSeries(e.Series),
		}}
	case battle.ProposalMade:
		m.Entry = &battlev1.Entry_ProposalMade_{ProposalMade: &battlev1.Entry_ProposalMade{
			BattleId: e.BattleID, Kind: battlev1.Proposal_Kind(e.Kind), ExtendMs: e.By.Milliseconds(), LiveId: e.LiveID, Reason: e.Reason,
			ExpiresAtMs: toMillis(e.ExpiresAt),
		}}
	case battle.ProposalConsented:
		m.Entry = &battlev1.Entry_ProposalConsented_{ProposalConsented: &battlev1.Entry_ProposalConsented{
			BattleId: e.BattleID, Kind: battlev1.Proposal_Kind(e.Kind), ExtendMs: e.By.Milliseconds(), LiveId: e.LiveID,
		}}
	case battle.ProposalLapsed:
		m.Entry = &battlev1.Entry_ProposalLapsed_{ProposalLapsed: &battlev1.Entry_ProposalLapsed{
			BattleId: e.BattleID, Kind: battlev1.Proposal_Kind(e.Kind), ExtendMs: e.By.Milliseconds(),
		}}
	case battle.BattleExtended:
		m.Entry = &battlev1.Entry_BattleExtended_{BattleExtended: &battlev1.Entry_BattleExtended{
			BattleId: e.BattleID, EndsAtMs: toMillis(e.EndsAt), ExtendMs: e.By.Milliseconds(),
		}}
	case battle.PunishmentEnded:
		m.Entry = &battlev1.Entry_PunishmentEnded_{PunishmentEnded: &battlev1.Entry_PunishmentEnded{
			BattleId: e.BattleID, Reason: battlev1.PunishmentEnded_Reason(e.Reason),
		}}
	case battle.SeriesExited:
		m.Entry = &battlev1.Entry_SeriesExited_{SeriesExited: &battlev1.Entry_SeriesExited{
			BattleId: e.BattleID, LiveId: e.LiveID, Reason: battlev1.Entry_UserExited_Reason(e.Reason),
		}}
	case battle.SeriesEnded:
		m.Entry = &battlev1.Entry_SeriesEnded_{SeriesEnded: &battlev1.Entry_SeriesEnded{
			BattleId: e.BattleID, Reason: battlev1.Series_EndReason(e.End), Winner: e.Winner, Detail: e.Detail,
		}}
	case battle.SeriesContinued:
		m.Entry = &battlev1.Entry_SeriesContinued_{SeriesContinued: &battlev1.Entry_SeriesContinued{
			BattleId: e.BattleID, NextBattleId: e.NextBattleID,
		}}
	default:
		return nil, fmt.Errorf("event %T: %w", event, errUnknown)
	}
	return m, nil
}

func fromEntry(m *battlev1.Entry) (battle.Event, error) {
	switch x := m.GetEntry().(type) {
	case *battlev1.Entry_CohostRead_:
		return battle.CohostRead{Sequence: x.CohostRead.GetSequence()}, nil
	case *battlev1.Entry_ConnectionJoined_:
		e := x.ConnectionJoined
		return battle.ConnectionJoined{
			ConnectionID: e.GetConnectionId(), Live: battle.Participant{LiveID: e.GetLiveId(), Host: fromUser(e.GetHost())},
		}, nil
	case *battlev1.Entry_ConnectionLeft_:
		return battle.ConnectionLeft{ConnectionID: x.ConnectionLeft.GetConnectionId(), LiveID: x.ConnectionLeft.GetLiveId()}, nil
	case *battlev1.Entry_SessionTaken_:
		return fromTaken(x.SessionTaken), nil
	case *battlev1.Entry_LiveEnded_:
		return battle.LiveEnded{LiveID: x.LiveEnded.GetLiveId()}, nil
	case *battlev1.Entry_BattleRequested_:
		return fromRequested(x.BattleRequested), nil
	case *battlev1.Entry_InviteeAnswered_:
		e := x.InviteeAnswered
		return battle.InviteeAnswered{
			BattleID: e.GetBattleId(), LiveID: e.GetLiveId(), Answer: battle.Answer(e.GetAnswer()), Reason: e.GetReason(),
		}, nil
	case *battlev1.Entry_BattleStarting_:
		e := x.BattleStarting
		return battle.BattleStarting{
			BattleID: e.GetBattleId(), StartsAt: fromMillis(e.GetStartsAtMs()), EndsAt: fromMillis(e.GetEndsAtMs()),
			RuleSet: e.GetRuleSet(), Participants: each(e.GetParticipants(), fromParticipant),
		}, nil
	case *battlev1.Entry_LiveOpened_:
		e := x.LiveOpened
		return battle.LiveOpened{
			BattleID: e.GetBattleId(), LiveID: e.GetLiveId(), Partition: e.GetPartition(), Sequence: e.GetSequence(), Index: e.GetIndex(),
		}, nil
	case *battlev1.Entry_BattleStarted_:
		return battle.BattleStarted{BattleID: x.BattleStarted.GetBattleId()}, nil
	case *battlev1.Entry_UserExited_:
		e := x.UserExited
		return battle.UserExited{BattleID: e.GetBattleId(), LiveID: e.GetLiveId(), Reason: battle.ExitReason(e.GetReason())}, nil
	case *battlev1.Entry_UserRejoined_:
		e := x.UserRejoined
		return battle.UserRejoined{
			BattleID: e.GetBattleId(), LiveID: e.GetLiveId(), EndsAt: fromMillis(e.GetEndsAtMs()), Rejoins: e.GetRejoins(),
		}, nil
	case *battlev1.Entry_BattleEnding_:
		e := x.BattleEnding
		return battle.BattleEnding{
			BattleID: e.GetBattleId(), Reason: battle.EndReason(e.GetReason()), EndsAt: fromMillis(e.GetEndsAtMs()),
			Detail: e.GetDetail(),
		}, nil
	case *battlev1.Entry_LiveClosed_:
		e := x.LiveClosed
		return battle.LiveClosed{
			BattleID: e.GetBattleId(), LiveID: e.GetLiveId(), Closing: fromClosing(e.GetTotal(), e.GetTopGifters(), e.GetProof()),
		}, nil
	case *battlev1.Entry_BattleEnded_:
		e := x.BattleEnded
		return battle.BattleEnded{
			BattleID: e.GetBattleId(), Reason: battle.EndReason(e.GetReason()), Never: battle.Never(e.GetNever()),
			Result: fromResult(e.GetResult()), Detail: e.GetDetail(), PunishmentEndsAt: fromMillis(e.GetPunishmentEndsAtMs()),
			Series: fromSeries(e.GetSeries()),
		}, nil
	case *battlev1.Entry_ProposalMade_:
		e := x.ProposalMade
		return battle.ProposalMade{
			BattleID: e.GetBattleId(), Subject: subject(e), LiveID: e.GetLiveId(), Reason: e.GetReason(), ExpiresAt: fromMillis(e.GetExpiresAtMs()),
		}, nil
	case *battlev1.Entry_ProposalConsented_:
		e := x.ProposalConsented
		return battle.ProposalConsented{BattleID: e.GetBattleId(), Subject: subject(e), LiveID: e.GetLiveId()}, nil
	case *battlev1.Entry_ProposalLapsed_:
		e := x.ProposalLapsed
		return battle.ProposalLapsed{BattleID: e.GetBattleId(), Subject: subject(e)}, nil
	case *battlev1.Entry_BattleExtended_:
		e := x.BattleExtended
		return battle.BattleExtended{BattleID: e.GetBattleId(), EndsAt: fromMillis(e.GetEndsAtMs()), By: milliseconds(e.GetExtendMs())}, nil
	case *battlev1.Entry_PunishmentEnded_:
		return battle.PunishmentEnded{
			BattleID: x.PunishmentEnded.GetBattleId(), Reason: battle.PunishmentEnd(x.PunishmentEnded.GetReason()),
		}, nil
	case *battlev1.Entry_SeriesExited_:
		e := x.SeriesExited
		return battle.SeriesExited{BattleID: e.GetBattleId(), LiveID: e.GetLiveId(), Reason: battle.ExitReason(e.GetReason())}, nil
	case *battlev1.Entry_SeriesEnded_:
		e := x.SeriesEnded
		return battle.SeriesEnded{
			BattleID: e.GetBattleId(), End: battle.SeriesEnd(e.GetReason()), Winner: e.GetWinner(), Detail: e.GetDetail(),
		}, nil
	case *battlev1.Entry_SeriesContinued_:
		e := x.SeriesContinued
		return battle.SeriesContinued{BattleID: e.GetBattleId(), NextBattleID: e.GetNextBattleId()}, nil
	}
	return nil, fmt.Errorf("entry %w", errUnknown)
}

// subject is what an entry about a proposal is about.
func subject(e interface {
	GetKind() battlev1.Proposal_Kind
	GetExtendMs() int64
},
) battle.Subject {
	return battle.Subject{Kind: battle.ProposalKind(e.GetKind()), By: milliseconds(e.GetExtendMs())}
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

func toTaken(e battle.SessionTaken) *battlev1.Entry_SessionTaken {
	return &battlev1.Entry_SessionTaken{LiveId: e.LiveID, SessionId: e.Session, Fence: e.Fence}
}

func fromTaken(m *battlev1.Entry_SessionTaken) battle.SessionTaken {
	return battle.SessionTaken{LiveID: m.GetLiveId(), Session: m.GetSessionId(), Fence: m.GetFence()}
}

func toJoined(connectionID string, live battle.Participant) *battlev1.Entry_ConnectionJoined {
	return &battlev1.Entry_ConnectionJoined{ConnectionId: connectionID, LiveId: live.LiveID, Host: toUser(live.Host)}
}

func toParticipant(p battle.Participant) *battlev1.Entry_Participant {
	return &battlev1.Entry_Participant{LiveId: p.LiveID, Host: toUser(p.Host)}
}

func fromParticipant(p *battlev1.Entry_Participant) battle.Participant {
	return battle.Participant{LiveID: p.GetLiveId(), Host: fromUser(p.GetHost())}
}

func toRequested(e battle.BattleRequested) *battlev1.Entry_BattleRequested {
	return &battlev1.Entry_BattleRequested{
		BattleId: e.BattleID, ConnectionId: e.ConnectionID, Config: toTerms(e.Terms),
		Inviter: toParticipant(e.Inviter), Invitees: each(e.Invitees, toParticipant),
		Refused: each(e.Refused, func(r battle.RefusedTarget) *battlev1.Entry_RefusedTarget {
			return &battlev1.Entry_RefusedTarget{Target: r.Target, Reason: r.Reason, Detail: r.Detail}
		}),
		ExpiresAtMs: toMillis(e.ExpiresAt), TargetsAreUsers: e.TargetsAreUsers, RematchOf: e.RematchOf, Series: toSeries(e.Series),
	}
}

func fromRequested(e *battlev1.Entry_BattleRequested) battle.BattleRequested {
	return battle.BattleRequested{
		BattleID: e.GetBattleId(), ConnectionID: e.GetConnectionId(), Terms: fromTerms(e.GetConfig()),
		Inviter: fromParticipant(e.GetInviter()), Invitees: each(e.GetInvitees(), fromParticipant),
		Refused: each(e.GetRefused(), func(r *battlev1.Entry_RefusedTarget) battle.RefusedTarget {
			return battle.RefusedTarget{Target: r.GetTarget(), Reason: r.GetReason(), Detail: r.GetDetail()}
		}),
		ExpiresAt: fromMillis(e.GetExpiresAtMs()), TargetsAreUsers: e.GetTargetsAreUsers(),
		RematchOf: e.GetRematchOf(), Series: fromSeries(e.GetSeries()),
	}
}
