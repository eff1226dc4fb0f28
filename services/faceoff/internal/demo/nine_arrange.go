package demo

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/client"
)

// arrange has one member change the layout for all and back, and another one mute a third for its own audience alone.
func (n *nine) arrange(ctx context.Context) error {
	by, deaf, muted := n.members[2], n.members[1], n.members[3]
	for _, layout := range []string{"hostDynamicFloat", "hostDynamicGrid"} {
		if err := n.cohost(ctx, by, "layout", &cohostv1.SetLayoutTemplateRequest{LayoutTemplate: layout}); err != nil {
			return err
		}
		n.tell(by.user, "sets the layout %s", layout)
		for _, h := range n.members {
			if _, err := await(ctx, h.viewer, "LayoutChanged to "+layout, func(m *message) (bool, bool) {
				e := m.GetCohost().GetLayoutChanged()
				return true, e.GetLayoutTemplate() == layout && e.GetChangedBy().GetLiveId() == by.live
			}); err != nil {
				return err
			}
			state, err := n.cohostState(ctx, h)
			if err != nil {
				return err
			}
			n.check(h.live+" has the layout "+layout, state.GetLayout() == layout, "its state is %v", state)
		}
	}
	if err := n.cohost(ctx, deaf, "mute", &cohostv1.MuteRemoteHostAudioRequest{TargetLiveId: muted.live, Muted: true}); err != nil {
		return err
	}
	n.tell(deaf.user, "mutes %s", muted.live)
	if _, err := await(ctx, deaf.viewer, "RemoteMuteChanged", func(m *message) (bool, bool) {
		e := m.GetCohost().GetRemoteMuteChanged()
		return true, e.GetTarget().GetLiveId() == muted.live && e.GetMuted()
	}); err != nil {
		return err
	}
	for _, h := range n.members {
		state, err := n.cohostState(ctx, h)
		if err != nil {
			return err
		}
		var want []string
		if h == deaf {
			want = []string{muted.live}
		}
		n.check("what "+h.live+" has muted", slices.Equal(state.GetMutedLiveIds(), want), "it has %v, not %v", state.GetMutedLiveIds(), want)
	}
	return nil
}

// cohost has a host give a command of co-hosting.
func (n *nine) cohost(ctx context.Context, h *host, verb string, in proto.Message) error {
	return n.post(ctx, h.token, cohostPath(h, verb), in, nil)
}

func cohostPath(h *host, verb string) string {
	return client.Path("v1", "lives", h.live) + "/cohost:" + verb
}

// names are the lives of hosts.
func names(hosts []*host) []string {
	var lives []string
	for _, h := range hosts {
		lives = append(lives, h.live)
	}
	return lives
}
