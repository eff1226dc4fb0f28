// Package presence judges a saved run of hosts with a client process each: what the logs say of their presence against what the
// clients sent and were told, against what was done to them and to the replicas of cohost, and against the times that are
// published. It reads files and nothing else.
package presence

import (
	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// What the records of the history say is done, beside faults. The ID of those that are about a client is its live, Val a Client.
const (
	Load     = "hosts"    // who takes part: Scene
	Created  = "created"  // a live: Live
	Parted   = "parted"   // it is about to be taken out of its connection by the platform
	Started  = "started"  // a client is about to be started
	Killed   = "killed"   // it is about to be
	Frozen   = "frozen"   // it is about to be
	Thawed   = "thawed"   // it has been
	CutOff   = "cut-off"  // it is about to be
	Healed   = "healed"   // it can reach everything again
	Exited   = "exited"   // it has ended by itself
	Standing = "standing" // the harness was held up until now: Standstill
	Calm     = "calm"     // nothing is harmed any more
	Final    = "final"    // what is said of a live at the end, the record's ID: a Last
	Booked   = "booked"   // two lives that seemed free are connected and part; Err if not
	Over     = "over"     // clients are about to be ended
)

// Scene is how a run is set.
type Scene struct {
	Seed  uint64 `json:"seed"`
	Began int64  `json:"began"` // when T is 0, in ns since 1970
	Hosts int    `json:"hosts"`
	Times Times  `json:"times"`
}

// Times are the settings of presence, in ms.
type Times struct {
	Renew       int64 `json:"renew"`
	Unreachable int64 `json:"unreachable"`
	Grace       int64 `json:"grace"`
	End         int64 `json:"end"`
	Rejoin      int64 `json:"rejoin"`
}

// Live is a live that was created.
type Live struct {
	Host    int  `json:"host"`
	Backend bool `json:"backend,omitempty"` // that drives it alone: it has no client
}

// Client names the client of a live by its session.
type Client struct {
	Session string `json:"session"`
}

// Standstill is for how long nothing went on in the harness, in ms.
type Standstill struct {
	For int64 `json:"for"`
}

// Last is what is said of a live at the end.
type Last struct {
	Active     bool   `json:"active"`
	Connection string `json:"connection,omitempty"`
	State      int32  `json:"state,omitempty"`   // of presence
	Battles    int    `json:"battles,omitempty"` // that run, with the live in them
}

// Clients is the directory that has what each client wrote, in files that ClientFile names.
const Clients = "clients"

// ClientFile is the name of the file of a client.
func ClientFile(live, session string) string { return live + "." + session + ".jsonl" }

// Doors are all doors that signs of life can come by.
var Doors = []string{host.REST, host.GRPC, host.NATS}
