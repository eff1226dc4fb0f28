// Package score is the domain of one score partition: which gifts count, for which battle, and what a live's total is
// when it closes.
//
// A partition decides for the lives that hash to it. The battle service's log tells it when a live opens and closes; the
// markers it writes (LiveOpened, LiveClosed) stand in the same log as the gifts, so order alone decides what counts. The
// table of states and events is in the service's README; table_test.go tests each cell.
//
// Where things are decided: gifts in decide_gift.go, opening and closing in decide_battle.go, closes that wait for their
// time in timers.go.
package score
