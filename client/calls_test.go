package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

// timeNs is a time of the wire, at its time.
const timeNs = 1_700_000_000_123_456_789

var at = time.Unix(0, timeNs)

// typedCalls is every call of a logged-in client: what it sends, what it is answered, and what it makes of that.
var typedCalls = []struct {
	op       libproto.Opcode
	request  libproto.Body
	response libproto.Body
	call     func(context.Context, *client.Client) (any, error)
	want     any
}{
	{
		libproto.OpJoinRoom, &libproto.JoinRoomRequest{RoomID: 3, ReplayCount: 9},
		libproto.JoinRoomResponse{LastSeq: 12, MemberCount: 4},
		func(ctx context.Context, c *client.Client) (any, error) { return c.JoinRoom(ctx, 3, 9) },
		client.Membership{LastSeq: 12, Members: 4},
	}, {
		libproto.OpLeaveRoom, &libproto.LeaveRoomRequest{RoomID: 3}, libproto.Empty{},
		func(ctx context.Context, c *client.Client) (any, error) { return nil, c.LeaveRoom(ctx, 3) },
		nil,
	}, {
		libproto.OpChatSend, &libproto.ChatSendRequest{RoomID: 3, Message: []byte("hi")},
		libproto.ChatSendResponse{RoomSeq: 5, TimeNs: timeNs},
		func(ctx context.Context, c *client.Client) (any, error) { return c.SendChat(ctx, 3, "hi") },
		client.Sent{Seq: 5, Time: at},
	}, {
		libproto.OpRoomOpen, &libproto.RoomOpenRequest{Name: []byte("den")},
		libproto.RoomOpenResponse{RoomID: 8, Created: true},
		func(ctx context.Context, c *client.Client) (any, error) {
			id, created, err := c.OpenRoom(ctx, "den")
			return []any{id, created}, err
		},
		[]any{uint32(8), true},
	}, {
		libproto.OpRoomList, &libproto.RoomListRequest{AfterRoomID: 7, RowsMax: 2},
		libproto.RoomListResponse{Rooms: []libproto.RoomInfo{{RoomID: 8, Name: []byte("den"), MemberCount: 1, LastSeq: 2}}},
		func(ctx context.Context, c *client.Client) (any, error) { return c.Rooms(ctx, 7, 2) },
		[]client.Room{{ID: 8, Name: "den", Members: 1, LastSeq: 2}},
	}, {
		libproto.OpRoomHistory, &libproto.RoomHistoryRequest{RoomID: 3, BeforeSeq: 6, RowsMax: 1},
		libproto.RoomHistoryResponse{Messages: []libproto.RoomMessage{
			{RoomSeq: 5, TimeNs: timeNs, FromUserID: 2, FromName: []byte("bob"), Message: []byte("hi")},
		}},
		func(ctx context.Context, c *client.Client) (any, error) { return c.RoomHistory(ctx, 3, 6, 1) },
		[]*client.ChatMessage{{RoomID: 3, Seq: 5, Time: at, Replay: true, FromUserID: 2, From: "bob", Text: "hi"}},
	}, {
		libproto.OpDirectSend, &libproto.DirectSendRequest{ToUsername: []byte("bob"), Message: []byte("hi")},
		libproto.DirectSendResponse{SessionsReached: 2, TimeNs: timeNs},
		func(ctx context.Context, c *client.Client) (any, error) {
			reached, when, err := c.SendDirect(ctx, "bob", "hi")
			return []any{reached, when}, err
		},
		[]any{2, at},
	}, {
		libproto.OpWho, &libproto.WhoRequest{RoomID: 3, AfterUserID: 1, RowsMax: 5},
		libproto.WhoResponse{Users: []libproto.UserInfo{{UserID: 2, Username: []byte("bob")}}},
		func(ctx context.Context, c *client.Client) (any, error) { return c.Who(ctx, 3, 1, 5) },
		[]client.User{{ID: 2, Name: "bob"}},
	}, {
		libproto.OpUserLookup, &libproto.UserLookupRequest{Username: []byte("bob")},
		libproto.UserLookupResponse{UserID: 2, Online: true},
		func(ctx context.Context, c *client.Client) (any, error) {
			id, online, err := c.LookupUser(ctx, "bob")
			return []any{id, online}, err
		},
		[]any{uint32(2), true},
	}, {
		libproto.OpDeposit, &libproto.DepositRequest{Amount: 1250}, libproto.DepositResponse{Balance: 2000, TxnID: 7},
		func(ctx context.Context, c *client.Client) (any, error) { return c.Deposit(ctx, 1250) },
		client.Posting{BalanceMinor: 2000, TxnID: 7},
	}, {
		libproto.OpWithdraw, &libproto.WithdrawRequest{Amount: 1}, libproto.WithdrawResponse{Balance: 0, TxnID: 8},
		func(ctx context.Context, c *client.Client) (any, error) { return c.Withdraw(ctx, 1) },
		client.Posting{TxnID: 8},
	}, {
		libproto.OpTransfer, &libproto.TransferRequest{ToUserID: 2, Amount: libproto.AmountMax},
		libproto.TransferResponse{Balance: 3, TxnID: 9},
		func(ctx context.Context, c *client.Client) (any, error) {
			return c.Transfer(ctx, 2, libproto.AmountMax)
		},
		client.Posting{BalanceMinor: 3, TxnID: 9},
	}, {
		libproto.OpBalance, &libproto.Empty{}, libproto.BalanceResponse{Balance: 2000, LastTxnID: 7},
		func(ctx context.Context, c *client.Client) (any, error) { return c.Balance(ctx) },
		client.Balance{Minor: 2000, LastTxnID: 7},
	}, {
		libproto.OpTxnHistory, &libproto.TxnHistoryRequest{BeforeTxnID: 9, RowsMax: 3},
		libproto.TxnHistoryResponse{Txns: []libproto.TxnInfo{
			{TxnID: 8, TimeNs: timeNs, Kind: libproto.TxnTransferOut, PeerUserID: 2, Delta: -5, BalanceAfter: 1},
		}},
		func(ctx context.Context, c *client.Client) (any, error) { return c.TxnHistory(ctx, 9, 3) },
		[]client.Txn{{ID: 8, Time: at, Kind: libproto.TxnTransferOut, PeerUserID: 2, DeltaMinor: -5, BalanceAfterMinor: 1}},
	}, {
		libproto.OpTransferBatch, &libproto.TransferBatchRequest{Legs: []libproto.TransferLeg{{ToUserID: 2, Amount: 5}, {ToUserID: 3, Amount: 6}}},
		libproto.TransferBatchResponse{Balance: 7, Results: []libproto.LegResult{{TxnID: 4}, {Status: libproto.StatusNotFound}}},
		func(ctx context.Context, c *client.Client) (any, error) {
			balance, results, err := c.TransferBatch(ctx, []client.Leg{{ToUserID: 2, AmountMinor: 5}, {ToUserID: 3, AmountMinor: 6}})
			return []any{balance, results}, err
		},
		[]any{int64(7), []client.LegResult{
			{TxnID: 4},
			{Err: &client.StatusError{Op: libproto.OpTransferBatch, Status: libproto.StatusNotFound}},
		}},
	}, {
		libproto.OpTxnStatus, &libproto.TxnStatusRequest{SessionID: 5, ReqID: 6},
		libproto.TxnStatusResponse{Outcome: libproto.TxnApplied, TxnID: 3, BalanceAfter: 2},
		func(ctx context.Context, c *client.Client) (any, error) { return c.TxnStatus(ctx, 5, 6) },
		client.TxnOutcome{Outcome: libproto.TxnApplied, TxnID: 3, BalanceAfterMinor: 2},
	},
}

