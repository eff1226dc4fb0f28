package cohostfeed_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/es"
	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/battle/internal/codec"
	"github.com/faceoff-live/faceoff/services/battle/internal/cohostfeed"
)

// FuzzDecode: whoever joins or leaves in an entry of cohost's log does so in the command that is made of it, and that can be
// forwarded.
func FuzzDecode(f *testing.F) {
	for _, m := range []*cohostv1.Entry{
		{Entry: &cohostv1.Entry_MemberJoined_{MemberJoined: &cohostv1.Entry_MemberJoined{ConnectionId: "c", LiveId: "a"}}},
		{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{ConnectionId: "c", LiveId: "a", Reason: cohostv1.Entry_MemberLeft_LOST}}},
		{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: &cohostv1.Entry_MemberLeft{ConnectionId: "c", LiveId: "a", Reason: 99}}},
		{Entry: &cohostv1.Entry_LiveEnding_{LiveEnding: &cohostv1.Entry_LiveEnding{LiveId: "a"}}},
		{},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := cohostfeed.Decode(b)
		if err != nil {
			return
		}
		g := ledger.Group[*cohostv1.Entry]{Seq: 7, Events: []ledger.Placed[*cohostv1.Entry]{{Place: es.Place{Seq: 7}, Event: e}}}
		c, ok := cohostfeed.Facts(g)
		left, joined := e.GetMemberLeft(), e.GetMemberJoined()
		taken, ending := e.GetSessionTaken(), e.GetLiveEnding()
		if ok != (left != nil || joined != nil || taken != nil || ending != nil) || c.Sequence != 7 {
			t.Fatalf("%v is %+v, %v", e, c, ok)
		}
		if !ok {
			return
		}
		if taken != nil || ending != nil {
			if f := c.Sessions[0]; f.LiveID != taken.GetLiveId()+ending.GetLiveId() || f.Session != taken.GetSessionId() || f.Fence != taken.GetFence() {
				t.Fatalf("%v is %+v", e, f)
			}
		} else if f := c.Facts[0]; (left != nil) != (f.Left != 0) || f.ConnectionID != left.GetConnectionId()+joined.GetConnectionId() || f.Live.LiveID != left.GetLiveId()+joined.GetLiveId() {
			t.Fatalf("%v is %+v", e, f)
		}
		forwarded, err := codec.Codec{}.EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (codec.Codec{}).DecodeCommand(forwarded); err != nil {
			t.Fatalf("%+v cannot be forwarded: %v", c, err)
		}
	})
}
