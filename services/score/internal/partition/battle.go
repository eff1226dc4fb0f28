package partition

import (
	"context"
	"time"

	battlev1 "github.com/faceoff-live/faceoff/proto/gen/faceoff/battle/v1"

	"github.com/faceoff-live/faceoff/pkg/ledger"
	"github.com/faceoff-live/faceoff/services/score/internal/codec"
	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// What can follow from a fact for one live, in bytes of the log, at most: ten gifters with names and pictures. Facts of
// one group are read by several commands when more could follow from them than a command may yield.
const (
	closeBytes   = 10 << 10
	commandBytes = 96 << 10
)

// Groups that do not concern the partition leave no trace in its log, but for the position once it is so many groups
// behind, at most that often: whoever writes next reads on from there.
const (
	recordBehind = 256
	recordEvery  = time.Second
)

// followBattle reads the battle service's log from where the partition's own log says on.
func (p *Partition) followBattle(ctx context.Context) error {
	var read score.Position
	p.View(func(s *score.State, _ Place) { read = s.Read() })
	after := read.Sequence
	if read.Entries > 0 {
		after-- // the rest of that group is still to be read
	}
	recorded, at := after, time.Now()
	return p.feed.Run(ctx, after, func(ctx context.Context, g ledger.Group[*battlev1.Entry]) error {
		late := g.Seq >= recorded+recordBehind && time.Since(at) >= recordEvery
		some, err := p.readBattle(ctx, g, late)
		if some && err == nil {
			recorded, at = g.Seq, time.Now()
		}
		return err
	})
}

// readBattle has the partition decide what follows from a group of the battle service's log. some: it has recorded the
// group, because it concerns the partition, or because the position is to be recorded anyway.
func (p *Partition) readBattle(ctx context.Context, g ledger.Group[*battlev1.Entry], anyway bool) (some bool, err error) {
	commands, err := p.reading(g)
	if err != nil {
		// An entry that this version does not know may open or close lives: going on could miscount.
		p.fault(err)
		return false, err
	}
	if len(commands) == 0 && anyway {
		commands = []score.ReadBattle{{Position: score.Position{Sequence: g.Seq}}}
	}
	for _, c := range commands {
		if _, err := p.ledger.Submit(ctx, ledger.Command[score.Command]{Body: c}); err != nil {
			p.cfg.Log.Warn("battle's log not read", "log", p.cfg.Name, "group", g.Seq, "error", err)
			return false, err
		}
	}
	return len(commands) > 0, nil
}

// reading turns a group into commands, none if it does not concern the partition.
func (p *Partition) reading(g ledger.Group[*battlev1.Entry]) (commands []score.ReadBattle, err error) {
	p.View(func(s *score.State, _ Place) {
		var next score.ReadBattle
		size := 0
		starting := make(map[string]int) // lives of this partition in battles that start in this group
		read := s.Read()
		for i, e := range g.Events {
			if g.Seq == read.Sequence && uint32(i) < read.Entries {
				continue
			}
			var fact score.Fact
			if fact, err = codec.ToFact(e.Event); err != nil {
				return
			}
			bytes := p.concern(s, fact, starting)
			if bytes == 0 {
				continue
			}
			if size > 0 && size+bytes > commandBytes {
				next.Position = score.Position{Sequence: g.Seq, Entries: uint32(i)}
				commands = append(commands, next)
				next, size = score.ReadBattle{}, 0
			}
			next.Facts = append(next.Facts, fact)
			size += bytes
		}
		if size > 0 {
			next.Position = score.Position{Sequence: g.Seq}
			commands = append(commands, next)
		}
	})
	return commands, err
}

// concern estimates how many bytes can follow from a fact here; 0 if it does not concern the partition.
func (p *Partition) concern(s *score.State, fact score.Fact, starting map[string]int) int {
	owns := func(live string) bool {
		return score.Partition(live, p.cfg.Settings.Partitions) == p.cfg.Settings.Partition
	}
	lives := func(battle string) int {
		if b := s.Battle(battle); b != nil && s.Pending(battle) {
			return starting[battle] + len(b.Rooms)
		}
		return starting[battle]
	}
	switch f := fact.(type) {
	case score.BattleStarting:
		own, bytes := 0, 100
		for _, x := range f.Participants {
			bytes += 20 + len(x.LiveID) + len(x.Host.ID) + len(x.Host.Name) + len(x.Host.AvatarURL)
			if owns(x.LiveID) {
				own++
			}
		}
		starting[f.BattleID] = own
		return own * bytes
	case score.BattleRuns:
		return lives(f.BattleID) * 120
	case score.BattleExtended:
		return lives(f.BattleID) * 120
	case score.UserRejoined:
		if owns(f.LiveID) {
			return 120
		}
		return 0
	case score.UserExited:
		if owns(f.LiveID) {
			return closeBytes
		}
		return 0
	case score.TotalRecorded:
		if owns(f.LiveID) {
			return lives(f.BattleID) * 120
		}
		return 0
	case score.BattleEnding:
		return lives(f.BattleID) * closeBytes
	case score.BattleEnded:
		return lives(f.BattleID) * closeBytes
	default:
		return 0
	}
}