func TestTypedCalls(t *testing.T) {
	for _, split := range []bool{false, true} {
		p := peertest.Listen(t)
		c, conn := logIn(t, p)
		conn.Split.Store(split)
		for _, tt := range typedCalls {
			t.Run(fmt.Sprintf("%v split=%v", tt.op, split), func(t *testing.T) {
				asked := make(chan libproto.Body, 1)
				p.Handle(tt.op, func(conn *peertest.Conn, f libproto.Frame) {
					asked <- decoded(t, f)
					conn.Reply(f, tt.response)
				})
				got, err := tt.call(testContext(t), c)
				if err != nil {
					t.Fatal(err)
				}
				wantEqual(t, "request", <-asked, tt.request)
				wantEqual(t, "result", got, tt.want)
			})
		}
	}
}

// TestEveryStatus lets the server refuse with each status in turn; errors.Is and errors.As must tell them apart.
func TestEveryStatus(t *testing.T) {
	sentinels := map[libproto.Status]error{
		libproto.StatusBadPacket:         client.ErrBadPacket,
		libproto.StatusChecksumFail:      client.ErrChecksumFail,
		libproto.StatusUnauthorized:      client.ErrUnauthorized,
		libproto.StatusNotFound:          client.ErrNotFound,
		libproto.StatusInsufficientFunds: client.ErrInsufficientFunds,
		libproto.StatusServerBusy:        client.ErrServerBusy,
		libproto.StatusTimeout:           client.ErrTimeout,
		libproto.StatusUnsupported:       client.ErrUnsupported,
		libproto.StatusInvalidArgument:   client.ErrInvalidArgument,
		libproto.StatusAlreadyExists:     client.ErrAlreadyExists,
		libproto.StatusLimit:             client.ErrLimit,
		libproto.StatusExpired:           client.ErrExpired,
		libproto.StatusReadOnly:          client.ErrReadOnly,
		libproto.StatusInternal:          client.ErrInternal,
	}
	wantEqual(t, "sentinels", len(sentinels), libproto.StatusCount-1)
	p := peertest.Listen(t)
	c, _ := logIn(t, p, func(cfg *client.Config) { cfg.TriesMax = 1 })
	for status := libproto.Status(1); status <= libproto.StatusCount; status++ {
		p.Handle(libproto.OpWithdraw, func(conn *peertest.Conn, f libproto.Frame) { conn.Refuse(f, status, 7, "why") })
		_, err := c.Withdraw(testContext(t), 1)
		for other, sentinel := range sentinels {
			if got, want := errors.Is(err, sentinel), other == status; got != want {
				t.Errorf("status %v: errors.Is(%v, %v) = %v", status, err, sentinel, got)
			}
		}
		if got := errors.Is(err, client.ErrOutcomeUnknown); got != (status == libproto.StatusTimeout) {
			t.Errorf("status %v: outcome unknown: %v", status, got)
		}
		wantEqual(t, "error", statusError(err), &client.StatusError{
			Op:         libproto.OpWithdraw,
			Status:     status,
			RetryAfter: 7 * time.Millisecond,
			Detail:     "why",
		})
		if !strings.Contains(err.Error(), status.String()) || !strings.Contains(err.Error(), "WITHDRAW") {
			t.Errorf("%v does not name the status %v and the call", err, status)
		}
	}
}

