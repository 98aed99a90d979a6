package faultproxy

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"
)

// patience bounds what a test waits for.
const patience = 10 * time.Second

// echo is a server that answers every byte with itself.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return listener.Addr().String()
}

func start(t *testing.T, server string) *Proxy {
	t.Helper()
	p, err := Start(server, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func dial(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// through sends a text and wants it back.
func through(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("%q, %v", got, err)
	}
}

// rest is what still comes until the connection ends.
func rest(t *testing.T, c net.Conn) int {
	t.Helper()
	n, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("it is not ended")
	}
	return int(n)
}

func TestWhatGoesThroughIsWhole(t *testing.T) {
	p := start(t, echo(t))
	through(t, dial(t, p), "hello")
	p.SetServer(echo(t))
	through(t, dial(t, p), "again")
}

func TestACutConnectionEnds(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	through(t, c, "hello")
	if n := p.Cut(1); n != 1 {
		t.Fatalf("%d are cut", n)
	}
	flood := make([]byte, 4*cutWithinBytes)
	_, _ = c.Write(flood) // it may be cut already
	if n := rest(t, c); n > cutWithinBytes {
		t.Errorf("%d bytes came after it was cut", n)
	}
	through(t, dial(t, p), "a new one works")
}

func TestADroppedConnectionIsSilentAndEnds(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	through(t, c, "hello")
	begin := time.Now()
	if n := p.Drop(1, 200*time.Millisecond); n != 1 {
		t.Fatalf("%d are dropped", n)
	}
	if _, err := io.WriteString(c, "into the void"); err != nil {
		t.Fatal(err)
	}
	if n := rest(t, c); n != 0 || time.Since(begin) < 200*time.Millisecond {
		t.Errorf("%d bytes came, and it ended after %v", n, time.Since(begin))
	}
}

func TestDelay(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	through(t, c, "hello")
	p.Delay(100 * time.Millisecond)
	begin := time.Now()
	through(t, c, "slow")
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("there and back in %v", took)
	}
	p.Delay(0)
	through(t, c, "fast")
}

func TestTurnAway(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	through(t, c, "hello")
	p.TurnAway(patience)
	if n := rest(t, dial(t, p)); n != 0 {
		t.Errorf("%d bytes", n)
	}
	through(t, c, "who is in stays in")
	p.TurnAway(0)
	through(t, dial(t, p), "open again")
}

func TestAServerThatIsGoneEndsTheClient(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	p := start(t, gone.Addr().String())
	if n := rest(t, dial(t, p)); n != 0 {
		t.Errorf("%d bytes from nobody", n)
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	p := start(t, echo(t))
	c := dial(t, p)
	through(t, c, "hello")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if n := rest(t, c); n != 0 {
		t.Errorf("%d bytes", n)
	}
}
