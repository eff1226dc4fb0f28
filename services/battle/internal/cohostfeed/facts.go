// Package cohostfeed picks from the log COHOST_00 what battles are decided on: who is connected with whom, and which session
// may act for a host.
package cohostfeed

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
	userv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/user/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/battle"
)

// Log is the name of the log that is read.
const Log = "COHOST_00"

var errUnknown = errors.New("entry of a kind that is not known here")

// Decode reads an entry of COHOST_00. An unknown kind is an error: it might say who is connected.
func Decode(b []byte) (*cohostv1.Entry, error) {
	e := new(cohostv1.Entry)
	if err := proto.Unmarshal(b, e); err != nil {
		return nil, fmt.Errorf("cohost entry: %w", err)
	}
	if e.GetEntry() == nil {
		return nil, errUnknown
	}
	return e, nil
}

// Facts returns the command that hands a group's facts over; false if the group has none.
func Facts(g ledger.Group[*cohostv1.Entry]) (battle.ReadCohost, bool) {
	c := battle.ReadCohost{Sequence: g.Seq}
	for _, placed := range g.Events {
		if f, ok := fact(placed.Event); ok {
			c.Facts = append(c.Facts, f)
		}
		if f, ok := session(placed.Event); ok {
			c.Sessions = append(c.Sessions, f)
		}
	}
	return c, len(c.Facts)+len(c.Sessions) > 0
}

func session(e *cohostv1.Entry) (battle.SessionFact, bool) {
	switch x := e.GetEntry().(type) {
	case *cohostv1.Entry_SessionTaken_:
		t := x.SessionTaken
		return battle.SessionFact{LiveID: t.GetLiveId(), Session: t.GetSessionId(), Fence: t.GetFence()}, true
	case *cohostv1.Entry_LiveEnding_:
		return battle.SessionFact{LiveID: x.LiveEnding.GetLiveId()}, true
	}
	return battle.SessionFact{}, false
}

func fact(e *cohostv1.Entry) (battle.ConnectionFact, bool) {
	switch x := e.GetEntry().(type) {
	case *cohostv1.Entry_MemberJoined_:
		m := x.MemberJoined
		return battle.ConnectionFact{
			ConnectionID: m.GetConnectionId(), Live: battle.Participant{LiveID: m.GetLiveId(), Host: host(m.GetHost())},
		}, true
	case *cohostv1.Entry_MemberLeft_:
		m := x.MemberLeft
		return battle.ConnectionFact{
			ConnectionID: m.GetConnectionId(), Live: battle.Participant{LiveID: m.GetLiveId()}, Left: exitReason(m.GetReason()),
		}, true
	}
	return battle.ConnectionFact{}, false
}

func host(u *userv1.User) battle.User {
	return battle.User{ID: u.GetUserId(), Name: u.GetUserName(), Avatar: u.GetAvatarUrl()}
}

func exitReason(r cohostv1.Entry_MemberLeft_Reason) battle.ExitReason {
	switch r {
	case cohostv1.Entry_MemberLeft_LIVE_ENDED:
		return battle.ExitLiveEnded
	case cohostv1.Entry_MemberLeft_LOST:
		return battle.ExitLost
	}
	return battle.ExitLeftConnection
}
