package view

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

const (
	// chunk bounds the gifters of one script call: Redis does nothing else meanwhile.
	chunk = 500
	// batch bounds the script calls of one exchange.
	batch = 128
)

// HashKey is the hash of a battle: user_id of a host -> score.
func HashKey(battleID string) string { return "pk:{" + battleID + "}" }

// GiftersKey is the sorted set of a live's gifters in a battle.
func GiftersKey(battleID, liveID string) string { return HashKey(battleID) + ":gifters:" + liveID }

// SentinelKey is what vanishes together with the data of a partition.
func SentinelKey(partition int) string { return fmt.Sprintf("gen:{%02d}", partition) }

// write puts one row, or a part of its gifters, unless Redis has it from further on in the log: then it answers 0.
//
// Keys: the hash, then the sorted set of each live of the battle. Arguments: live, user, seq, index, total, status,
// running, place, generation, expiry in seconds, number of this live among the keys, number of lives, the lives, then points
// and user_id of each gifter. Totals stay strings: a number in Lua is exact only up to 2^53, which seq never reaches.
var write = redis.NewScript(`
local hash, live, status = KEYS[1], ARGV[1], ARGV[6]
local guard = redis.call('HGET', hash, '_seq:' .. live)
if guard then
  local s, i = string.match(guard, '^(%d+)%.(%d+)$')
  s, i = tonumber(s), tonumber(i)
  local seq, index = tonumber(ARGV[3]), tonumber(ARGV[4])
  if s and (s > seq or (s == seq and i > index)) then return 0 end
end
local lives = tonumber(ARGV[12])
local final = status == 'CLOSED' or status == 'VOID'
if status == 'CLOSED' then
  for n = 13, 12 + lives do
    if ARGV[n] ~= live then
      local other = redis.call('HGET', hash, '_status:' .. ARGV[n])
      if other ~= 'CLOSED' and other ~= 'VOID' then final = false end
    end
  end
end
redis.call('HSET', hash, ARGV[2], ARGV[5], '_seq:' .. live, ARGV[3] .. '.' .. ARGV[4], '_status:' .. live, status,
  '_seq', ARGV[8], '_gen', ARGV[9], '_status', final and status or ARGV[7])
for n = 13 + lives, #ARGV, 2 do
  redis.call('ZADD', KEYS[1 + tonumber(ARGV[11])], ARGV[n], ARGV[n + 1])
end
if final then
  for n = 1, #KEYS do redis.call('EXPIRE', KEYS[n], ARGV[10]) end
end
return 1
`)

