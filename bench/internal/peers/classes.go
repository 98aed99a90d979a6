package peers

import (
	"context"
	"fmt"
	"slices"

	"tradechat.internal/testkit/proc"
)

// class is what is compared with each other. The first contender is tradechat.
type class struct {
	name       string
	key        string // in CSV and JSON
	unit       string // what is counted
	together   bool   // a fan-out: one connection speaks, all are answered
	durable    bool   // it writes to the disk
	contenders []contender
}

// contender is one server in one mode.
type contender struct {
	peer  string // the name of what it is, as in Options.Only; "" is tradechat
	name  string
	start func(ctx context.Context) (rival, error)
}

// classes are all that there are.
func classes(binaries proc.Binaries, o Options) []class {
	own := func(durability string, room bool) contender {
		return contender{name: "tradechat --durability " + durability, start: func(ctx context.Context) (rival, error) {
			return startTradechat(ctx, binaries, o, durability, room)
		}}
	}
	redis := func(fsync string) contender {
		return contender{Redis, "Redis, transfer in Lua, appendfsync " + fsync, func(ctx context.Context) (rival, error) {
			return startRedis(ctx, fsync, false)
		}}
	}
	postgres := func(commit string) contender {
		return contender{Postgres, "PostgreSQL, synchronous_commit " + commit, func(ctx context.Context) (rival, error) {
			return startPostgres(ctx, o, commit)
		}}
	}
	nats := func(name string, room bool) contender {
		return contender{NATS, name, func(ctx context.Context) (rival, error) { return startNATS(ctx, room) }}
	}
	members := fmt.Sprintf("%d members", o.Subscribers)
	room := own("none", true)
	room.name = "tradechat, a room of " + members
	return []class{
		{name: "transfers, on disk before the answer", key: "on-disk", unit: "request", durable: true,
			contenders: []contender{own("sync", false), redis(fsyncAlways), postgres("on")}},
		{name: "transfers, on disk soon after the answer", key: "soon-on-disk", unit: "request", durable: true,
			contenders: []contender{own("async", false), redis(fsyncEverySec), postgres("off")}},
		{name: "requests that wait for no disk", key: "in-memory", unit: "request",
			contenders: []contender{
				own("none", false),
				{Redis, "Redis, transfer in Lua, no file", func(ctx context.Context) (rival, error) { return startRedis(ctx, noFile, false) }},
				{Redis, "Redis, GET, for scale", func(ctx context.Context) (rival, error) { return startRedis(ctx, noFile, true) }},
				nats("NATS, request and reply of an empty service", false),
				{Echo, "a bare gnet echo", func(ctx context.Context) (rival, error) { return startGnetEcho(ctx, o) }},
				{Echo, "a bare epoll echo in C", func(ctx context.Context) (rival, error) { return startCEcho(ctx) }},
			}},
		{name: fmt.Sprintf("fan-out of messages of %d bytes", messageBytes), key: "fan-out", unit: "delivery", together: true,
			contenders: []contender{room, nats("NATS, a subject of "+members, true)}},
	}
}

// chosen leaves out what is not to be compared; a class without a rival has nothing to say.
func chosen(all []class, only []string) (list []class) {
	for _, c := range all {
		c.contenders = slices.DeleteFunc(c.contenders, func(one contender) bool {
			return one.peer != "" && !slices.Contains(only, one.peer)
		})
		if len(c.contenders) > 1 {
			list = append(list, c)
		}
	}
	return list
}
