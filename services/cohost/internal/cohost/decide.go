package cohost

import (
	"fmt"
	"time"
)

// Decide implements es.Machine.
func (s *State) Decide(now time.Time, command Command) ([]Event, error) {
	switch c := command.(type) {
	case CreateLive:
		return s.createLive(c)
	case EndLive:
		return s.endLive(now, c)
	case UpdateLive:
		return s.updateLive(c)
	case RequestHostConnection:
		return s.request(now, c)
	case CancelHostConnection:
		return s.cancel(now, c)
	case AcceptHostConnection:
		return s.accept(now, c)
	case RejectHostConnection:
		return s.reject(now, c)
	case ExitHostConnection:
		return s.exit(c)
	case RejoinHostConnection:
		return s.rejoin(now, c)
	case SetLayoutTemplate:
		return s.setLayout(c)
	case MuteRemoteHostAudio:
		return s.mute(c)
	case ExpireInvitation:
		return s.expire(now, c)
	case AsHost:
		return s.asHost(now, c)
	case HearHost:
		return s.hear(now, c)
	case MissHost:
		return s.miss(now, c)
	case LeaveLost:
		return s.leaveLost(c), nil
	}
	panic(fmt.Sprintf("no rule for command %T", command))
}
