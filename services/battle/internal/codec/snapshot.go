package codec

import (
	"fmt"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/es"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// SnapshotVersion is that of the records of a snapshot. It changes whenever they, or what they mean, do.
const SnapshotVersion = 5

// Record is a piece of state as a snapshot holds it.
func Record(piece battle.Piece) (*battlev1.Snapshot, error) {
	switch p := piece.(type) {
	case battle.KeptCohostRead:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_CohostRead{CohostRead: p.Sequence}}, nil
	case battle.KeptConnected:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_Connected_{Connected: &battlev1.Snapshot_Connected{
			ConnectionId: p.ConnectionID, LiveId: p.Live.LiveID, Host: toUser(p.Live.Host),
		}}}, nil
	case battle.KeptConnection:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_Connection_{Connection: &battlev1.Snapshot_Connection{
			ConnectionId: p.ConnectionID, LiveIds: p.LiveIDs,
		}}}, nil
	case battle.KeptSessions:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_Sessions_{Sessions: &battlev1.Snapshot_Sessions{
			LiveId: p.LiveID, Current: p.Sessions.Current, Fence: p.Sessions.Fence, Past: p.Sessions.Past,
		}}}, nil
	case battle.KeptBattle:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_Battle_{Battle: toKept(p.Battle)}}, nil
	case battle.KeptPart:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_EndedPart{EndedPart: &battlev1.Snapshot_Part{
			StartMs: p.Start.UnixMilli(), LastMs: p.Last.UnixMilli(), Size: uint32(p.Len),
		}}}, nil
	case battle.KeptEnded:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_EndedBattle_{EndedBattle: &battlev1.Snapshot_EndedBattle{
			Part: uint32(p.Part), Battle: toKept(p.Battle),
		}}}, nil
	case battle.KeptRequestsPart:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_RequestsPart{RequestsPart: &battlev1.Snapshot_Part{
			StartMs: p.Start.UnixMilli(), LastMs: p.Last.UnixMilli(), Size: uint32(p.Len),
		}}}, nil
	case battle.KeptRequests:
		return &battlev1.Snapshot{Record: &battlev1.Snapshot_Requests_{Requests: &battlev1.Snapshot_Requests{
			Part: uint32(p.Part), LiveId: p.LiveID, UserId: p.UserID, AtMs: each(p.Times, toMillis),
		}}}, nil
	}
	return nil, fmt.Errorf("piece %T is %w", piece, errUnknown)
}

// Piece is the way back from Record.
func Piece(record *battlev1.Snapshot) (battle.Piece, error) {
	if err := knownEnums(record.ProtoReflect()); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	switch r := record.GetRecord().(type) {
	case *battlev1.Snapshot_CohostRead:
		return battle.KeptCohostRead{Sequence: r.CohostRead}, nil
	case *battlev1.Snapshot_Connected_:
		c := r.Connected
		return battle.KeptConnected{
			ConnectionID: c.GetConnectionId(), Live: battle.Participant{LiveID: c.GetLiveId(), Host: fromUser(c.GetHost())},
		}, nil
	case *battlev1.Snapshot_Connection_:
		return battle.KeptConnection{ConnectionID: r.Connection.GetConnectionId(), LiveIDs: r.Connection.GetLiveIds()}, nil
	case *battlev1.Snapshot_Sessions_:
		s := r.Sessions
		return battle.KeptSessions{
			LiveID: s.GetLiveId(), Sessions: es.Holders{Current: s.GetCurrent(), Fence: s.GetFence(), Past: s.GetPast()},
		}, nil
	case *battlev1.Snapshot_Battle_:
		return battle.KeptBattle{Battle: fromKept(r.Battle)}, nil
	case *battlev1.Snapshot_EndedPart:
		p := r.EndedPart
		return battle.KeptPart{Start: fromMillis(p.GetStartMs()), Last: fromMillis(p.GetLastMs()), Len: int(p.GetSize())}, nil
	case *battlev1.Snapshot_EndedBattle_:
		return battle.KeptEnded{Part: int(r.EndedBattle.GetPart()), Battle: fromKept(r.EndedBattle.GetBattle())}, nil
	case *battlev1.Snapshot_RequestsPart:
		p := r.RequestsPart
		return battle.KeptRequestsPart{Start: fromMillis(p.GetStartMs()), Last: fromMillis(p.GetLastMs()), Len: int(p.GetSize())}, nil
	case *battlev1.Snapshot_Requests_:
		q := r.Requests
		return battle.KeptRequests{
			Part: int(q.GetPart()), LiveID: q.GetLiveId(), UserID: q.GetUserId(), Times: each(q.GetAtMs(), fromMillis),
		}, nil
	}
	return nil, fmt.Errorf("record %T is %w", record.GetRecord(), errUnknown)
}

