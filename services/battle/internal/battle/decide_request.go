package battle

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// request decides a request: which targets can take part, and whether it starts at once. rematchOf is the battle that is to
// be repeated; empty if it is none.
func (d *draft) request(c RequestBattle, rematchOf string) error {
	terms, timeout, err := d.state.terms(c)
	if err != nil {
		return err
	}
	inviter, ok := d.state.connected.Get(c.Inviter)
	if !ok {
		return es.Refuse(ReasonConnectionNotFound, "live %s is in no connection", c.Inviter)
	}
	if refusal := d.taken(c.Inviter); refusal != nil {
		return refusal
	}
	e := BattleRequested{
		BattleID:        c.BattleID,
		ConnectionID:    inviter.connectionID,
		Terms:           terms,
		Inviter:         inviter.Participant,
		TargetsAreUsers: len(c.TargetUsers) > 0,
		RematchOf:       rematchOf,
		Series:          newSeries(c.BattleID, terms.BestOf),
	}
	e.Invitees, e.Refused = d.invitees(inviter, c)
	if requested(d.now, e).sides() < 2 {
		return noneLeft(e.Refused)
	}
	if refusal := d.state.tooMany(inviter.Participant, d.now); refusal != nil {
		return refusal
	}
	if terms.NeedResponse {
		e.ExpiresAt = d.now.Add(timeout)
	}
	d.add(e)
	if !terms.NeedResponse {
		d.start(c.BattleID)
	}
	return nil
}

// terms checks what the caller asked for, and puts in the defaults.
func (s *State) terms(c RequestBattle) (Terms, time.Duration, error) {
	terms, timeout, maxTargets := c.Terms, c.Timeout, s.settings.MaxTargets
	switch lives, users := len(c.TargetLives), len(c.TargetUsers); {
	case lives == 0 && users == 0:
		return terms, 0, es.Invalid("target_live_ids", "name 1 to %d targets, here or in target_user_ids", maxTargets)
	case lives > 0 && users > 0:
		return terms, 0, es.Invalid("target_user_ids", "targets are named here or in target_live_ids, not in both")
	case lives > maxTargets:
		return terms, 0, es.Invalid("target_live_ids", "at most %d targets", maxTargets)
	case users > maxTargets:
		return terms, 0, es.Invalid("target_user_ids", "at most %d targets", maxTargets)
	case slices.Contains(c.TargetLives, c.Inviter):
		return terms, 0, es.Invalid("target_live_ids", "the inviter is none of its own targets")
	}
	if terms.Duration == 0 {
		terms.Duration = s.settings.DefaultDuration
	}
	if terms.Duration < s.settings.MinDuration || terms.Duration > s.settings.MaxDuration {
		return terms, 0, es.Invalid("config.duration_seconds", "a battle takes %d to %d seconds",
			s.settings.MinDuration/time.Second, s.settings.MaxDuration/time.Second)
	}
	if terms.Punishment < 0 || terms.Punishment > s.settings.MaxPunishment {
		return terms, 0, es.Invalid("config.punishment_seconds", "a punishment takes at most %d seconds", s.settings.MaxPunishment/time.Second)
	}
	if n := terms.BestOf; n < 0 || n > s.settings.MaxBestOf || n > 0 && n%2 == 0 {
		return terms, 0, es.Invalid("config.best_of", "a series has an odd number of rounds, at most %d", s.settings.MaxBestOf)
	}
	if terms.Mode == 0 {
		terms.Mode = FreeForAll
	}
	if terms.Mode < FreeForAll || terms.Mode > OneVsMany {
		return terms, 0, es.Invalid("config.mode", "there is no such mode")
	}
	if err := c.checkTeams(); err != nil {
		return terms, 0, err
	}
	if _, known := pin(terms.RuleSet); !known {
		return terms, 0, es.Invalid("config.rule_set", "there are no rules %q; there are default and %s", terms.RuleSet, RuleSet)
	}
	if timeout == 0 {
		timeout = s.settings.DefaultTimeout
	}
	if timeout < minTimeout || timeout > s.settings.MaxTimeout {
		return terms, 0, es.Invalid("timeout_seconds", "a request times out after %d to %d seconds",
			minTimeout/time.Second, s.settings.MaxTimeout/time.Second)
	}
	return terms, timeout, nil
}

// invitees parts the targets into those that can take part and those that cannot.
func (d *draft) invitees(inviter connected, c RequestBattle) (in []Participant, out []RefusedTarget) {
	names, find := c.TargetLives, d.state.peerByLive
	if len(c.TargetUsers) > 0 {
		names, find = c.TargetUsers, d.state.peerByUser
	}
	hosts := map[string]bool{inviter.Host.ID: true}
	for _, name := range names {
		peer, refusal := find(inviter, name)
		if refusal == nil {
			refusal = d.taken(peer.LiveID)
		}
		if refusal == nil && c.Terms.Mode == Teams && c.Terms.team(peer.LiveID) == "" {
			refusal = es.Refuse(ReasonNoValidTarget, "live %s of host %s is in no team", peer.LiveID, name)
		}
		if refusal == nil && hosts[peer.Host.ID] {
			refusal = es.Refuse(ReasonNoValidTarget, "host %s is in the battle already", peer.Host.ID)
		}
		if refusal != nil {
			out = append(out, RefusedTarget{Target: name, Reason: refusal.Reason, Detail: refusal.Detail})
			continue
		}
		hosts[peer.Host.ID] = true
		in = append(in, peer)
	}
	return in, out
}

func (s *State) peerByLive(inviter connected, liveID string) (Participant, *es.Refusal) {
	peer, ok := s.connected.Get(liveID)
	if !ok || peer.connectionID != inviter.connectionID {
		return peer.Participant, es.Refuse(ReasonNoValidTarget, "live %s is not connected with live %s", liveID, inviter.LiveID)
	}
	return peer.Participant, nil
}

func (s *State) peerByUser(inviter connected, userID string) (Participant, *es.Refusal) {
	lives, _ := s.connections.Get(inviter.connectionID)
	for _, live := range lives {
		if peer, _ := s.connected.Get(live); peer.Host.ID == userID && live != inviter.LiveID {
			return peer.Participant, nil
		}
	}
	if userID == inviter.Host.ID {
		return Participant{}, es.Refuse(ReasonNoValidTarget, "user %s is the inviter", userID)
	}
	return Participant{}, es.Refuse(ReasonNoValidTarget, "user %s hosts no live that is connected with live %s", userID, inviter.LiveID)
}

// taken returns the refusal if a live is in an open battle already, or asked to one. The battle that a rematch is of may have come to
// its end in the same decision.
func (d *draft) taken(liveID string) *es.Refusal {
	b, taken := d.holder(liveID)
	if !taken {
		return nil
	}
	switch b.Phase {
	case PhaseRequested:
		return es.Refuse(ReasonBattleRequestPending, "live %s takes part in the pending request of another battle", liveID)
	case PhaseEnded:
		return es.Refuse(ReasonInOtherBattle, "live %s waits for the next round of another battle", liveID)
	}
	return es.Refuse(ReasonInOtherBattle, "live %s is in another battle", liveID)
}

// noneLeft refuses a request that leaves the inviter without an opponent: for the refused target's own reason if it is only
// one.
func noneLeft(refused []RefusedTarget) error {
	if len(refused) == 1 {
		return es.Refuse(refused[0].Reason, "%s", refused[0].Detail)
	}
	return es.Refuse(ReasonNoValidTarget, "nobody is left to fight: %d targets cannot take part; the first: %s", len(refused), refused[0].Detail)
}
