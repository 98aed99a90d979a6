package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/proof/internal/roomcheck"
	"tradechat.internal/testkit/clock"
	"tradechat.internal/testkit/server"
)

// chat is the load of messages.
type chat struct {
	rooms    []uint32
	chatters []*chatter
	readers  sync.WaitGroup

	mu   sync.Mutex
	sent []roomcheck.Sent

	counts chatCounts
	faults problems
}

// chatCounts are read while the load runs.
type chatCounts struct {
	acked, unknown, noEffect, delivered, resumed, anew atomic.Int64
}

// openChat logs the clients in and has them join all rooms.
func openChat(ctx context.Context, address string, users []server.User, random *rand.Rand) (*chat, error) {
	h := &chat{}
	for i, u := range users {
		c, err := logIn(ctx, clientConfig(address), u)
		if err != nil {
			h.close()
			return nil, err
		}
		one := &chatter{chat: h, client: c, name: u.Name, random: rand.New(rand.NewPCG(random.Uint64(), uint64(i)))}
		h.chatters = append(h.chatters, one)
		if err := one.join(ctx); err != nil {
			h.close()
			return nil, err
		}
	}
	for _, one := range h.chatters {
		h.readers.Go(one.read)
	}
	return h, nil
}

// close ends the clients; what they were told is whole after it.
func (h *chat) close() {
	for _, one := range h.chatters {
		_ = one.client.Close()
	}
	h.readers.Wait()
}

// work sends messages until stop is closed.
func (h *chat) work(ctx context.Context, stop <-chan struct{}) {
	var all sync.WaitGroup
	for _, one := range h.chatters {
		all.Go(func() { one.talk(ctx, stop) })
	}
	all.Wait()
}

func (h *chat) note(s roomcheck.Sent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, s)
}

// history is what was sent and what was told, without the lives of the server.
func (h *chat) history() *roomcheck.History {
	made := &roomcheck.History{Sent: h.sent}
	for _, one := range h.chatters {
		for i, room := range h.rooms {
			made.Members = append(made.Members, roomcheck.Member{Name: one.name, Room: room, Events: one.events[i]})
		}
	}
	return made
}

// settle waits until all members are back, sends a message to each room, and waits until all have it. Before the load a member
// is so given something to go on from; after it, all that came before.
func (h *chat) settle(ctx context.Context) {
	for _, one := range h.chatters {
		err := insist(ctx, one.client, func(ctx context.Context) error {
			_, err := one.client.Who(ctx, 0, 0, 1) // works when the rooms have been joined again
			return err
		})
		if err != nil {
			h.faults.note("%s: not back when all was well again: %v", one.name, err)
		}
	}
	for i, room := range h.rooms {
		one := h.chatters[i%len(h.chatters)]
		var last client.Sent
		err := insist(ctx, one.client, func(ctx context.Context) (err error) {
			last, err = one.send(ctx, room)
			return err
		})
		if err != nil {
			h.faults.note("%s: a message for all to room %d: %v", one.name, room, err)
			continue
		}
		h.awaitAll(ctx, i, last)
	}
}

func (h *chat) awaitAll(ctx context.Context, room int, last client.Sent) {
	ctx, cancel := context.WithTimeout(ctx, deliveredMax)
	defer cancel()
	for _, one := range h.chatters {
		if !one.await(ctx, room, last.Time.UnixNano()) {
			h.faults.note("%s did not get message %d, which is for all, in room %d within %v", one.name, last.Seq, h.rooms[room],
				deliveredMax)
		}
	}
}

// chatter is one client that chats.
type chatter struct {
	chat   *chat
	client *client.Client
	name   string
	random *rand.Rand
	number int // of messages

	mu       sync.Mutex
	events   [roomCount][]roomcheck.Event
	latest   [roomCount]int64 // time of the latest message
	progress chan struct{}    // closed, and replaced, when latest changes
}

