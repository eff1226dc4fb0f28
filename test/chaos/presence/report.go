package presence

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/faceoff-live/faceoff/test/chaos/host"
)

// Report is what is said of a run.
type Report struct {
	Violations []string
	Found      map[class]int

	Hosts, Lives, Signs, Answered      int
	Kills, Freezes, Cuts, Devices      int
	Faults, Takeovers, Standstills     int
	Rejoined, Fighting, Refused        int // back in the connection, and in the battle; not, for a reason
	Told, Superseded, Doubtful, Booked int
	// Unordered is how often a connection was left before the battle, which had not answered in time.
	Unordered int
	// Behind is how many signs of life of an older device a replica has answered that had not read of the newer one yet.
	Behind int

	decisions map[string]map[decision]int // by cause
	spans     map[took][]time.Duration
}

// took tells times of detection apart.
type took struct {
	what      decision
	restarted bool // by a fault of ours
}

func newReport() *Report {
	return &Report{Found: make(map[class]int), decisions: make(map[string]map[decision]int), spans: make(map[took][]time.Duration)}
}

// Green reports whether nothing was found.
func (r *Report) Green() bool { return len(r.Violations) == 0 }

func (r *Report) decided(cause string, what decision) {
	if r.decisions[cause] == nil {
		r.decisions[cause] = make(map[decision]int)
	}
	r.decisions[cause][what]++
}

func (r *Report) took(what decision, d int64, restarted bool) {
	at := took{what, restarted}
	r.spans[at] = append(r.spans[at], time.Duration(d))
}

func (r *run) count(in input) {
	r.Hosts, r.Lives, r.Faults, r.Takeovers = r.scene.Hosts, len(r.created), len(r.faults), max(0, len(in.writing)-1)
	r.Booked = len(r.booked)
	for _, x := range in.records {
		switch x.F {
		case Standing:
			r.Standstills++
		case Frozen:
			r.Freezes++
		case CutOff:
			r.Cuts++
		}
	}
	for _, clients := range r.clients {
		for i, c := range clients {
			if i > 0 && clients[i-1].to > c.from {
				r.Devices++
			}
			if slices.ContainsFunc(c.harms, func(h harm) bool { return h.kind == kill }) {
				r.Kills++
			}
			for _, l := range c.lines {
				switch {
				case l.Kind == host.Sign:
					r.Signs++
				case l.Kind == host.Answer && l.Reason == "":
					r.Answered++
				}
			}
		}
	}
}

// told is how many findings are written out.
const told = 30

// Tell writes what was found, the decisions by cause, the times of detection, and a last line of JSON.
func (r *Report) Tell(out io.Writer) {
	for i, text := range r.Violations {
		if i == told {
			fmt.Fprintf(out, "  … and %d more\n", len(r.Violations)-told)
			break
		}
		fmt.Fprintf(out, "  %s\n", text)
	}
	fmt.Fprintf(out, "\n%-34s %12s %6s %6s\n", "silence because of", unreachable, lost, ended)
	decided := 0
	for _, cause := range []string{kill, freeze, cut, unanswered} {
		d := r.decisions[cause]
		decided += d[unreachable] + d[lost] + d[ended]
		fmt.Fprintf(out, "%-34s %12d %6d %6d\n", cause, d[unreachable], d[lost], d[ended])
	}
	fmt.Fprintf(out, "\n%-34s %12s %6s %6s %6s\n", "from the last sign of life, ms", "decisions", "p50", "p99", "max")
	for _, at := range []took{{unreachable, false}, {unreachable, true}, {lost, false}, {lost, true}} {
		how := string(at.what)
		if at.restarted {
			how += ", counted anew for our own faults"
		}
		p50, p99, most := spread(r.spans[at])
		fmt.Fprintf(out, "%-34s %12d %6d %6d %6d\n", how, len(r.spans[at]), p50, p99, most)
	}
	fmt.Fprintln(out)
	_ = json.NewEncoder(out).Encode(r.result(decided))
}

// spread is the median, the 99th percentile and the most, in ms; 0 of none.
func spread(all []time.Duration) (p50, p99, most int64) {
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	at := func(p int) int64 { return all[(len(all)*p+99)/100-1].Milliseconds() }
	return at(50), at(99), all[len(all)-1].Milliseconds()
}

// result is the last line.
type result struct {
	Hosts       int `json:"hosts"`
	Lives       int `json:"lives"`
	Signs       int `json:"signs"`
	Answered    int `json:"answered"`
	Kills       int `json:"kills"`
	Freezes     int `json:"freezes"`
	Cuts        int `json:"cuts"`
	Devices     int `json:"devices"`
	Superseded  int `json:"superseded"`
	Faults      int `json:"replica_faults"`
	Takeovers   int `json:"takeovers"`
	Standstills int `json:"standstills"`
	Decisions   int `json:"decisions"`
	Told        int `json:"told"`
	Rejoined    int `json:"rejoined"`
	Fighting    int `json:"in_battle_again"`
	Refused     int `json:"rejoin_refused"`
	Unordered   int `json:"connection_left_first"`
	Doubtful    int `json:"doubtful_signs"`
	Behind      int `json:"older_device_answered"`
	Booked      int `json:"booked"`

	Unexplained int `json:"unexplained"`
	LostAlive   int `json:"lost_alive"`
	Stuck       int `json:"stuck"`
	Violations  int `json:"violations"`

	UnreachableP50 int64 `json:"unreachable_ms_p50"`
	UnreachableP99 int64 `json:"unreachable_ms_p99"`
	LostP50        int64 `json:"lost_ms_p50"`
	LostP99        int64 `json:"lost_ms_p99"`
}

func (r *Report) result(decisions int) result {
	up50, up99, _ := spread(r.spans[took{unreachable, false}])
	lp50, lp99, _ := spread(r.spans[took{lost, false}])
	others := len(r.Violations) - r.Found[unexplained] - r.Found[lostAlive] - r.Found[stuck]
	return result{
		Hosts: r.Hosts, Lives: r.Lives, Signs: r.Signs, Answered: r.Answered, Kills: r.Kills, Freezes: r.Freezes, Cuts: r.Cuts,
		Devices: r.Devices, Superseded: r.Superseded, Faults: r.Faults, Takeovers: r.Takeovers, Standstills: r.Standstills,
		Decisions: decisions, Told: r.Told, Rejoined: r.Rejoined, Fighting: r.Fighting, Refused: r.Refused, Unordered: r.Unordered,
		Doubtful: r.Doubtful, Behind: r.Behind, Booked: r.Booked,
		Unexplained: r.Found[unexplained], LostAlive: r.Found[lostAlive], Stuck: r.Found[stuck], Violations: others,
		UnreachableP50: up50, UnreachableP99: up99, LostP50: lp50, LostP99: lp99,
	}
}
