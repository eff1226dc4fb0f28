// Package rules holds the rule sets that give points to gifts, as data. A version never changes once released: battles
// pin one, and a replay asks for it years later.
package rules

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/faceoff-live/faceoff/services/score/internal/score"
)

// Default is the version for battles that name none.
const Default = "default@1"

// Set is one version of a rule set.
type Set struct {
	ID     string
	Number int
	// Rules by category; a category without one scores nothing.
	Rules map[score.Category]Rule
}

// Rule of a category: points for each gift, either Factor times its value, or its own fixed score.
type Rule struct {
	Factor int64
	Fixed  bool
}

var sets = []Set{
	{ID: "default", Number: 1, Rules: map[score.Category]Rule{
		score.Basic:        {Factor: 5},
		score.Intermediate: {Factor: 8},
		score.Advanced:     {Factor: 12},
		score.Special:      {Fixed: true},
		score.Like:         {Factor: 1},
	}},
}

// Book finds a version by its name, id@number; "" stands for Default. It is a score.RuleBook.
func Book(version string) (score.Rules, bool) {
	if version == "" {
		version = Default
	}
	r, ok := book[version]
	return r, ok
}

var book = compile(sets)

// compiled is a Set made fast to ask.
type compiled struct {
	version string
	rules   [score.Like + 1]Rule
}

func compile(sets []Set) map[string]score.Rules {
	book := make(map[string]score.Rules, len(sets))
	for _, s := range sets {
		c := &compiled{version: fmt.Sprintf("%s@%d", s.ID, s.Number)}
		for category, rule := range s.Rules {
			c.rules[category] = rule
		}
		book[c.version] = c
	}
	return book
}

// Version implements score.Rules.
func (c *compiled) Version() string { return c.version }

// Points implements score.Rules.
func (c *compiled) Points(g score.Gift) (int64, bool) {
	rule := c.rules[g.Category]
	each, ok := g.FixedScore, true
	if !rule.Fixed {
		each, ok = multiply(g.UnitValue, rule.Factor)
	}
	if !ok {
		return 0, false
	}
	return multiply(each, g.Count)
}

// multiply multiplies numbers that are not negative; false if the product does not fit.
func multiply(a, b int64) (int64, bool) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	return int64(low), true
}
