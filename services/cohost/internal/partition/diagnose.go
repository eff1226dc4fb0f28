package partition

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	diagnosticsv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/diagnostics/v1"

	"github.com/faceoff-live/faceoff/pkg/diagnose"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// Diagnose says how the log is on this replica, and which invitations should have timed out.
func (p *Partition) Diagnose() *diagnosticsv1.Partition {
	d := diagnose.Partition(p.ledger.Status())
	var overdue []cohost.Invitation
	p.ledger.View(func() { overdue = p.state.Overdue(d.GetNow().AsTime()) })
	var waiting []*diagnosticsv1.Waiting
	for _, i := range overdue {
		waiting = append(waiting, &diagnosticsv1.Waiting{
			Kind: diagnosticsv1.Waiting_INVITATION, Id: i.ID, Since: timestamppb.New(i.ExpiresAt),
			Detail: "from live " + i.Inviter.LiveID + " to live " + i.Invitee.LiveID,
		})
	}
	d.Waiting = diagnose.Oldest(waiting)
	return d
}
