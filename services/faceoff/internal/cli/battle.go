package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	scorev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/score/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

type battleCommands struct {
	List    battleList    `cmd:"" help:"List battles, newest first."`
	Get     battleGet     `cmd:"" help:"Show a battle and who takes part."`
	Exit    battleExit    `cmd:"" help:"Have a live leave a battle, or the series that it waits in."`
	Rejoin  battleRejoin  `cmd:"" help:"Take a live that left because its host was lost back into a battle that still runs."`
	End     battleEnd     `cmd:"" help:"End a battle now; for a live, propose it or consent."`
	Extend  battleExtend  `cmd:"" help:"Let a battle take longer; for a live, propose it or consent."`
	Void    battleVoid    `cmd:"" help:"End a battle without a result; no gift counts for it."`
	Rematch battleRematch `cmd:"" help:"Have a live request an ended battle again."`
	Replay  battleReplay  `cmd:"" help:"Count a battle again from the stored log; exit code 1 if the result differs."`
}

type battleList struct {
	Live      string `help:"Only battles that this live was asked to."`
	Status    string `help:"Only battles in this status." enum:",REQUESTED,STARTING,RUNNING,SETTLING,ENDED" default:""`
	PageSize  int32  `help:"How many, 1 to 1000." default:"100"`
	PageToken string `help:"next_page_token of the page before."`
	target
}

// Run prints one page.
func (c battleList) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.ListBattles(ctx, &battlev1.ListBattlesRequest{
			LiveId: c.Live, Status: battlev1.Battle_Status(battlev1.Battle_Status_value[c.Status]), PageSize: c.PageSize, PageToken: c.PageToken,
		})
		if err != nil {
			return err
		}
		var rows [][]any
		for _, b := range r.GetBattles() {
			rows = append(rows, []any{b.GetBattleId(), b.GetStatus(), b.GetInviterLiveId(), len(b.GetUsers()), b.GetStartsAt(), end(b), reason(b)})
		}
		if r.GetNextPageToken() != "" {
			rows = append(rows, []any{"more: --page-token " + r.GetNextPageToken()})
		}
		return c.show(out, r, "BATTLE,STATUS,INVITER,LIVES,STARTS,ENDS,REASON", rows...)
	})
}

// end is when the battle has ended, or is to end.
func end(b *battlev1.Battle) *timestamppb.Timestamp {
	if b.GetEndedAt() != nil {
		return b.GetEndedAt()
	}
	return b.GetEndsAt()
}

func reason(b *battlev1.Battle) string {
	if b.GetEndReason() == battlev1.Battle_END_REASON_UNSPECIFIED {
		return ""
	}
	return b.GetEndReason().String()
}

const battleHeader = "BATTLE,STATUS,REASON,LIVE,HOST,STATE,SCORE,RANK"

// battleRows lists who takes part.
func battleRows(b *battlev1.Battle) [][]any {
	ranks := make(map[string]*battlev1.LiveResult)
	for _, l := range b.GetResult().GetLives() {
		ranks[l.GetLiveId()] = l
	}
	var rows [][]any
	for _, u := range b.GetUsers() {
		rank := any("")
		if l := ranks[u.GetLiveId()]; l != nil {
			rank = l.GetRank()
		}
		rows = append(rows, []any{b.GetBattleId(), b.GetStatus(), reason(b), u.GetLiveId(), u.GetUserId(), u.GetState(), u.GetScore(), rank})
	}
	return rows
}

type battleGet struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	target
}

// Run prints the battle.
func (c battleGet) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: c.Battle})
		if err != nil {
			return err
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleExit struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	Live   string `help:"The live that leaves." required:""`
	target
}

// Run leaves the battle and prints it.
func (c battleExit) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.ExitBattle(ctx, &battlev1.ExitBattleRequest{BattleId: c.Battle, LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleRejoin struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	Live   string `help:"The live that is back; in the battle's connection again, see connection rejoin." required:""`
	target
}

// Run rejoins the battle and prints it.
func (c battleRejoin) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.RejoinBattle(ctx, &battlev1.RejoinBattleRequest{BattleId: c.Battle, LiveId: c.Live})
		if err != nil {
			return err
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleEnd struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	Live   string `help:"The live that proposes or consents; empty: at once, by an admin's word."`
	Reason string `help:"What the others are told."`
	target
}

// Run ends the battle, or proposes to, and prints it.
func (c battleEnd) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.EndBattle(ctx, &battlev1.EndBattleRequest{BattleId: c.Battle, LiveId: c.Live, Reason: c.Reason})
		if err != nil {
			return err
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleExtend struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	By     int32  `help:"How many seconds longer." required:""`
	Live   string `help:"The live that proposes or consents; empty: at once, by an admin's word."`
	target
}

// Run extends the battle, or proposes to, and prints it.
func (c battleExtend) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.ExtendBattle(ctx, &battlev1.ExtendBattleRequest{BattleId: c.Battle, LiveId: c.Live, ExtendSeconds: c.By})
		if err != nil {
			return err
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleVoid struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	Reason string `help:"What its lives are told." required:""`
	target
}

// Run voids the battle and prints it.
func (c battleVoid) Run(ctx context.Context, out io.Writer) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.VoidBattle(ctx, &battlev1.VoidBattleRequest{BattleId: c.Battle, Reason: c.Reason})
		if err != nil {
			return err
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleRematch struct {
	Battle         string        `arg:"" name:"battle-id" help:"The battle that has ended."`
	Live           string        `help:"The live that requests it." required:""`
	RequestTimeout time.Duration `help:"How long it waits for answers; whole seconds, 0s for the service's default." default:"0s"`
	target
}

// Run requests the rematch and prints it, and who could not be asked.
func (c battleRematch) Run(ctx context.Context, out io.Writer, complaints complain) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Battle.Rematch(ctx, &battlev1.RematchRequest{
			BattleId: c.Battle, LiveId: c.Live, TimeoutSeconds: int32(min(c.RequestTimeout/time.Second, math.MaxInt32)),
		})
		if err != nil {
			return err
		}
		for _, live := range slices.Sorted(maps.Keys(r.GetResults())) {
			if result := r.GetResults()[live]; !result.GetOk() {
				_, _ = fmt.Fprintf(complaints, "not asked: live %s: %s\n", live, result.GetDetail())
			}
		}
		return c.show(out, r, battleHeader, battleRows(r.GetBattle())...)
	})
}

type battleReplay struct {
	Battle string `arg:"" name:"battle-id" help:"The battle."`
	target
}

// Run prints the replay; it fails if the settlement differs.
func (c battleReplay) Run(ctx context.Context, out io.Writer, complaints complain) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		r, err := s.Score.ReplayBattle(ctx, &scorev1.ReplayBattleRequest{BattleId: c.Battle})
		if err != nil {
			return err
		}
		var rows [][]any
		for _, l := range r.GetLives() {
			rows = append(rows, []any{l.GetLiveId(), l.GetUserId(), l.GetProof().GetGifts(), l.GetTotal(), l.GetSettledTotal(), l.GetProof().GetPartition()})
		}
		if err := c.show(out, r, "LIVE,HOST,GIFTS,REPLAYED,SETTLED,PARTITION", rows...); err != nil {
			return err
		}
		if r.GetEqual() {
			return nil
		}
		for _, difference := range r.GetDifferences() {
			_, _ = complaints.Write([]byte("differs: " + difference + "\n"))
		}
		return errFailed
	})
}
