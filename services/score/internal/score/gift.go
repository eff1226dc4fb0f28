package score

import "time"

// User is a member of the audience or a host, as the platform knows it.
type User struct {
	ID, Name, AvatarURL string
}

// Category says which rule gives a gift its points. The values are those of faceoff.score.v1.GiftEvent.Category.
type Category uint8

// Categories of gifts.
const (
	CategoryUnspecified Category = iota
	Basic
	Intermediate
	Advanced
	Special
	Like
)

// Gift is one well-formed gift event of a live; internal/gift makes it.
type Gift struct {
	EventID    string
	Sender     User
	GiftID     string
	Category   Category
	UnitValue  int64 // 0 to 10^12
	Count      int64 // 1 to 10^6
	FixedScore int64 // 0 to 10^12
	// SentAt by the sender's clock, in whole milliseconds, UTC.
	SentAt time.Time
	// Hash of what makes the gift what it is; another hash under the same id is another gift.
	Hash uint64
}

// Verdict is what became of a gift event. The values are those of faceoff.score.v1.GiftVerdict.Verdict.
type Verdict uint8

// Verdicts. Duplicate and NoBattle are only answered, never kept.
const (
	VerdictUnspecified Verdict = iota
	Counted
	Duplicate
	Late
	NoBattle
	Rejected
)

// Reason says why a gift was rejected.
type Reason uint8

// Reasons of a rejection.
const (
	NoReason Reason = iota
	TooOld
	SentAhead
	Overflow
)

// String returns the name of the faceoff.errors.v1.Reason.
func (r Reason) String() string {
	switch r {
	case TooOld:
		return "TOO_OLD"
	case SentAhead:
		return "INVALID_ARGUMENT"
	case Overflow:
		return "OVERFLOW"
	default:
		return ""
	}
}

// ReasonOf is the way back from String.
func ReasonOf(name string) Reason {
	for r := TooOld; r <= Overflow; r++ {
		if r.String() == name {
			return r
		}
	}
	return NoReason
}

// Rules give points to gifts.
type Rules interface {
	// Version is what a battle pins, like default@1.
	Version() string
	// Points of a gift, at least 0; false if they do not fit an int64.
	Points(Gift) (int64, bool)
}

// RuleBook finds the rules of a version; "" stands for the default. Versions never change and never go away.
type RuleBook func(version string) (Rules, bool)
