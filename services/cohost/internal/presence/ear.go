package presence

import (
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	cohostv1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/cohost/v1"
)

// maxSigns is how many signs of life may wait to be taken; if there are more, some have been missed.
const maxSigns = 65_536

// Ear passes signs of life to all replicas, and hears theirs. It also hears itself: a replica that does
// not is cut off, whatever its connection says.
type Ear struct {
	carrier Carrier // nil: there is one replica
	signs   string  // subject
	echo    string  // subject of what this replica says to itself

	heard    chan *nats.Msg
	missed   int       // as last seen
	began    time.Time // which echoes are counted from
	echoed   time.Time // when it said what it has heard of itself last
	cut      atomic.Bool
	settings Settings
}

// NewEar makes an Ear for the replicas of a log; self is this one's name. carrier may be nil.
func NewEar(carrier Carrier, log, self string, s Settings) *Ear {
	return &Ear{
		carrier: carrier, signs: "presence." + log + ".sign", echo: "presence." + log + ".echo." + self,
		heard: make(chan *nats.Msg, maxSigns), settings: s, began: time.Now(),
	}
}

// Open begins to hear.
func (e *Ear) Open(ctx context.Context) error {
	if e.carrier == nil {
		return nil
	}
	return e.carrier.Listen(ctx, e.heard, e.signs, e.echo)
}

// Heard is what has come in; see Take.
func (e *Ear) Heard() <-chan *nats.Msg { return e.heard }

// Take reads a message as a sign of life; ok is false if it is none.
func (e *Ear) Take(m *nats.Msg, now time.Time) (live, session string, ok bool) {
	if m.Subject == e.echo {
		after, n := binary.Varint(m.Data)
		if said := e.began.Add(time.Duration(after)); n > 0 && said.After(e.echoed) && !said.After(now) {
			e.echoed = said // not now: what was said after it may still be under way
		}
		return "", "", false
	}
	sign := new(cohostv1.HeartbeatRequest)
	if proto.Unmarshal(m.Data, sign) != nil || sign.GetLiveId() == "" {
		return "", "", false
	}
	return sign.GetLiveId(), sign.GetSessionId(), true
}

// Say passes a sign of life to all replicas. The error says that it has not reached them.
func (e *Ear) Say(live, session string) error {
	if e.carrier == nil {
		return nil
	}
	b, err := proto.Marshal(&cohostv1.HeartbeatRequest{LiveId: live, SessionId: session})
	if err != nil {
		return err
	}
	return e.carrier.Publish(e.signs, b)
}

// Cut reports whether this replica is cut off from the others, as far as it knows.
func (e *Ear) Cut() bool { return e.cut.Load() }

// Rest says that nobody is listened for.
func (e *Ear) Rest(now time.Time) {
	e.echoed = now
	e.cut.Store(false)
}

// Whole reports whether nothing can have been missed since it was asked last, and says something to itself for the next
// time. It, Rest and Take are for one goroutine.
func (e *Ear) Whole(now time.Time) bool {
	if e.carrier == nil {
		return true
	}
	err := e.carrier.Publish(e.echo, binary.AppendVarint(nil, int64(now.Sub(e.began)))) // also while cut off: it is by its return that the end of that is heard
	cut := err != nil || now.Sub(e.echoed) > e.settings.Deaf()
	e.cut.Store(cut)
	missed := e.carrier.Missed()
	whole := !cut && missed == e.missed
	e.missed = missed
	return whole
}
