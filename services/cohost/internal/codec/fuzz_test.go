package codec_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/cohost/internal/codec"
)

// FuzzEvent: an entry that is read is written as the same event, in bytes that stay the same, and of a kind that is known.
func FuzzEvent(f *testing.F) {
	for _, row := range golden {
		b, err := hex.DecodeString(row.bytes)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xfa, 0x01, 0x00})
	f.Add([]byte{0x0a, 0x05, 0x0a, 0x01, 'a', 0x10, 0x63}) // a live of kind 99
	f.Fuzz(func(t *testing.T, b []byte) { roundTrip(t, b, codec.Codec{}.DecodeEvent, codec.Codec{}.EncodeEvent) })
}

// FuzzCommand: as FuzzEvent, for what replicas send each other.
func FuzzCommand(f *testing.F) {
	for _, m := range []*cohostv1.Command{
		{Command: &cohostv1.Command_CreateLive{CreateLive: &cohostv1.CreateLiveRequest{LiveId: "a", Kind: cohostv1.Live_VIDEO}}},
		{Command: &cohostv1.Command_CreateLive{CreateLive: &cohostv1.CreateLiveRequest{LiveId: "a", Kind: 99}}},
		{Command: &cohostv1.Command_EndLive{EndLive: &cohostv1.EndLiveRequest{LiveId: "a"}}},
		{NewInvitationId: "i", NewConnectionId: "c", Command: &cohostv1.Command_RequestHostConnection{RequestHostConnection: &cohostv1.RequestHostConnectionRequest{
			LiveId: "a", TargetLiveIds: []string{"b"}, TimeoutSeconds: -1 << 31,
		}}},
		{Command: &cohostv1.Command_RequestHostConnection{RequestHostConnection: &cohostv1.RequestHostConnectionRequest{TargetLiveIds: []string{"b", "c"}}}},
		{NewConnectionId: "c", Command: &cohostv1.Command_AcceptHostConnection{AcceptHostConnection: &cohostv1.AcceptHostConnectionRequest{FromLiveId: "b"}}},
		{Command: &cohostv1.Command_UpdateLive{UpdateLive: &cohostv1.UpdateLiveRequest{LiveId: "a"}}},
		{Command: &cohostv1.Command_RejectHostConnection{RejectHostConnection: &cohostv1.RejectHostConnectionRequest{LiveId: "a", ReasonCode: 99}}},
		{Command: &cohostv1.Command_MuteRemoteHostAudio{MuteRemoteHostAudio: &cohostv1.MuteRemoteHostAudioRequest{LiveId: "a", TargetLiveId: "b", Muted: true}}},
		{Command: &cohostv1.Command_ExpireInvitation_{ExpireInvitation: &cohostv1.Command_ExpireInvitation{InvitationId: "i"}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, codec.Codec{}.DecodeCommand, codec.Codec{}.EncodeCommand)
	})
}

func roundTrip[T any](t *testing.T, b []byte, decode func([]byte) (T, error), encode func(T) ([]byte, error)) {
	t.Helper()
	got, err := decode(b)
	if err != nil {
		return
	}
	written, err := encode(got)
	if err != nil {
		t.Fatalf("read %+v, which cannot be written: %v", got, err)
	}
	back, err := decode(written)
	if diff := cmp.Diff(got, back); err != nil || diff != "" {
		t.Fatalf("there and back: %v (-want +got):\n%s", err, diff)
	}
	if again, err := encode(back); err != nil || !bytes.Equal(again, written) {
		t.Fatalf("written % x and then % x, %v", written, again, err)
	}
}
