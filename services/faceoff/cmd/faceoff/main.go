// Command faceoff is the whole product in one binary.
package main

import (
	"os"

	"github.com/faceoff-live/faceoff/services/faceoff/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
