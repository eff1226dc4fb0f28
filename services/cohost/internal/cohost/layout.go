package cohost

import (
	"math"

	"github.com/faceoff-live/faceoff/pkg/es"
)

// template is a layout of the shared view: which lives it is for, and how many of them it shows. Where it puts them is
// for media to compute.
type template struct {
	kind  Kind
	seats int
}

// templates are the layouts by name. The first three are the reference product's numbers 600, 601 and 400; 602 and 603
// have no name there, so hostDynamicFloat (one live large, as many small ones over it as there are others) and
// hostFixedFloat (the small ones keep their places) are ours, as are their seats. hostVoiceConnection is 2.
var templates = map[string]template{
	"hostDynamicGrid":               {Video, 9},
	"hostDynamic1v6":                {Video, 7},
	"HostVideoLandscapeFixed2Seats": {Video, 2},
	"hostDynamicFloat":              {Video, 7},
	"hostFixedFloat":                {Video, 7},
	"hostVoiceConnection":           {Voice, 9},
}

// layoutOr is the layout of a shared view, by default the kind's own.
func layoutOr(layout string, kind Kind) string {
	switch {
	case layout != "":
		return layout
	case kind == Voice:
		return "hostVoiceConnection"
	default:
		return "hostDynamicGrid"
	}
}

// layoutFits refuses a layout that is not for lives of this kind.
func layoutFits(layout string, live Live) error {
	t, ok := templates[layout]
	if !ok {
		return es.Invalid("layout_template", "there is no layout %s", layout)
	}
	if t.kind != live.Kind {
		return layoutMismatch(layout, live.ID)
	}
	return nil
}

// seats of a layout. One that is not known, from the log of another version, has any number.
func seats(layout string) int {
	if t, ok := templates[layout]; ok {
		return t.seats
	}
	return math.MaxInt
}
