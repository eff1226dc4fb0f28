// Command cohost runs the cohost service alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/faceoff-live/faceoff/services/cohost"
)

func main() {
	if err := cohost.Main(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
