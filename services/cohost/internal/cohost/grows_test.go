package cohost_test

import (
	"testing"

	"github.com/faceoff-live/faceoff/services/cohost/internal/cohost"
)

// Only what begins a live, an invitation or a connection adds to a log that is nearly full.
func TestGrows(t *testing.T) {
	t.Parallel()
	for c, grows := range map[cohost.Command]bool{
		cohost.CreateLive{}:            true,
		cohost.RequestHostConnection{}: true,
		cohost.AcceptHostConnection{}:  true,
		cohost.EndLive{}:               false,
		cohost.CancelHostConnection{}:  false,
		cohost.RejectHostConnection{}:  false,
		cohost.ExitHostConnection{}:    false,
		cohost.ExpireInvitation{}:      false,
		cohost.UpdateLive{}:            false,
		cohost.SetLayoutTemplate{}:     false,
		cohost.MuteRemoteHostAudio{}:   false,
	} {
		if cohost.Grows(c) != grows {
			t.Errorf("%T: %v", c, !grows)
		}
	}
}
