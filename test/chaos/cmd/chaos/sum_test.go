//go:build linux

package main

import (
	"testing"

	"github.com/faceoff-live/faceoff/test/chaos/call"
	"github.com/faceoff-live/faceoff/test/chaos/check"
	sim "github.com/faceoff-live/faceoff/test/sim/check"
)

// A run of enough rounds in which a command was never acknowledged fails; a shorter one may lack some.
func TestUnacked(t *testing.T) {
	t.Parallel()
	all := map[sim.Kind]int{}
	for _, kind := range call.Commands {
		all[kind] = 1
	}
	full, none := &round{report: check.Report{Acks: all}}, &round{}
	s := new(sum)
	for range enough - 1 {
		s.add(none)
	}
	if !s.green() {
		t.Errorf("too short a run fails: %v", s.unacked())
	}
	s.add(none)
	if never := s.unacked(); s.green() || len(never) != len(call.Commands) {
		t.Errorf("only %v are never acknowledged", never)
	}
	if s.add(full); !s.green() {
		t.Errorf("%v are never acknowledged", s.unacked())
	}
}
