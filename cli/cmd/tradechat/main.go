// Command tradechat chats and moves money on a tradechat server.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tradechat.internal/cli/internal/cli"
	"tradechat.internal/liblog/program"
)

func main() {
	program.SurviveClosedPipes()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}))
}