func toKept(b battle.Battle) *battlev1.Snapshot_Battle {
	return &battlev1.Snapshot_Battle{
		BattleId: b.ID, ConnectionId: b.ConnectionID, Config: toTerms(b.Terms),
		Members: each(b.Members, func(m battle.Member) *battlev1.Snapshot_Member {
			return &battlev1.Snapshot_Member{
				LiveId: m.LiveID, Host: toUser(m.Host), State: battlev1.BattleUser_State(m.State), Plays: m.Plays, Opened: m.Opened,
				Closing: toClosing(m.Closing), TeamId: m.Team, Lost: m.Lost, Rejoins: m.Rejoins,
			}
		}),
		Status: battlev1.Battle_Status(b.Phase), RequestedAtMs: toMillis(b.RequestedAt), ExpiresAtMs: toMillis(b.ExpiresAt),
		StartsAtMs: toMillis(b.StartsAt), EndsAtMs: toMillis(b.EndsAt), RuleSet: b.RuleSet, Reason: battlev1.Battle_EndReason(b.Reason),
		Never: int32(b.Never), EndedAtMs: toMillis(b.EndedAt), Result: Result(b.Result),
		Proposals: each(b.Proposals, func(p battle.Proposal) *battlev1.Snapshot_Proposal {
			return &battlev1.Snapshot_Proposal{
				Kind: battlev1.Proposal_Kind(p.Kind), ExtendMs: p.By.Milliseconds(), LiveId: p.LiveID, Reason: p.Reason,
				ConsentedLiveIds: p.Consented, ExpiresAtMs: toMillis(p.ExpiresAt),
			}
		}),
		Detail:             b.Detail,
		PunishmentEndsAtMs: toMillis(b.PunishmentEndsAt), PunishmentOver: b.PunishmentOver, Series: toSeries(b.Series), RematchOf: b.RematchOf,
	}
}

func fromKept(b *battlev1.Snapshot_Battle) battle.Battle {
	return battle.Battle{
		ID: b.GetBattleId(), ConnectionID: b.GetConnectionId(), Terms: fromTerms(b.GetConfig()),
		Members: each(b.GetMembers(), func(m *battlev1.Snapshot_Member) battle.Member {
			return battle.Member{
				Participant: battle.Participant{LiveID: m.GetLiveId(), Host: fromUser(m.GetHost())},
				State:       battle.MemberState(m.GetState()), Plays: m.GetPlays(), Opened: m.GetOpened(), Closing: closingOf(m.GetClosing()),
				Team: m.GetTeamId(), Lost: m.GetLost(), Rejoins: m.GetRejoins(),
			}
		}),
		Phase: battle.Phase(b.GetStatus()), RequestedAt: fromMillis(b.GetRequestedAtMs()), ExpiresAt: fromMillis(b.GetExpiresAtMs()),
		StartsAt: fromMillis(b.GetStartsAtMs()), EndsAt: fromMillis(b.GetEndsAtMs()), RuleSet: b.GetRuleSet(),
		Reason: battle.EndReason(b.GetReason()), Never: battle.Never(b.GetNever()), EndedAt: fromMillis(b.GetEndedAtMs()),
		Result: fromResult(b.GetResult()),
		Proposals: each(b.GetProposals(), func(p *battlev1.Snapshot_Proposal) battle.Proposal {
			return battle.Proposal{
				Subject: subject(p), LiveID: p.GetLiveId(), Reason: p.GetReason(), Consented: p.GetConsentedLiveIds(),
				ExpiresAt: fromMillis(p.GetExpiresAtMs()),
			}
		}),
		Detail:           b.GetDetail(),
		PunishmentEndsAt: fromMillis(b.GetPunishmentEndsAtMs()), PunishmentOver: b.GetPunishmentOver(),
		Series: fromSeries(b.GetSeries()), RematchOf: b.GetRematchOf(),
	}
}

func toClosing(c *battle.Closing) *battlev1.Snapshot_Closing {
	if c == nil {
		return nil
	}
	return &battlev1.Snapshot_Closing{Total: c.Total, TopGifters: each(c.TopGifters, toGifter), Proof: toProof(c.Proof)}
}

func closingOf(c *battlev1.Snapshot_Closing) *battle.Closing {
	if c == nil {
		return nil
	}
	closing := fromClosing(c.GetTotal(), c.GetTopGifters(), c.GetProof())
	return &closing
}
