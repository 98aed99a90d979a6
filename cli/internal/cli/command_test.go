package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"tradechat.internal/client"
	"tradechat.internal/liblog/program"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

func TestRegister(t *testing.T) {
	b := newBed(t)
	b.env["TRADECHAT_USER"] = ""
	b.wantRun("bob is registered as user 2\n", "register", "bob")
	b.wantRun(`{"user":"carol","user_id":3}`+"\n", "register", "--user", "carol", "--json")
	b.wantFailure(program.ExitFailed, []string{"ERR_ALREADY_EXISTS", "the name is taken: choose another"}, "register", "bob")
	b.refuse(libproto.OpRegister, libproto.StatusUnauthorized, "closed")
	b.wantFailure(program.ExitFailed, []string{"ERR_UNAUTHORIZED: closed", "admin user-add"}, "register", "dave")
}

func TestTrading(t *testing.T) {
	b := newBed(t)
	b.expect(libproto.OpDeposit, libproto.DepositRequest{Amount: 1250}, libproto.DepositResponse{Balance: 101250, TxnID: 7})
	b.wantRun("deposited 12.50, balance 1012.50 (transaction 7)\n", "deposit", "12.50")
	b.wantRun(`{"amount_minor":1250,"balance_minor":101250,"txn_id":7}`+"\n", "--json", "deposit", "12.50")

	b.expect(libproto.OpWithdraw, libproto.WithdrawRequest{Amount: 1200}, libproto.WithdrawResponse{TxnID: 8})
	b.wantRun("withdrew 12.00, balance 0.00 (transaction 8)\n", "withdraw", "12")

	b.expect(libproto.OpUserLookup, libproto.UserLookupRequest{Username: []byte("bob")}, libproto.UserLookupResponse{UserID: 2})
	b.expect(libproto.OpTransfer, libproto.TransferRequest{ToUserID: 2, Amount: libproto.AmountMax}, libproto.TransferResponse{Balance: 1, TxnID: 9})
	b.wantRun("transferred 92233720368547758.07 to bob, balance 0.01 (transaction 9)\n", "transfer", "bob", "92233720368547758.07")
	b.wantRun(`{"to":"bob","to_user_id":2,"amount_minor":9223372036854775807,"balance_minor":1,"txn_id":9}`+"\n",
		"transfer", "bob", "92233720368547758.07", "--json")

	b.expect(libproto.OpBalance, libproto.Empty{}, libproto.BalanceResponse{Balance: 12345, LastTxnID: 9})
	b.wantRun("123.45\n", "balance")
	b.wantRun(`{"balance_minor":12345,"last_txn_id":9}`+"\n", "balance", "--json")
}

func TestHistory(t *testing.T) {
	b := newBed(t)
	b.peer.Answer(libproto.OpTxnHistory, libproto.TxnHistoryResponse{})
	b.wantRun("no transactions\n", "history")
	b.wantRun(`{"transactions":[]}`+"\n", "history", "--json")

	rows := []libproto.TxnInfo{
		{TxnID: 12, TimeNs: timeNs, Kind: libproto.TxnTransferOut, PeerUserID: 2, Delta: -1250, BalanceAfter: 100000},
		{TxnID: 9, TimeNs: timeNs, Kind: libproto.TxnDeposit, Delta: 101250, BalanceAfter: 101250},
	}
	b.peer.Handle(libproto.OpTxnHistory, func(c *peertest.Conn, f libproto.Frame) { // one row a page
		var req libproto.TxnHistoryRequest
		if err := req.Decode(f.Body); err != nil {
			t.Error(err)
		}
		i := slices.IndexFunc(rows, func(r libproto.TxnInfo) bool { return req.BeforeTxnID == 0 || r.TxnID < req.BeforeTxnID })
		if i < 0 {
			c.Reply(f, libproto.TxnHistoryResponse{})
			return
		}
		c.Reply(f, libproto.TxnHistoryResponse{Txns: rows[i : i+1]})
	})
	when := strings.Replace(timeText[:19], "T", " ", 1)
	b.wantRun(""+
		"TXN  TIME                 KIND            AMOUNT  BALANCE  OTHER USER\n"+
		" 12  "+when+"  transfer out    -12.50  1000.00          #2\n"+
		"  9  "+when+"  deposit       +1012.50  1012.50\n", "history")
	b.wantRun(`{"transactions":[{"txn_id":12,"time":"`+timeText+`","kind":"transfer out","peer_user_id":2,`+
		`"delta_minor":-1250,"balance_after_minor":100000}]}`+"\n", "history", "--limit", "1", "--json")
}

