package battle

import (
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// ProposalKind is what hosts propose.
type ProposalKind int32

// Kinds of proposals.
const (
	ProposalEnd ProposalKind = iota + 1
	ProposalExtend
)

// Subject is what a proposal is about. A battle has one proposal of a subject at most.
type Subject struct {
	Kind ProposalKind
	// By is how much longer a battle is to take; 0 unless ProposalExtend.
	By time.Duration
}

// Proposal waits for the consent of all lives in a battle.
type Proposal struct {
	Subject
	// LiveID proposed it, and said the Reason.
	LiveID, Reason string
	// Consented are the proposer and those who have consented, in that order.
	Consented []string
	// ExpiresAt is when it lapses.
	ExpiresAt time.Time
}

// Proposal returns the proposal of a subject.
func (b Battle) Proposal(s Subject) (Proposal, bool) {
	i := slices.IndexFunc(b.Proposals, func(p Proposal) bool { return p.Subject == s })
	if i < 0 {
		return Proposal{}, false
	}
	return b.Proposals[i], true
}

// consent adds a live to those who have consented to a proposal, in a copy.
func (b *Battle) consent(e ProposalConsented) {
	b.Proposals = slices.Clone(b.Proposals)
	for i := range b.Proposals {
		if p := &b.Proposals[i]; p.Subject == e.Subject {
			p.Consented = append(slices.Clone(p.Consented), e.LiveID)
		}
	}
}

// drop takes a proposal away, in a copy.
func (b *Battle) drop(s Subject) {
	b.Proposals = slices.DeleteFunc(slices.Clone(b.Proposals), func(p Proposal) bool { return p.Subject == s })
	if len(b.Proposals) == 0 {
		b.Proposals = nil
	}
}

// agreed reports whether all lives in the battle have consented to a proposal.
func (b Battle) agreed(p Proposal) bool {
	return !slices.ContainsFunc(b.Members, func(m Member) bool { return m.Present() && !slices.Contains(p.Consented, m.LiveID) })
}

// propose decides that a live proposes something, or consents to what another one has proposed; again it changes nothing.
// A live has one proposal of its own of a kind at a time.
func (d *draft) propose(b Battle, liveID string, s Subject, reason string) error {
	p, made := b.Proposal(s)
	switch {
	case made && slices.Contains(p.Consented, liveID):
		return nil
	case made:
		d.add(ProposalConsented{BattleID: b.ID, Subject: s, LiveID: liveID})
	case slices.ContainsFunc(b.Proposals, func(p Proposal) bool { return p.LiveID == liveID && p.Kind == s.Kind }):
		return es.Refuse(ReasonBattleRequestPending, "another proposal of live %s waits for the consent of the others", liveID)
	default:
		d.add(ProposalMade{
			BattleID: b.ID, Subject: s, LiveID: liveID, Reason: reason, ExpiresAt: d.now.Add(d.state.settings.ProposalTimeout),
		})
	}
	d.carry(b.ID)
	return nil
}

// carry does what all lives in a battle have consented to. An extension that has become too late, or too long, lapses.
func (d *draft) carry(battleID string) {
	b, _ := d.battle(battleID)
	for _, p := range b.Proposals {
		if b, _ = d.battle(battleID); b.Phase != PhaseRunning || !b.agreed(p) {
			continue
		}
		switch {
		case p.Kind == ProposalEnd:
			d.end(battleID, EndCutShort, p.Reason)
		case d.extensible(b, p.By) == nil:
			d.extend(b, p.By)
		}
	}
}

// lapse takes the proposals away whose time is over.
func (d *draft) lapse(b Battle) {
	for _, p := range b.Proposals {
		if !d.now.Before(p.ExpiresAt) {
			d.add(ProposalLapsed{BattleID: b.ID, Subject: p.Subject})
		}
	}
}
