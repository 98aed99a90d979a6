package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"tradechat.internal/client"
)

// Logging in, and moving money.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cfg := client.DefaultConfig()
	cfg.Address = "127.0.0.1:7878"
	c, err := client.Dial(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Login(ctx, "alice", "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}

	bob, _, err := c.LookupUser(ctx, "bob")
	if err != nil {
		log.Fatal(err)
	}
	posting, err := c.Transfer(ctx, bob, 12_50)
	switch {
	case errors.Is(err, client.ErrOutcomeUnknown):
		log.Fatal("ask TxnStatus or look at the history before doing it again: ", err)
	case errors.Is(err, client.ErrInsufficientFunds):
		log.Fatal("not enough money")
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("left:", posting.BalanceMinor)
}

// Following a room for as long as the client lives, over losses of the connection too.
func ExampleClient_Pushes() {
	ctx := context.Background()
	c, err := client.Dial(ctx, client.DefaultConfig())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Login(ctx, "alice", "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}
	if _, err := c.JoinRoom(ctx, 1, 20); err != nil {
		log.Fatal(err)
	}
	for push := range c.Pushes() {
		switch p := push.(type) {
		case *client.ChatMessage:
			fmt.Printf("%s: %q\n", p.From, p.Text)
		case *client.Gap:
			missed, err := c.HistoryBetween(ctx, p.RoomID, p.FirstSeq, p.LastSeq)
			fmt.Println("missed:", len(missed), err)
		}
	}
	log.Fatal(c.Err())
}

// Many transfers at once: calls that are made together travel together.
func ExampleClient_TransferBatch() {
	ctx := context.Background()
	c, err := client.Dial(ctx, client.DefaultConfig())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Login(ctx, "alice", "correct horse battery staple"); err != nil {
		log.Fatal(err)
	}
	balance, results, err := c.TransferBatch(ctx, []client.Leg{{ToUserID: 2, AmountMinor: 5}, {ToUserID: 3, AmountMinor: 7}})
	if err != nil {
		log.Fatal(err)
	}
	for i, r := range results {
		fmt.Println("leg", i, "transaction", r.TxnID, r.Err)
	}
	fmt.Println("left:", balance)
}

// An account for somebody, made on the server's own machine.
func ExampleDialAdmin() {
	ctx := context.Background()
	c, err := client.Dial(ctx, client.DefaultConfig()) // for what the server salts passwords with
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	keys, err := c.Server().DeriveKeys("bob", "a password of bob's")
	if err != nil {
		log.Fatal(err)
	}
	admin, err := client.DialAdmin(ctx, "tradechat-data")
	if err != nil {
		log.Fatal(err)
	}
	defer admin.Close()
	id, err := admin.AddUser(ctx, "bob", keys, 100_00)
	fmt.Println(id, err)
}