// answerOnce answers a list with body, and its second page with nothing.
func (b *bed) answerOnce(op libproto.Opcode, body, none libproto.Body) {
	answered := false
	b.peer.Handle(op, func(c *peertest.Conn, f libproto.Frame) {
		if answered = !answered; answered {
			c.Reply(f, body)
			return
		}
		c.Reply(f, none)
	})
}

func TestRoomsAndWho(t *testing.T) {
	b := newBed(t)
	b.answerOnce(libproto.OpRoomList, libproto.RoomListResponse{Rooms: []libproto.RoomInfo{
		{RoomID: 1, Name: []byte("lobby"), MemberCount: 12, LastSeq: 345},
		{RoomID: 2, Name: []byte("a-longer-name")},
	}}, libproto.RoomListResponse{})
	b.wantRun(""+
		"ROOM           MEMBERS  MESSAGES  ID\n"+
		"lobby               12       345   1\n"+
		"a-longer-name        0         0   2\n", "rooms")
	b.wantRun(`{"rooms":[{"room":"lobby","room_id":1,"members":12,"last_seq":345},`+
		`{"room":"a-longer-name","room_id":2,"members":0,"last_seq":0}]}`+"\n", "rooms", "--json")

	b.answerOnce(libproto.OpWho, libproto.WhoResponse{Users: []libproto.UserInfo{{UserID: 1, Username: []byte(alice)}, {UserID: 10, Username: []byte("bob")}}}, libproto.WhoResponse{})
	b.wantRun("USER   ID\nalice   1\nbob    10\n", "who")
	b.wantRun(`{"users":[{"user":"alice","user_id":1},{"user":"bob","user_id":10}]}`+"\n", "who", "--json")

	b.peer.Answer(libproto.OpRoomList, libproto.RoomListResponse{Rooms: []libproto.RoomInfo{{RoomID: 5, Name: []byte("den")}}})
	b.expect(libproto.OpWho, libproto.WhoRequest{RoomID: 5, RowsMax: libproto.ListRowsMax}, libproto.WhoResponse{})
	b.wantRun(`{"room":"den","users":[]}`+"\n", "who", "den", "--json")
	b.answerOnce(libproto.OpRoomList, libproto.RoomListResponse{}, libproto.RoomListResponse{})
	b.wantFailure(program.ExitFailed, []string{"no room is called nix", "`tradechat rooms`"}, "who", "nix")
}

func TestSendAndDirect(t *testing.T) {
	b := newBed(t)
	b.expect(libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("den")}, libproto.RoomOpenResponse{RoomID: 5})
	b.expect(libproto.OpJoinRoom, libproto.JoinRoomRequest{RoomID: 5}, libproto.JoinRoomResponse{})
	b.expect(libproto.OpChatSend, libproto.ChatSendRequest{RoomID: 5, Message: []byte("-hi-")}, libproto.ChatSendResponse{RoomSeq: 3, TimeNs: timeNs})
	b.wantRun("sent to den as message 3\n", "send", "den", "--", "-hi-")
	b.wantRun(`{"room":"den","room_id":5,"created":false,"seq":3,"time":"`+timeText+`"}`+"\n", "--json", "send", "den", "--", "-hi-")
	b.expect(libproto.OpRoomOpen, libproto.RoomOpenRequest{Name: []byte("den")}, libproto.RoomOpenResponse{RoomID: 5, Created: true})
	b.wantRun("sent to den, a new room, as message 3\n", "send", "den", "--", "-hi-")

	b.expect(libproto.OpDirectSend, libproto.DirectSendRequest{ToUsername: []byte("bob"), Message: []byte("hi")}, libproto.DirectSendResponse{SessionsReached: 2, TimeNs: timeNs})
	b.wantRun("delivered to bob (2 sessions)\n", "dm", "bob", "hi")
	b.wantRun(`{"to":"bob","sessions_reached":2,"time":"`+timeText+`"}`+"\n", "dm", "bob", "hi", "--json")
	b.peer.Answer(libproto.OpDirectSend, libproto.DirectSendResponse{})
	b.wantRun("bob is not online: nobody received it\n", "dm", "bob", "hi")
	b.refuse(libproto.OpDirectSend, libproto.StatusNotFound, "")
	b.wantFailure(program.ExitFailed, []string{"user bob", "no such user"}, "dm", "bob", "hi")
}

