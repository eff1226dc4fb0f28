// Package partition runs the score partitions: each a ledger of its own, fed from the battle service's log, with a door
// for gifts in front.
//
// count.go takes gifts to verdicts, park.go keeps those that came past the end waiting for the close, battle.go reads the
// battle service's log, scores.go and watch.go tell the scores.
package partition