// join opens the rooms, if nobody did before, and joins them.
func (c *chatter) join(ctx context.Context) error {
	c.progress = make(chan struct{})
	for i := range roomCount {
		room := uint32(libproto.LobbyRoomID)
		var err error
		if i > 0 {
			room, _, err = c.client.OpenRoom(ctx, fmt.Sprintf("drill-%d", i))
		}
		var m client.Membership
		if err == nil {
			m, err = c.client.JoinRoom(ctx, room, 0)
		}
		if err != nil {
			return fmt.Errorf("chaos: %s: room %d: %w", c.name, i, err)
		}
		if len(c.chat.rooms) == i {
			c.chat.rooms = append(c.chat.rooms, room)
		}
		c.tell(i, roomcheck.Event{Kind: roomcheck.Joined, Last: m.LastSeq})
	}
	return nil
}

func (c *chatter) talk(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if clock.Sleep(ctx, upTo(c.random, chatPauseMost)) != nil || c.client.Err() != nil {
			return
		}
		_, err := c.send(ctx, c.chat.rooms[c.random.IntN(roomCount)])
		if err != nil && !errors.Is(err, client.ErrOutcomeUnknown) && !hadNoEffect(err) && ctx.Err() == nil {
			c.chat.faults.note("%s: a message was refused: %v", c.name, err)
		}
	}
}

// send sends a message that nobody has sent before, and notes what became of it.
func (c *chatter) send(ctx context.Context, room uint32) (client.Sent, error) {
	c.number++
	text := fmt.Sprintf("%s %d", c.name, c.number)
	sent, err := c.client.SendChat(ctx, room, text)
	counts := &c.chat.counts
	switch {
	case err == nil:
		counts.acked.Add(1)
		c.chat.note(roomcheck.Sent{Room: room, Text: text, Acked: true, Seq: sent.Seq, Time: sent.Time.UnixNano()})
	case errors.Is(err, client.ErrOutcomeUnknown):
		counts.unknown.Add(1)
		c.chat.note(roomcheck.Sent{Room: room, Text: text})
	default:
		counts.noEffect.Add(1)
	}
	return sent, err
}

// read takes what the client is told until it ends.
func (c *chatter) read() {
	counts := &c.chat.counts
	for push := range c.client.Pushes() {
		switch p := push.(type) {
		case *client.ChatMessage:
			counts.delivered.Add(1)
			c.hear(p.RoomID, roomcheck.Event{Kind: roomcheck.Message, First: p.Seq, Time: p.Time.UnixNano(), Text: p.Text})
		case *client.Gap:
			c.hear(p.RoomID, roomcheck.Event{Kind: roomcheck.Gap, First: p.FirstSeq, Last: p.LastSeq})
		case *client.RoomReset:
			c.hear(p.RoomID, roomcheck.Event{Kind: roomcheck.Reset, Last: p.LastSeq})
		case *client.RoomLost:
			c.chat.faults.note("%s: room %d could not be joined again: %v", c.name, p.RoomID, p.Err)
		case *client.Reconnected:
			if p.Resumed {
				counts.resumed.Add(1)
			} else {
				counts.anew.Add(1)
			}
		}
	}
	if err := c.client.Err(); err != nil && !errors.Is(err, client.ErrClosed) {
		c.chat.faults.note("%s did not come back: %v", c.name, err)
	}
}

// hear notes an event of a room that the client is in.
func (c *chatter) hear(room uint32, e roomcheck.Event) {
	for i, known := range c.chat.rooms {
		if known == room {
			c.tell(i, e)
			return
		}
	}
	c.chat.faults.note("%s: told of room %d, which it is not in", c.name, room)
}

func (c *chatter) tell(room int, e roomcheck.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events[room] = append(c.events[room], e)
	c.latest[room] = max(c.latest[room], e.Time)
	close(c.progress)
	c.progress = make(chan struct{})
}

// await returns when the client has got a message of that time, or false when the context ends.
func (c *chatter) await(ctx context.Context, room int, at int64) bool {
	for {
		c.mu.Lock()
		latest, progress := c.latest[room], c.progress
		c.mu.Unlock()
		if latest >= at {
			return true
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return false
		}
	}
}