func TestStatus(t *testing.T) {
	b := newBed(t)
	b.env["TRADECHAT_USER"] = ""
	got := b.run("status")
	for _, line := range []string{
		"server           " + b.peer.Addr, "reachable        yes", "software         peertest/1", "protocol         version 1",
		"capabilities     batch", "largest body     65536 bytes", "longest message  4096 bytes", "heartbeat every  15s",
		"idle time-out    45s", "key derivation   4096 iterations",
	} {
		if !strings.Contains(got.out, line+"\n") {
			t.Errorf("status lacks %q:\n%s", line, got.out)
		}
	}
	machine := parse[status](t, b.run("status", "--json").out)
	if !machine.Reachable || machine.MaxBodyBytes != 65536 || machine.RoundTripUs <= 0 || !slices.Equal(machine.Capabilities, []string{"batch"}) {
		t.Errorf("got %+v", machine)
	}
	b.peer.SetHello(func(r *libproto.HelloResponse) { r.Capabilities = 0 })
	if machine := b.run("status", "--json"); !strings.Contains(machine.out, `"capabilities":[],`) {
		t.Errorf("got %s", machine.out)
	}

	b.peer.Close()
	got = b.run("status")
	if got.code != program.ExitConnection || !strings.Contains(got.out, "reachable  no\n") || !strings.Contains(got.err, "is tradechatd running?") {
		t.Errorf("got %+v", got)
	}
	if machine := b.run("status", "--json"); machine.code != program.ExitConnection || parse[status](t, machine.out).Reachable {
		t.Errorf("got %+v", machine)
	}
}

// TestAdminKeysAreOfTheFoldersServer: the user can log in at the server of the folder, whatever --server says.
func TestAdminKeysAreOfTheFoldersServer(t *testing.T) {
	b := newBed(t) // another folder's server
	data := t.TempDir()
	admin := peertest.ListenUnix(t, filepath.Join(data, client.AdminSocketName))
	salt := [libproto.SaltLen]byte{9, 9, 9}
	admin.SetHello(func(h *libproto.HelloResponse) { h.RealmSalt = salt })
	want, err := libproto.DeriveKeys(password, "bob", salt, peertest.KDFIterations)
	if err != nil {
		t.Fatal(err)
	}
	admin.Handle(libproto.OpUserAdd, func(c *peertest.Conn, f libproto.Frame) {
		var req libproto.UserAddRequest
		if err := req.Decode(f.Body); err != nil || req.StoredKey != want.Stored || req.ServerKey != want.Server {
			t.Errorf("USER_ADD: keys %x %x, %v; want those of the folder's salt", req.StoredKey[:4], req.ServerKey[:4], err)
		}
		c.Reply(f, libproto.UserAddResponse{UserID: 2})
	})
	b.wantRun("bob is user 2, with 0.00\n", "admin", "user-add", "bob", "--data", data)
	b.peer.Close()
	b.wantRun("bob is user 2, with 0.00\n", "admin", "user-add", "bob", "--data", data)
}

