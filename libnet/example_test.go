package libnet_test

import (
	"context"
	"fmt"
	"time"

	"tradechat.internal/libnet"
)

// A supervisor listens for two worker slots; a worker turns its socket into a listener; a client dials with backoff.
func Example() {
	sockets, addr, err := libnet.ListenGroup("127.0.0.1:0", 2, libnet.ListenOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range sockets {
		defer s.Close()
	}

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := libnet.Dialer{}.Dial(ctx, "tcp", addr.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(len(sockets), "sockets share one port:", conn.RemoteAddr().String() == addr.String())
	// Output: 2 sockets share one port: true
}

func ExampleEventFD() {
	event, err := libnet.NewEventFD()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer event.Close()
	_ = event.Signal()
	_ = event.Signal()
	n, _ := event.Drain()
	fmt.Println(n)
	// Output: 2
}

func ExampleBackoff() {
	backoff := libnet.Backoff{Base: 100 * time.Millisecond, Cap: time.Second}
	for range 10 {
		if wait := backoff.Next(); wait < 0 || wait >= time.Second {
			fmt.Println("outside the cap:", wait)
		}
	}
	fmt.Println("ten waits below the cap")
	// Output: ten waits below the cap
}
