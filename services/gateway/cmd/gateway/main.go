// Command gateway runs the gateway alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/faceoff-live/faceoff/services/gateway"
)

func main() {
	if err := gateway.Main(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
