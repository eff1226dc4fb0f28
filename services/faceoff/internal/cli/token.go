package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/faceoff-live/faceoff/pkg/auth"
)

type tokenCommands struct {
	Create tokenCreate `cmd:"" help:"Print an access token."`
}

type tokenCreate struct {
	Key    string        `help:"API key." required:"" env:"FACEOFF_KEY"`
	Secret string        `help:"Its secret." required:"" env:"FACEOFF_SECRET"`
	User   string        `help:"The user_id that the token is for." required:""`
	Live   string        `help:"The live that it is for; '*' for admin and service." required:""`
	Role   string        `help:"host, audience, admin or service." enum:"host,audience,admin,service" required:""`
	TTL    time.Duration `name:"ttl" help:"How long it is valid, at most 24h." default:"1h"`
}

// Run prints the token.
func (c tokenCreate) Run(out io.Writer) error {
	p := auth.Principal{User: c.User, Live: c.Live, Role: auth.Role(c.Role)}
	token, err := auth.Sign(c.Key, c.Secret, p, c.TTL, time.Now())
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprintln(out, token)
	return err
}
