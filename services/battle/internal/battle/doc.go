// Package battle decides battles: PKs between lives of one co-host connection, from the request to the settlement.
//
// A battle goes through these phases, and never back:
//
//	RequestBattle
//	  |
//	  v          one accepted, nobody left to answer; or no response needed
//	REQUESTED ------------------------------------------------------------> STARTING
//	  |                                                                       |  |
//	  | all said no or timed out, cancelled, parted                           |  | all lives open and starts_at reached
//	  |                                                                       |  v
//	  |                            not open in time, fewer than two sides left|  RUNNING
//	  |                                                                       |  |
//	  |                                                                       |  | ends_at reached, one side left, or ended early
//	  |                                                                       |  v
//	  |                                                                       |  SETTLING
//	  |                                                                       |  |
//	  v                                                                       v  v every live closed
//	ENDED <------------------------------------------------------------------ENDED
//
// An admin can void it until it has ENDED, from whatever phase. Then a punishment may follow, and the next round of a series,
// which is a battle of its own; neither changes what has ended.
//
// While a battle is REQUESTED, STARTING or RUNNING its members (those invited or joined) are lives of one connection, at
// every position of the log COHOST_00 that this log has recorded. A live is a member of at most one open battle, from
// the request on until it says no, exits, or the battle ends and no round is to follow.
//
// Every cell of phase x command is written down in services/battle/README.md and tested in table_test.go.
package battle
