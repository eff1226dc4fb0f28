package jetstream_test

import (
	"os"
	"testing"

	"github.com/faceoff-live/faceoff/pkg/natstest"
)

func TestMain(m *testing.M) { os.Exit(natstest.Main(m)) }
