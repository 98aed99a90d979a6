package client_test

import (
	"path/filepath"
	"testing"

	"tradechat.internal/client"
	"tradechat.internal/libproto"
	"tradechat.internal/testkit/peertest"
)

func dialAdmin(t *testing.T) (*peertest.Peer, *client.Admin) {
	t.Helper()
	folder := t.TempDir()
	p := peertest.ListenUnix(t, filepath.Join(folder, client.AdminSocketName))
	a, err := client.DialAdmin(testContext(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return p, a
}

func TestAdmin(t *testing.T) {
	p, a := dialAdmin(t)
	ctx := testContext(t)
	keys := libproto.Keys{Client: [32]byte{1}, Stored: [32]byte{2}, Server: [32]byte{3}}
	asked := make(chan libproto.Body, 1)
	answer := func(body libproto.Body) peertest.Handler {
		return func(c *peertest.Conn, f libproto.Frame) {
			asked <- decoded(t, f)
			c.Reply(f, body)
		}
	}
	p.Handle(libproto.OpUserAdd, answer(libproto.UserAddResponse{UserID: 7}))
	id, err := a.AddUser(ctx, alice, keys, 5)
	wantEqual(t, "AddUser", []any{id, err}, []any{uint32(7), nil})
	wantEqual(t, "USER_ADD", <-asked, &libproto.UserAddRequest{
		Username: []byte(alice), StoredKey: keys.Stored, ServerKey: keys.Server, OpeningDeposit: 5,
	})

	p.Handle(libproto.OpUserSetKeys, answer(libproto.Empty{}))
	wantEqual(t, "SetUserKeys", a.SetUserKeys(ctx, alice, keys), nil)
	wantEqual(t, "USER_SET_KEYS", <-asked, &libproto.UserSetKeysRequest{
		Username: []byte(alice), StoredKey: keys.Stored, ServerKey: keys.Server,
	})

	longest := make([]byte, libproto.FieldLenMax)
	p.Handle(libproto.OpServerStats, answer(libproto.ServerStatsResponse{JSON: longest}))
	stats, err := a.Stats(ctx)
	wantEqual(t, "Stats", []any{len(stats), err}, []any{len(longest), nil})
}

func TestAdminFailures(t *testing.T) {
	p, a := dialAdmin(t)
	ctx := testContext(t)
	_, err := a.AddUser(ctx, "no name", libproto.Keys{}, 0)
	wantIs(t, err, client.ErrInvalidArgument)
	wantIs(t, a.SetUserKeys(ctx, "", libproto.Keys{}), client.ErrInvalidArgument)
	p.Handle(libproto.OpUserAdd, func(c *peertest.Conn, f libproto.Frame) { c.Close() })
	_, err = a.AddUser(ctx, alice, libproto.Keys{}, 0)
	wantIs(t, err, client.ErrOutcomeUnknown)
	_, err = a.Stats(ctx)
	wantIs(t, err, client.ErrConnectionLost)
	if _, err := client.DialAdmin(ctx, t.TempDir()); err == nil {
		t.Error("connected to a folder without a socket")
	}
}