func TestAdminUsers(t *testing.T) {
	b := newBed(t)
	data := t.TempDir()
	b.env["TRADECHAT_DATA"] = data
	admin := peertest.ListenUnix(t, filepath.Join(data, client.AdminSocketName))
	admin.Handle(libproto.OpUserAdd, func(c *peertest.Conn, f libproto.Frame) {
		var req libproto.UserAddRequest
		if err := req.Decode(f.Body); err != nil || req.OpeningDeposit != 700 {
			t.Errorf("USER_ADD: %+v, %v", req, err)
		}
		c.Reply(f, libproto.UserAddResponse{UserID: b.peer.AddUser(string(req.Username), password)})
	})
	b.wantRun("bob is user 2, with 7.00\n", "admin", "user-add", "bob", "--opening-deposit", "7")
	b.wantRun(`{"user":"carol","user_id":3,"opening_deposit_minor":700}`+"\n", "admin", "user-add", "carol", "--opening-deposit", "7.00", "--json")

	admin.Answer(libproto.OpUserSetKeys, libproto.Empty{})
	b.wantRun("bob has a new password\n", "admin", "user-passwd", "bob")
	b.wantRun(`{"user":"bob"}`+"\n", "admin", "user-passwd", "bob", "--json", "--data", data)
	admin.Handle(libproto.OpUserSetKeys, func(c *peertest.Conn, f libproto.Frame) { c.Refuse(f, libproto.StatusNotFound, 0, "") })
	b.wantFailure(program.ExitFailed, []string{"ERR_NOT_FOUND", "user-add"}, "admin", "user-passwd", "nobody")

	b.env["TRADECHAT_DATA"] = t.TempDir()
	b.wantFailure(program.ExitConnection, []string{"cannot connect to", client.AdminSocketName, "is tradechatd running with --data"}, "admin", "stats")
}

// TestRefusedWithoutAServer: what can be known to be wrong is, without a password or a connection.
func TestRefusedWithoutAServer(t *testing.T) {
	b := newBed(t)
	b.peer.Close()
	b.env["TRADECHAT_PASSWORD"] = ""
	for _, tt := range []struct {
		args string
		says []string
	}{
		{"frob", []string{`unknown command "frob"`, "see `tradechat --help`"}},
		{"--frob", []string{"unknown flag: --frob", "see `tradechat --help`"}},
		{"deposit --password secret 1", []string{"unknown flag: --password", "see `tradechat deposit --help`"}},
		{"admin frob", []string{`unknown command "frob"`, "see `tradechat admin --help`"}},
		{"balance now", []string{"balance takes no arguments, got 1 argument"}},
		{"transfer", []string{"transfer takes USER AMOUNT, got 0 arguments", "see `tradechat transfer --help`"}},
		{"send lobby hello world", []string{"send takes ROOM TEXT, got 3 arguments", "put quotes around"}},
		{"who a b", []string{"who takes [ROOM], got 2 arguments"}},
		{"--server nonsense balance", []string{`--server "nonsense"`, "want host:port"}},
		{"--server host:99999 balance", []string{"want host:port"}},
		{"deposit 12.505", []string{"two decimals or none"}},
		{"deposit 0", []string{"the least is 0.01"}},
		{"withdraw -- -5", []string{"want digits"}},
		{"transfer bob 92233720368547758.08", []string{"the most is 92233720368547758.07"}},
		{"transfer b@b 1", []string{`"b@b" is not a name`}},
		{"history --limit 0", []string{"--limit 0: want 1 to"}},
		{"history --limit x", []string{"invalid argument", "see `tradechat history --help`"}},
		{"join no/room", []string{"is not a name"}},
		{"join lobby --count -1", []string{"--count -1"}},
		{"join lobby --for -1s", []string{"--for -1s"}},
		{"join lobby --replay 65536", []string{"--replay 65536"}},
		{"send no/room x", []string{"is not a name"}},
		{"who no/room", []string{"is not a name"}},
		{"dm b@b x", []string{"is not a name"}},
		{"register b@b", []string{"two different names"}},
		{"register --user b@b", []string{"is not a name"}},
		{"admin user-add b@b", []string{"is not a name"}},
		{"admin user-add bob --opening-deposit 1.5", []string{"--opening-deposit", "two decimals or none"}},
		{"balance", []string{"no password", "TRADECHAT_PASSWORD", "--password-file"}},
		{"balance --password-file /nonexistent/file", []string{"--password-file", "no such file"}},
	} {
		b.wantFailure(program.ExitUsage, tt.says, strings.Fields(tt.args)...)
	}
	b.wantFailure(program.ExitUsage, []string{"the message is empty"}, "send", "lobby", "")
	b.wantFailure(program.ExitUsage, []string{"not UTF-8"}, "dm", "bob", "\xff")
	b.env["TRADECHAT_USER"] = ""
	b.wantFailure(program.ExitUsage, []string{"no user name", "--user NAME"}, "balance")
	b.wantFailure(program.ExitUsage, []string{"no user name", "register NAME"}, "register")
}

