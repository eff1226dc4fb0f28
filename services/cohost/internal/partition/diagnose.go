package partition

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/diagnose"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// departWithin is how long the departure of a lost live may take: battle has its time, and is asked again if a writer ends.
const departWithin = 5 * time.Second

// Diagnose says how the log is on this replica, which invitations should have timed out, which hosts have been silent for longer
// than their stage lasts, and which lives whose hosts were lost have not departed.
func (p *Partition) Diagnose() *diagnosticsv1.Partition {
	d := diagnose.Partition(p.ledger.Status())
	var overdue []cohost.Invitation
	var gone []cohost.Live
	p.ledger.View(func() { overdue, gone = p.state.Overdue(d.GetNow().AsTime()), p.state.Gone() })
	var waiting []*diagnosticsv1.Waiting
	for _, i := range overdue {
		waiting = append(waiting, &diagnosticsv1.Waiting{
			Kind: diagnosticsv1.Waiting_INVITATION, Id: i.ID, Since: timestamppb.New(i.ExpiresAt),
			Detail: "from live " + i.Inviter.LiveID + " to live " + i.Invitee.LiveID,
		})
	}
	hosts, departures := p.late(gone, d.GetNow().AsTime())
	d.Waiting = slices.Concat(diagnose.Oldest(waiting), diagnose.Oldest(hosts), diagnose.Oldest(departures))
	return d
}

// late tells of hosts and departures for which it is time at log time now. Silence that a fault of ours made start anew lasts
// longer: that is told as well, for nothing but a fault can keep it so.
func (p *Partition) late(gone []cohost.Live, now time.Time) (hosts, departures []*diagnosticsv1.Waiting) {
	for _, live := range gone {
		at := live.Presence
		if due := at.Since.Add(p.leases.Settings().Last(at.Stage)); at.Stage > cohost.Present && due.Before(now) {
			hosts = append(hosts, &diagnosticsv1.Waiting{
				Kind: diagnosticsv1.Waiting_HOST, Id: live.ID, Since: timestamppb.New(due),
				Detail: fmt.Sprintf("%s since %s", stages[at.Stage], at.Since.Format(time.RFC3339)),
			})
		}
		if due := at.Since.Add(departWithin); at.Departs != "" && due.Before(now) {
			departures = append(departures, &diagnosticsv1.Waiting{
				Kind: diagnosticsv1.Waiting_DEPARTURE, Id: live.ID, Since: timestamppb.New(due), Detail: "from connection " + live.ConnectionID,
			})
		}
	}
	if p.ear.Cut() {
		return hosts, departures
	}
	for id, due := range p.leases.Overdue(time.Now()) {
		hosts = append(hosts, &diagnosticsv1.Waiting{
			Kind: diagnosticsv1.Waiting_HOST, Id: id, Since: timestamppb.New(due), Detail: "present, and silent",
		})
	}
	return hosts, departures
}

var stages = map[cohost.Stage]string{cohost.Unreachable: "unreachable", cohost.Lost: "lost"}
