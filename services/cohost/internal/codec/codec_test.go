package codec_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

var _ ledger.Codec[cohost.Command, cohost.Event] = codec.Codec{}

var ann = cohost.User{ID: "u1", Name: "Ann", AvatarURL: "https://a/1.png"}

// golden holds every kind of event with the bytes that version 1 gives it. Rows are added, never changed.
var golden = []struct {
	event cohost.Event
	bytes string
}{
	{cohost.LiveCreated{LiveID: "a", Kind: cohost.Voice, Host: ann}, "0a210a016110021a1a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e67"},
	{cohost.LiveEnding{LiveID: "a"}, "12030a0161"},
	{cohost.InvitationSent{
		InvitationID: "i", Inviter: "a", Invitee: "b", Layout: "l", ExtensionInfo: "x", ExpiresAt: time.UnixMilli(1_700_000_000_123).UTC(),
	}, "1a160a01691201611a016222016c2a017830fbd095ffbc31"},
	{cohost.InvitationEnded{InvitationID: "i", Inviter: "a", Invitee: "b", Ending: cohost.Rejected, Reason: "busy"}, "22110a01691201611a016220022a0462757379"},
	{cohost.InvitationEnded{InvitationID: "i", Inviter: "a", Invitee: "b", Ending: cohost.Accepted, Mutual: true}, "220d0a01691201611a016220013001"},
	{cohost.ConnectionStarted{ConnectionID: "c", Layout: "l"}, "2a060a016312016c"},
	{cohost.MemberJoined{ConnectionID: "c", LiveID: "a", Host: ann}, "32220a01631201611a1a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e67"},
	{cohost.MemberLeft{ConnectionID: "c", LiveID: "a", Reason: cohost.LeftDissolved}, "3a080a01631201611805"},
	{cohost.ConnectionEnded{ConnectionID: "c"}, "42030a0163"},
	{cohost.InvitationEnded{InvitationID: "i", Inviter: "a", Invitee: "b", Ending: cohost.Rejected, Code: cohost.RejectBusy, ExtensionInfo: "x"}, "22100a01691201611a016220023801420178"},
	{cohost.LayoutSet{ConnectionID: "c", LiveID: "a", Layout: "l"}, "4a090a01631201611a016c"},
	{cohost.RemoteMuteSet{ConnectionID: "c", LiveID: "a", Target: "b", Muted: true}, "520b0a01631201611a01622001"},
	{cohost.LiveEnding{LiveID: "a", Lost: true}, "12050a01611001"},
	{cohost.PresenceBegan{LiveID: "a"}, "62030a0161"},
	{cohost.HostUnreachable{LiveID: "a"}, "6a030a0161"},
	{cohost.HostRecovered{LiveID: "a"}, "72030a0161"},
	{cohost.HostRecovered{LiveID: "a", RejoinUntil: time.UnixMilli(1_700_000_000_123).UTC()}, "720a0a016110fbd095ffbc31"},
	{cohost.HostLost{LiveID: "a"}, "7a030a0161"},
	{cohost.SessionTaken{LiveID: "a", Session: "s", Fence: 2}, "8201080a01611201731802"},
	{cohost.HostChanged{LiveID: "a", Host: ann}, "5a1f0a0161121a0a0275311203416e6e1a0f68747470733a2f2f612f312e706e67"},
}