func TestExitCodes(t *testing.T) {
	b := newBed(t)
	b.refuse(libproto.OpWithdraw, libproto.StatusInsufficientFunds, "evil \x1b[2Jdetail")
	b.wantFailure(program.ExitFailed, []string{`WITHDRAW: ERR_INSUFFICIENT_FUNDS: evil \x1b[2Jdetail`, "`tradechat balance`"}, "withdraw", "1")
	b.refuse(libproto.OpWithdraw, libproto.StatusTimeout, "")
	b.wantFailure(program.ExitUnknown, []string{"outcome unknown", "`tradechat history`"}, "withdraw", "1")

	lose := func(c *peertest.Conn, _ libproto.Frame) { c.Close() }
	b.peer.Handle(libproto.OpWithdraw, lose)
	b.wantFailure(program.ExitUnknown, []string{"outcome unknown", "`tradechat history`"}, "withdraw", "1", "--reconnect-for", "0")
	b.peer.Handle(libproto.OpBalance, lose)
	b.wantFailure(program.ExitConnection, []string{"connection lost", "`tradechat status`"}, "balance", "--reconnect-for", "0")
	b.wantFailure(program.ExitUsage, []string{"--reconnect-for -1s: want 0s to 24h"}, "balance", "--reconnect-for", "-1s")
	b.peer.Handle(libproto.OpRegister, lose)
	b.env["TRADECHAT_USER"] = ""
	b.wantFailure(program.ExitUnknown, []string{"ERR_ALREADY_EXISTS then says that it had worked"}, "register", "bob")
	b.env["TRADECHAT_USER"] = alice

	b.env["TRADECHAT_PASSWORD"] = "wrong"
	b.wantFailure(program.ExitFailed, []string{"LOGIN: ERR_UNAUTHORIZED", "wrong user name or password"}, "balance")
	b.env["TRADECHAT_PASSWORD"] = password
	b.peer.SetServerKey(alice, [libproto.KeyLen]byte{1})
	b.wantFailure(program.ExitConnection, []string{"could not prove", "another server may be pretending"}, "balance")

	b.peer.Handle(libproto.OpHello, func(c *peertest.Conn, _ libproto.Frame) {
		c.Raw([]byte("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"))
	})
	b.wantFailure(program.ExitConnection, []string{"wrong magic", "is it tradechatd that listens on"}, "balance")
	b.peer.Close()
	b.wantFailure(program.ExitConnection, []string{"connection refused", "is tradechatd running? start it with `tradechatd --listen " + b.peer.Addr}, "balance")
}

func TestErrorsAsJSON(t *testing.T) {
	b := newBed(t)
	type report struct {
		Error failure `json:"error"`
	}
	b.peer.Handle(libproto.OpDeposit, func(c *peertest.Conn, f libproto.Frame) { c.Refuse(f, libproto.StatusServerBusy, 3_600_000, "full") })
	got := b.run("deposit", "1", "--json")
	want := failure{
		ExitCode: program.ExitFailed, Message: "DEPOSIT: ERR_SERVER_BUSY: full", Hint: "try again in a moment",
		Op: "DEPOSIT", Status: "ERR_SERVER_BUSY", RetryAfterMs: 3_600_000,
	}
	if f := parse[report](t, got.err).Error; got.code != program.ExitFailed || got.out != "" || f != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got = b.run("deposit", "--frob", "--json")
	if f := parse[report](t, got.err).Error; f.ExitCode != program.ExitUsage || f.Message != "unknown flag: --frob" {
		t.Errorf("got %+v", got)
	}
	b.peer.Handle(libproto.OpDeposit, func(c *peertest.Conn, _ libproto.Frame) { c.Close() })
	got = b.run("deposit", "1", "--json", "--reconnect-for", "0")
	if f := parse[report](t, got.err).Error; f.ExitCode != program.ExitUnknown || f.Op != "DEPOSIT" || f.SessionID == 0 || f.ReqID == 0 {
		t.Errorf("got %+v", got)
	}
}

