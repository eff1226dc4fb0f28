package e2e

import "testing"

// On a stack that does what it should nothing looks stuck, whatever the other tests do to it meanwhile.
func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	if err := demo(shared, "--duration", "1"); err != nil {
		t.Fatal(err)
	}
	out, code, err := faceoff("doctor", "--nats-url", shared.NATS, "--key", shared.Key, "--secret", shared.Secret)
	if err != nil || code != 0 {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
}
