// Command score runs the score service alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/faceoff-live/faceoff/services/score"
)

func main() {
	if err := score.Main(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