// TestInterrupt: the connection is left in an orderly way, and what was under way is of unknown outcome.
func TestInterrupt(t *testing.T) {
	b := newBed(t)
	for op, code := range map[libproto.Opcode]int{libproto.OpDeposit: program.ExitUnknown, libproto.OpLogin: program.ExitInterrupted} {
		ctx, interrupt := context.WithCancel(t.Context())
		b.peer.Handle(op, func(*peertest.Conn, libproto.Frame) { interrupt() })
		if got := b.runUntil(ctx, "deposit", "1"); got.code != code || got.out != "" {
			t.Errorf("%v: got %+v, want code %d", op, got, code)
		}
		b.peer.Handle(libproto.OpLogin, b.peer.LogIn)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestOutputThatCannotBeWritten: what was done is told all the same, with a code of its own.
func TestOutputThatCannotBeWritten(t *testing.T) {
	b := newBed(t)
	b.peer.Answer(libproto.OpBalance, libproto.BalanceResponse{})
	b.peer.Answer(libproto.OpDeposit, libproto.DepositResponse{Balance: 100, TxnID: 7})
	for _, tt := range []struct {
		args string
		says []string
	}{
		{"balance", []string{"tradechat: the result could not be written: no space left on device\n"}},
		{"deposit 1", []string{"it was done, but", "no space left on device", "do not repeat it: deposited 1.00, balance 1.00 (transaction 7)"}},
		{"deposit 1 --json", []string{`"exit_code":6`, `"done":{"amount_minor":100,"balance_minor":100,"txn_id":7}`}},
		{"register bob --user bob", []string{"do not repeat it: bob is registered as user 2"}},
		{"--help", []string{"no space left on device"}},
		{"--version", []string{"no space left on device"}},
	} {
		var errs strings.Builder
		code := Run(t.Context(), strings.Fields(tt.args), Streams{Out: fullDisk{}, Err: &errs, Getenv: func(name string) string { return b.env[name] }})
		if code != program.ExitOutput {
			t.Errorf("%s: code %d, %s", tt.args, code, errs.String())
		}
		for _, part := range tt.says {
			if !strings.Contains(errs.String(), part) {
				t.Errorf("%s: stderr does not say %q:\n%s", tt.args, part, errs.String())
			}
		}
	}
}

func TestPasswordFile(t *testing.T) {
	b := newBed(t)
	b.env["TRADECHAT_PASSWORD"] = "not this one"
	b.peer.Answer(libproto.OpBalance, libproto.BalanceResponse{Balance: 1})
	path := filepath.Join(t.TempDir(), "password")
	for content, want := range map[string]int{
		password:                         program.ExitOK,
		password + "\n":                  program.ExitOK,
		password + "\r\nsecond line":     program.ExitOK,
		"wrong\n":                        program.ExitFailed,
		"":                               program.ExitUsage,
		"\n" + password:                  program.ExitUsage,
		strings.Repeat("x", 1025):        program.ExitUsage,
		strings.Repeat("x", 1024) + "\n": program.ExitFailed,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := b.run("--password-file", path, "balance"); got.code != want {
			t.Errorf("password file %.20q: %+v, want code %d", content, got, want)
		}
	}
}

// TestHelp: every command explains itself, with an example, and the exit codes are told.
func TestHelp(t *testing.T) {
	b := newBed(t)
	all := b.run()
	if all != b.run("--help") || all.code != program.ExitOK {
		t.Errorf("without a command: %+v", all)
	}
	for _, line := range []string{"  0    done", "  1    it ran and failed", "  2    wrong usage", "  3    no connection", "  4    the outcome", "  6    done, but",
		"  130  interrupted"} {
		if !strings.Contains(all.out, line) {
			t.Errorf("help lacks %q", line)
		}
	}
	a := &app{std: Streams{Getenv: func(string) string { return "" }}}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		got := b.run(args...)
		if c.Short == "" || c.Example == "" || got.code != program.ExitOK || !strings.Contains(got.out, c.Example) {
			t.Errorf("%s does not explain itself: %+v", c.CommandPath(), got)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(a.root())
	if got := b.run("--version"); got.code != program.ExitOK || !strings.HasPrefix(got.out, "tradechat ") {
		t.Errorf("--version: %+v", got)
	}
}