func TestEvents(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, row := range golden {
		name := fmt.Sprintf("%T", row.event)
		covered[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := codec.Codec{}.EncodeEvent(row.event)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(b); got != row.bytes {
				t.Errorf("bytes\n got %s\nwant %s", got, row.bytes)
			}
			kept, err := hex.DecodeString(row.bytes)
			if err != nil {
				t.Fatal(err)
			}
			back, err := codec.Codec{}.DecodeEvent(kept)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.event, back); diff != "" {
				t.Errorf("there and back (-want +got):\n%s", diff)
			}
		})
	}
	if kinds := new(cohostv1.Entry).ProtoReflect().Descriptor().Oneofs().ByName("entry").Fields().Len(); len(covered) != kinds {
		t.Errorf("%d kinds of entries are covered, there are %d", len(covered), kinds)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	name := "Ann"
	commands := []cohost.Command{
		cohost.CreateLive{LiveID: "a", Kind: cohost.Video, Host: ann},
		cohost.EndLive{LiveID: "a"},
		cohost.RequestHostConnection{
			LiveID: "a", Target: "b", Layout: "hostDynamicGrid", Timeout: 30 * time.Second, ExtensionInfo: "x",
			NewInvitationID: "i", NewConnectionID: "c",
		},
		cohost.CancelHostConnection{LiveID: "a", To: "b"},
		cohost.AcceptHostConnection{LiveID: "a", From: "b", ExtensionInfo: "x", NewConnectionID: "c"},
		cohost.RejectHostConnection{LiveID: "a", From: "b", Reason: "busy", Code: cohost.RejectBusy, ExtensionInfo: "x"},
		cohost.ExitHostConnection{LiveID: "a"},
		cohost.ExpireInvitation{InvitationID: "i"},
		cohost.UpdateLive{LiveID: "a", UserID: "u1", Name: &name},
		cohost.SetLayoutTemplate{LiveID: "a", Layout: "hostDynamicGrid"},
		cohost.MuteRemoteHostAudio{LiveID: "a", Target: "b", Muted: true},
		cohost.HearHost{LiveID: "a", Session: "s"},
		cohost.MissHost{LiveID: "a", Stage: cohost.Lost},
		cohost.LeaveLost{LiveID: "a"},
		cohost.RejoinHostConnection{LiveID: "a"},
	}
	kinds := len(commands)
	for _, c := range commands[:kinds] {
		commands = append(commands, cohost.AsHost{LiveID: "a", Session: "s", Command: c})
	}
	for _, c := range commands {
		b, err := codec.Codec{}.EncodeCommand(c)
		if err != nil {
			t.Fatal(err)
		}
		back, err := codec.Codec{}.DecodeCommand(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, back); diff != "" {
			t.Errorf("%T there and back (-want +got):\n%s", c, diff)
		}
	}
	if n := new(cohostv1.Command).ProtoReflect().Descriptor().Oneofs().ByName("command").Fields().Len(); n != kinds {
		t.Errorf("%d kinds of commands are covered, there are %d", kinds, n)
	}
}

// What a version does not know stops it; it never guesses.
func TestUnknown(t *testing.T) {
	t.Parallel()
	marshal := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	left := &cohostv1.Entry_MemberLeft{ConnectionId: "c", LiveId: "a", Reason: 99}
	for name, b := range map[string][]byte{
		"empty entry":      {},
		"kind of entry":    {0xfa, 0x01, 0x00}, // field 31
		"enum value":       marshal(&cohostv1.Entry{Entry: &cohostv1.Entry_MemberLeft_{MemberLeft: left}}),
		"reject code":      marshal(&cohostv1.Entry{Entry: &cohostv1.Entry_InvitationEnded_{InvitationEnded: &cohostv1.Entry_InvitationEnded{Ending: 2, ReasonCode: 99}}}),
		"unset enum value": marshal(&cohostv1.Entry{Entry: &cohostv1.Entry_LiveCreated_{LiveCreated: &cohostv1.Entry_LiveCreated{LiveId: "a"}}}),
	} {
		if e, err := (codec.Codec{}).DecodeEvent(b); !errors.Is(err, codec.ErrUnknown) {
			t.Errorf("%s: got %v, %v; want ErrUnknown", name, e, err)
		}
	}
	if e, err := (codec.Codec{}).DecodeEvent([]byte{0xff}); err == nil {
		t.Errorf("broken bytes: got %v", e)
	}
	if c, err := (codec.Codec{}).DecodeCommand(nil); !errors.Is(err, codec.ErrUnknown) {
		t.Errorf("empty command: got %v, %v; want ErrUnknown", c, err)
	}
}