// seal sets the sentinel if nothing has vanished since the writing began.
var seal = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`)

// errVanished says that data went away while everything was being written.
var errVanished = errors.New("the data vanished while it was written")

// writer writes for as long as this replica writes the partition.
type writer struct {
	*View
	// generation is this writer's value of the sentinel.
	generation string
}

// flush writes what has changed since the last flush. What could not be written stays marked. asked: there was something, so
// that Redis was asked to take it.
func (w *writer) flush(ctx context.Context) (asked bool, err error) {
	all, marks := w.take()
	switch {
	case all:
		err = w.rewrite(ctx)
	case len(marks) > 0:
		var left map[Key]map[string]struct{}
		if left, err = w.rows(ctx, marks); err == nil {
			w.giveBack(false, left)
		}
	}
	if err != nil {
		w.giveBack(all, marks)
	}
	return all || len(marks) > 0, err
}

// rewrite writes all rows, and last the sentinel.
func (w *writer) rewrite(ctx context.Context) error {
	writing := w.generation + " is being written"
	if err := w.call(ctx, func(ctx context.Context) error {
		return w.redis.Set(ctx, SentinelKey(w.number), writing, 0).Err()
	}); err != nil {
		return err
	}
	keys := w.source.Rows()
	marks := make(map[Key]map[string]struct{}, len(keys))
	for _, k := range keys {
		marks[k] = nil // all gifters
	}
	if _, err := w.rows(ctx, marks); err != nil {
		return err
	}
	return w.call(ctx, func(ctx context.Context) error {
		sealed, err := seal.Run(ctx, w.redis, []string{SentinelKey(w.number)}, writing, w.generation).Int()
		if err == nil && sealed == 0 {
			err = errVanished
		}
		return err
	})
}

// check compares the sentinel and marks everything when it is another. When it is not, it writes what else is gone.
func (w *writer) check(ctx context.Context) error {
	lost := make(map[Key]map[string]struct{})
	if err := w.call(ctx, func(ctx context.Context) error {
		found, err := w.redis.Get(ctx, SentinelKey(w.number)).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if found != w.generation {
			w.giveBack(true, nil)
			return nil
		}
		return w.look(ctx, lost)
	}); err != nil {
		return err
	}
	_, err := w.rows(ctx, lost)
	return err
}

// look adds to lost the open lives of which Redis has no score, or no gifters though there must be some.
func (w *writer) look(ctx context.Context, lost map[Key]map[string]struct{}) error {
	keys := w.source.Open(batch)
	scores, gifters := make([]*redis.BoolCmd, len(keys)), make([]*redis.IntCmd, len(keys))
	if _, err := w.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, k := range keys {
			scores[i] = p.HExists(ctx, HashKey(k.BattleID), "_seq:"+k.LiveID)
			if row, ok := w.source.Row(k, map[string]struct{}{}); ok && row.Total > 0 {
				gifters[i] = p.Exists(ctx, GiftersKey(k.BattleID, k.LiveID))
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for i, k := range keys {
		if !scores[i].Val() || gifters[i] != nil && gifters[i].Val() == 0 {
			lost[k] = nil // all gifters
		}
	}
	return nil
}

// rows writes rows. left are those that Redis has from further on in the log: another replica is ahead, and this one will
// be where it is soon, or stop writing.
func (w *writer) rows(ctx context.Context, marks map[Key]map[string]struct{}) (left map[Key]map[string]struct{}, err error) {
	var pending []call
	flush := func() error {
		refused, err := w.exchange(ctx, pending)
		for _, c := range refused {
			if left == nil {
				left = make(map[Key]map[string]struct{})
			}
			left[c.key] = marks[c.key]
		}
		pending = pending[:0]
		return err
	}
	for k, users := range marks {
		row, ok := w.source.Row(k, users)
		if !ok {
			continue
		}
		for _, c := range w.calls(row) {
			if pending = append(pending, c); len(pending) == batch {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	if len(pending) == 0 {
		return left, nil
	}
	return left, flush()
}

// call of the script write.
type call struct {
	key  Key
	keys []string
	args []any
}

// calls are the script calls that write a row, each with a part of its gifters.
func (w *writer) calls(r Row) []call {
	keys := []string{HashKey(r.BattleID)}
	own := 0
	for i, live := range r.Lives {
		keys = append(keys, GiftersKey(r.BattleID, live))
		if live == r.LiveID {
			own = i + 1
		}
	}
	head := []any{
		r.LiveID, r.UserID, strconv.FormatUint(r.Seq, 10), strconv.FormatUint(uint64(r.Index), 10), strconv.FormatInt(r.Total, 10),
		r.Status, r.Running, fmt.Sprintf("%02d:%d.%d", r.Partition, r.Seq, r.Index), w.generation, int64(w.expire.Seconds()),
		own, len(r.Lives),
	}
	for _, live := range r.Lives {
		head = append(head, live)
	}
	head = head[:len(head):len(head)]
	var calls []call
	args := head
	for user, points := range r.Gifters {
		if args = append(args, strconv.FormatInt(points, 10), user); len(args) == len(head)+2*chunk {
			calls = append(calls, call{key: r.Key, keys: keys, args: args})
			args = head
		}
	}
	if len(args) > len(head) || len(calls) == 0 {
		calls = append(calls, call{key: r.Key, keys: keys, args: args})
	}
	return calls
}

// exchange sends calls in one go and returns those that Redis answered 0.
func (w *writer) exchange(ctx context.Context, calls []call) (refused []call, err error) {
	err = w.call(ctx, func(ctx context.Context) error {
		refused, err = w.send(ctx, calls)
		if !redis.HasErrorPrefix(err, "NOSCRIPT") {
			return err
		}
		if err := write.Load(ctx, w.redis).Err(); err != nil {
			return err
		}
		refused, err = w.send(ctx, calls)
		return err
	})
	return refused, err
}

func (w *writer) send(ctx context.Context, calls []call) (refused []call, err error) {
	answers := make([]*redis.Cmd, len(calls))
	_, err = w.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, c := range calls {
			answers[i] = write.EvalSha(ctx, p, c.keys, c.args...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		n, err := a.Int()
		if err != nil {
			return nil, err
		}
		if n == 0 {
			refused = append(refused, calls[i])
		}
	}
	return refused, nil
}

func (w *writer) call(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return f(ctx)
}