// TestRefusedBeforeItIsSent: what the server would refuse, or could not be encoded, never leaves.
func TestRefusedBeforeItIsSent(t *testing.T) {
	p := peertest.Listen(t)
	c, _ := logIn(t, p)
	ctx := testContext(t)
	long := strings.Repeat("x", 4097)
	for name, call := range map[string]func() error{
		"deposit 0":           func() error { _, err := c.Deposit(ctx, 0); return err },
		"withdraw too much":   func() error { _, err := c.Withdraw(ctx, 1<<63); return err },
		"transfer 0":          func() error { _, err := c.Transfer(ctx, 2, 0); return err },
		"no legs":             func() error { _, _, err := c.TransferBatch(ctx, nil); return err },
		"too many legs":       func() error { _, _, err := c.TransferBatch(ctx, make([]client.Leg, 1025)); return err },
		"leg of 0":            func() error { _, _, err := c.TransferBatch(ctx, make([]client.Leg, 1)); return err },
		"room name":           func() error { _, _, err := c.OpenRoom(ctx, "a b"); return err },
		"find room":           func() error { _, err := c.FindRoom(ctx, ""); return err },
		"user name":           func() error { _, _, err := c.LookupUser(ctx, strings.Repeat("x", 33)); return err },
		"direct to whom":      func() error { _, _, err := c.SendDirect(ctx, "", "hi"); return err },
		"direct without text": func() error { _, _, err := c.SendDirect(ctx, "bob", ""); return err },
		"empty message":       func() error { _, err := c.SendChat(ctx, 1, ""); return err },
		"long message":        func() error { _, err := c.SendChat(ctx, 1, long); return err },
		"not UTF-8":           func() error { _, err := c.SendChat(ctx, 1, "\xff"); return err },
		"NUL":                 func() error { _, err := c.SendChat(ctx, 1, "a\x00b"); return err },
	} {
		err := call()
		wantIs(t, err, client.ErrInvalidArgument)
		if statusError(err) != nil {
			t.Errorf("%s: the server was asked: %v", name, err)
		}
	}
}

