package sim

import (
	"fmt"
	"slices"
	"time"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"

	"github.com/faceoff-live/faceoff/test/sim/check"
)

var templates = []string{
	"hostDynamicGrid", "hostDynamic1v6", "HostVideoLandscapeFixed2Seats", "hostDynamicFloat", "hostFixedFloat", "hostVoiceConnection",
}

// template is one for lives of some kind, most often of a live's own.
func (a *actor) template(live string) string {
	if kind(live) == cohostv1.Live_VOICE && a.rng.IntN(4) > 0 {
		return "hostVoiceConnection"
	}
	return templates[a.rng.IntN(len(templates))]
}

// info is an extension that is passed on, or none.
func (a *actor) info() string {
	if a.rng.IntN(2) == 0 {
		return ""
	}
	return fmt.Sprintf("%s says %d", a.name, a.rng.IntN(1000))
}

// connected is a live with those that it was connected with not long ago, or with nobody.
func (a *actor) connected() (live string, members []string) {
	all := a.h.connections()
	if len(all) == 0 || a.rng.IntN(10) == 0 {
		return a.live(), nil
	}
	members = all[a.rng.IntN(len(all))]
	return members[a.rng.IntN(len(members))], members
}

// ask invites some lives, one or many of them, that are not known to be connected with a live.
func (a *actor) ask() {
	from, to := a.two()
	switch n := a.rng.IntN(10); {
	case a.crowd && n < 8:
		a.grow()
	case n < 2:
		from, members := a.connected()
		a.request(from, a.others(from, members, 8))
	case n < 4:
		a.request(from, a.others(from, nil, 2))
	default:
		a.request(from, []string{to})
	}
}

// others are up to so many lives, drawn of those that are neither a live nor some members.
func (a *actor) others(live string, members []string, most int) (all []string) {
	for _, i := range a.rng.Perm(len(a.lives)) {
		if other := a.lives[i]; other != live && !slices.Contains(members, other) && len(all) < most {
			all = append(all, other)
		}
	}
	return all
}

func (a *actor) request(from string, targets []string) check.Op {
	if len(targets) == 0 {
		_, to := a.two()
		if targets = []string{to}; to == from {
			return a.exit(from)
		}
	}
	r := &cohostv1.RequestHostConnectionRequest{LiveId: from, TargetLiveIds: targets, TimeoutSeconds: 1 + a.rng.Int32N(3), ExtensionInfo: a.info()}
	if a.rng.IntN(10) == 0 {
		r.TimeoutSeconds = 4 + a.rng.Int32N(5)
	}
	if a.rng.IntN(3) == 0 && !a.crowd {
		r.LayoutTemplate = a.template(from)
	}
	o := a.invite(r)
	for _, target := range targets {
		if o.Refusals[target] == "LIVE_NOT_FOUND" && a.rng.IntN(3) == 0 {
			a.create(target)
		}
	}
	return o
}

// grow has one of the largest connection invite others, and some of them accept.
func (a *actor) grow() {
	from, _ := a.two()
	if all := a.h.connections(); len(all) > 0 {
		members := slices.MaxFunc(all, func(x, y []string) int { return len(x) - len(y) })
		from = members[a.rng.IntN(len(members))]
	}
	s, _ := a.state(from) // nobody, if it is not known
	a.h.connected(s)
	var members []string
	for _, m := range s.GetConnected() {
		members = append(members, m.GetLiveId())
	}
	for _, to := range a.request(from, a.others(from, members, 1+a.rng.IntN(8))).Accepted {
		if a.rng.IntN(2) == 0 {
			a.accept(to, from, a.info())
		}
	}
}

// answer ends an invitation in one of the ways, now or about when it times out.
func (a *actor) answer() {
	from, to := a.invitation()
	if a.rng.IntN(4) == 0 {
		a.at(time.Duration(1+a.rng.Int64N(3)) * time.Second)
	}
	switch a.rng.IntN(6) {
	case 0:
		a.reject(&cohostv1.RejectHostConnectionRequest{
			LiveId: to, FromLiveId: from, ExtensionInfo: a.info(), ReasonCode: cohostv1.CoHostRequestRejected_ReasonCode(a.rng.Int32N(4)),
			Reason: []string{"", "not today", "später, vielleicht"}[a.rng.IntN(3)],
		})
	case 1:
		a.cancel(from, to)
	default:
		a.accept(to, from, a.info())
	}
}

// change does something to a connection, or shows a host in another way.
func (a *actor) change() {
	live, members := a.connected()
	switch n := a.rng.IntN(8); {
	case n < 2:
		a.setLayout(live, a.template(live))
	case n < 5:
		target := a.live()
		if len(members) > 0 && a.rng.IntN(8) > 0 {
			target = members[a.rng.IntN(len(members))]
		}
		if target != live {
			a.mute(live, target, a.rng.IntN(3) > 0)
		}
	default:
		host := new(cohostv1.UpdateLiveRequest_HostProfile)
		if name := fmt.Sprintf("Host %d", a.rng.IntN(3)); a.rng.IntN(3) > 0 {
			host.UserName = &name
		}
		if picture := fmt.Sprintf("https://pictures.example/%d.png", a.rng.IntN(3)); a.rng.IntN(3) > 0 {
			host.AvatarUrl = &picture
		}
		switch a.rng.IntN(8) {
		case 0:
			host.UserId = user(a.live()).GetUserId()
		case 1:
			host.UserId = user(live).GetUserId()
		}
		a.updateLive(live, host)
	}
}
