package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"
	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

const (
	// battleTime is how long battle has to say what the live is in: the live ends whether or not it does.
	battleTime = 2 * time.Second
	// exitTime is how long battle has to read that a live has ended; exitEvery is how often it is asked.
	exitTime, exitEvery = 5 * time.Second, 50 * time.Millisecond
)

type liveEnd struct {
	Live string `arg:"" name:"live-id" help:"The live."`
	target
}

// endedLive is what live end prints as JSON.
type endedLive struct {
	Live json.RawMessage `json:"live"`
	// What the live left by this; empty if it took part in none, or had ended before.
	Connection string `json:"left_connection_id"`
	Battle     string `json:"exited_battle_id"`
}

// Run ends the live and prints it, with what it has left. It fails if the live is not known to have left its battle.
func (c liveEnd) Run(ctx context.Context, out io.Writer, complaints complain) error {
	return c.call(ctx, func(ctx context.Context, s *client.Client) error {
		battle, unknown := battleOf(ctx, s, c.Live)
		r, err := s.Cohost.EndLive(ctx, &cohostv1.EndLiveRequest{LiveId: c.Live})
		if err != nil {
			return err
		}
		if battle != "" {
			unknown = awaitExit(ctx, s, battle, c.Live)
		}
		if unknown != nil {
			_, _ = fmt.Fprintln(complaints, "the live has ended; that it has left its battle is not known:", sentence(unknown))
		}
		return errors.Join(c.print(out, r, battle), failedIf(unknown != nil))
	})
}

func (c liveEnd) print(out io.Writer, r *cohostv1.EndLiveResponse, battle string) error {
	l := r.GetLive()
	if !c.JSON {
		return table(out, "LIVE,HOST,STATUS,ENDED,LEFT CONNECTION,EXITED BATTLE", []any{
			l.GetLiveId(), l.GetHost().GetUserId(), l.GetStatus(), l.GetEndedAt(), r.GetLeftConnectionId(), battle,
		})
	}
	live, err := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(l)
	if err != nil {
		return err
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(endedLive{Live: live, Connection: r.GetLeftConnectionId(), Battle: battle})
}

// battleOf returns the battle that the live is in, or was asked to; empty if there is none.
func battleOf(ctx context.Context, s *client.Client, live string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, battleTime)
	defer cancel()
	r, err := s.Battle.ListBattles(ctx, &battlev1.ListBattlesRequest{LiveId: live})
	for _, b := range r.GetBattles() {
		if takesPart(b, live) {
			return b.GetBattleId(), nil
		}
	}
	return "", err
}

func takesPart(b *battlev1.Battle, live string) bool {
	for _, u := range b.GetUsers() {
		if u.GetLiveId() == live && b.GetStatus() != battlev1.Battle_ENDED {
			return u.GetState() == battlev1.BattleUser_INVITED || u.GetState() == battlev1.BattleUser_JOINED
		}
	}
	return false
}

// awaitExit waits until the live has left the battle: battle reads that it has ended.
func awaitExit(ctx context.Context, s *client.Client, battle, live string) error {
	ctx, cancel := context.WithTimeout(ctx, exitTime)
	defer cancel()
	again := time.NewTicker(exitEvery)
	defer again.Stop()
	for {
		r, err := s.Battle.GetBattle(ctx, &battlev1.GetBattleRequest{BattleId: battle})
		if err == nil && !takesPart(r.GetBattle(), live) {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}