func TestBodyOverTheServersLimitIsNotSent(t *testing.T) {
	p := peertest.Listen(t)
	p.SetHello(func(r *libproto.HelloResponse) { r.BodyLenMax = 1024 })
	p.Answer(libproto.OpBalance, libproto.BalanceResponse{Balance: 1})
	c, _ := logIn(t, p)
	_, err := c.SendChat(testContext(t), 1, strings.Repeat("x", 1100))
	wantIs(t, err, client.ErrInvalidArgument)
	if _, err := c.Balance(testContext(t)); err != nil {
		t.Errorf("the call after it: %v", err)
	}
}

func TestBatchWithAWrongNumberOfResults(t *testing.T) {
	p := peertest.Listen(t)
	p.Answer(libproto.OpTransferBatch, libproto.TransferBatchResponse{})
	c, _ := logIn(t, p)
	_, _, err := c.TransferBatch(testContext(t), []client.Leg{{ToUserID: 2, AmountMinor: 5}})
	wantIs(t, err, client.ErrProtocol, client.ErrOutcomeUnknown)
}

// listPeer serves ROOM_LIST, WHO, TXN_HISTORY and ROOM_HISTORY of n rows each, at most perPage at a time.
func listPeer(t *testing.T, n uint64, perPage int) *peertest.Peer {
	p := peertest.Listen(t)
	up := func(after uint64) (ids []uint64) {
		for id := after + 1; id <= n && len(ids) < perPage; id++ {
			ids = append(ids, id)
		}
		return ids
	}
	down := func(before uint64, rowsMax int) (ids []uint64) {
		if before == 0 || before > n {
			before = n + 1
		}
		for id := before - 1; id > 0 && len(ids) < min(perPage, rowsMax); id-- {
			ids = append(ids, id)
		}
		return ids
	}
	p.Handle(libproto.OpRoomList, func(c *peertest.Conn, f libproto.Frame) {
		var r libproto.RoomListResponse
		for _, id := range up(uint64(decoded(t, f).(*libproto.RoomListRequest).AfterRoomID)) {
			r.Rooms = append(r.Rooms, libproto.RoomInfo{RoomID: uint32(id), Name: fmt.Appendf(nil, "room%d", id)})
		}
		c.Reply(f, r)
	})
	p.Handle(libproto.OpWho, func(c *peertest.Conn, f libproto.Frame) {
		var r libproto.WhoResponse
		for _, id := range up(uint64(decoded(t, f).(*libproto.WhoRequest).AfterUserID)) {
			r.Users = append(r.Users, libproto.UserInfo{UserID: uint32(id), Username: fmt.Appendf(nil, "user%d", id)})
		}
		c.Reply(f, r)
	})
	p.Handle(libproto.OpTxnHistory, func(c *peertest.Conn, f libproto.Frame) {
		var r libproto.TxnHistoryResponse
		req := decoded(t, f).(*libproto.TxnHistoryRequest)
		for _, id := range down(req.BeforeTxnID, int(req.RowsMax)) {
			r.Txns = append(r.Txns, libproto.TxnInfo{TxnID: id})
		}
		c.Reply(f, r)
	})
	p.Handle(libproto.OpRoomHistory, func(c *peertest.Conn, f libproto.Frame) {
		var r libproto.RoomHistoryResponse
		req := decoded(t, f).(*libproto.RoomHistoryRequest)
		for _, seq := range down(req.BeforeSeq, int(req.RowsMax)) {
			r.Messages = append(r.Messages, libproto.RoomMessage{RoomSeq: seq})
		}
		slices.Reverse(r.Messages)
		c.Reply(f, r)
	})
	return p
}

