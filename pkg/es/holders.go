package es

import "slices"

// pastHolders is how many holders before the current one are known. One that was replaced hears so the next time it says anything, so it
// would have to keep silent through as many others to be taken for a new one.
const pastHolders = 32

// Holders keep a device or a tab that was replaced from acting any more: of those that have held one thing, one after another, they are
// the current one and those before it. Values are never changed, only replaced.
type Holders struct {
	// Current is empty before the first.
	Current string
	// Fence counts the holders.
	Fence int64
	// Past are those before, the latest last.
	Past []string
}

// After returns the holders once another one has taken over.
func (h Holders) After(holder string, fence int64) Holders {
	if h.Current != "" {
		from := max(0, len(h.Past)+1-pastHolders)
		h.Past = append(slices.Clone(h.Past[from:]), h.Current)
	}
	h.Current, h.Fence = holder, fence
	return h
}

// Superseded reports whether another one has taken over from this one.
func (h Holders) Superseded(holder string) bool { return slices.Contains(h.Past, holder) }
