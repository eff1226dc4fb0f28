package cohost_test

import "github.com/faceoff-live/faceoff/services/cohost/internal/cohost"

func exitRows() []row {
	exit := cohost.ExitHostConnection{LiveID: "a"}
	two := given(lives("a", "b"), connected("x", "a", "b"))
	return []row{
		{Name: "exit of two dissolves", Given: two, When: exit, Then: dissolved("x", "a", "b")},
		{Name: "exit of two by the other", Given: two, When: cohost.ExitHostConnection{LiveID: "b"}, Then: dissolved("x", "b", "a")},
		{
			Name:  "exit of three: the rest go on",
			Given: given(lives("a", "b", "c"), connected("x", "a", "b", "c")), When: exit,
			Then: []cohost.Event{left("x", "a", cohost.LeftExited)},
		},
		{
			Name:  "the last two of three",
			Given: given(lives("a", "b", "c"), connected("x", "a", "b", "c"), []cohost.Event{left("x", "c", cohost.LeftExited)}), When: exit,
			Then: dissolved("x", "a", "b"),
		},
		{Name: "exit without a connection", Given: lives("a"), When: exit, Reason: "CONNECTION_NOT_FOUND"},
		{Name: "exit after the other has left", Given: given(two, dissolved("x", "b", "a")), When: exit, Reason: "CONNECTION_NOT_FOUND"},
		{Name: "exit of a live that does not exist", When: exit, Reason: "LIVE_NOT_FOUND"},
	}
}
