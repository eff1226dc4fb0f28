// Command battle runs the battle service alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/faceoff-live/faceoff/services/battle"
)

func main() {
	if err := battle.Main(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