func TestListsGoOverPages(t *testing.T) {
	const rows = 23
	for _, perPage := range []int{1, 5, 22, 23, 24} {
		c, _ := logIn(t, listPeer(t, rows, perPage))
		ctx := testContext(t)
		var rooms, users, txns []uint64
		for r, err := range c.AllRooms(ctx) {
			rooms = append(rooms, uint64(r.ID))
			wantEqual(t, "error", err, nil)
		}
		for u, err := range c.Everybody(ctx, 0) {
			users = append(users, uint64(u.ID))
			wantEqual(t, "error", err, nil)
		}
		for x, err := range c.AllTxns(ctx) {
			txns = append(txns, x.ID)
			wantEqual(t, "error", err, nil)
		}
		slices.Reverse(txns)
		for what, got := range map[string][]uint64{"rooms": rooms, "users": users, "txns": txns} {
			wantEqual(t, what, got, sequence(1, rows))
		}
		room, err := c.FindRoom(ctx, "room23")
		wantEqual(t, "FindRoom", []any{room.ID, err}, []any{uint32(23), nil})
		_, err = c.FindRoom(ctx, "room24")
		wantIs(t, err, client.ErrNotFound)
	}
}

func TestHistoryBetween(t *testing.T) {
	c, _ := logIn(t, listPeer(t, 40, 7))
	for _, tt := range []struct{ first, last, wantLast uint64 }{
		{1, 40, 40}, {5, 5, 5}, {1, 1, 1}, {3, 30, 30}, {39, 60, 40}, {41, 50, 40}, {10, 9, 9}, {1, 1<<64 - 1, 0},
	} {
		got, err := c.HistoryBetween(testContext(t), 1, tt.first, tt.last)
		if err != nil {
			t.Fatal(err)
		}
		var seqs []uint64
		for _, m := range got {
			seqs = append(seqs, m.Seq)
		}
		wantEqual(t, fmt.Sprintf("%d … %d", tt.first, tt.last), seqs, sequence(tt.first, tt.wantLast))
	}
}

func TestListThatDoesNotGoOnEnds(t *testing.T) {
	p := peertest.Listen(t)
	p.Answer(libproto.OpRoomList, libproto.RoomListResponse{Rooms: []libproto.RoomInfo{{RoomID: 3}}})
	p.Answer(libproto.OpRoomHistory, libproto.RoomHistoryResponse{Messages: []libproto.RoomMessage{{RoomSeq: 99}}})
	c, _ := logIn(t, p)
	var last error
	for _, err := range c.AllRooms(testContext(t)) {
		last = err
	}
	wantIs(t, last, client.ErrProtocol)
	_, err := c.HistoryBetween(testContext(t), 1, 1, 10)
	wantIs(t, err, client.ErrProtocol)
}

// sequence is first … last, nil if that is nothing.
func sequence(first, last uint64) (s []uint64) {
	for i := first; i <= last; i++ {
		s = append(s, i)
	}
	return s
}
