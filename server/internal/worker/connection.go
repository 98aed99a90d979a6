package worker

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"tradechat.internal/liblog"
	"tradechat.internal/libproto"
	"tradechat.internal/server/internal/config"
	"tradechat.internal/server/internal/version"
	"tradechat.internal/shmstore"
)

// greeting is what LOGIN needs and nothing after it.
type greeting struct {
	clientNonce, serverNonce [libproto.NonceLen]byte
	failures                 int
}

// capabilities are those that this server has.
const capabilities = libproto.CapBatch | libproto.CapResume

var agent = []byte(version.Agent)

func (w *Worker) hello(r *request, q *libproto.HelloRequest) {
	if q.VersionMin > libproto.Version || q.VersionMax < libproto.Version {
		w.fail(r, libproto.StatusUnsupported, 0, "this server speaks version 1")
		w.hangUp(r.c)
		return
	}
	r.c.greeting = &greeting{clientNonce: q.ClientNonce}
	rand.Read(r.c.greeting.serverNonce[:])
	r.c.state = stateGreeted
	settings := &w.heritage.Config
	respond(w, r, libproto.HelloResponse{
		Version:             libproto.Version,
		Capabilities:        q.Capabilities & capabilities,
		BodyLenMax:          settings.BodyBytesMax,
		MessageLenMax:       settings.MessageBytesMax,
		HeartbeatIntervalMs: milliseconds(settings.HeartbeatInterval),
		IdleTimeoutMs:       milliseconds(settings.IdleTimeout),
		ServerNonce:         r.c.greeting.serverNonce,
		RealmSalt:           w.segment.RealmSalt(),
		KDFIterations:       settings.KDFIterations,
		Agent:               agent,
	})
}

func milliseconds(d time.Duration) uint32 { return uint32(d / time.Millisecond) }

// login checks a proof and opens a session. A user that does not exist costs the same work and gets the same answer as
// a wrong proof.
func (w *Worker) login(r *request, q *libproto.LoginRequest) {
	if retryMs, allowed := w.store.LoginAllowed(r.c.addr, q.Username); !allowed {
		w.fail(r, libproto.StatusRateLimit, retryMs, "too many failed logins from this address, or to this account")
		return
	}
	user, keys, proven := w.prove(r.c.greeting, q)
	switch {
	case !proven:
		w.metrics.Add(shmstore.CounterLoginFailures, 1)
		r.c.logTo(w.log.Limited(liblog.LevelInfo, "login-failed")).Msg("login failed")
		w.store.LoginFailed(r.c.addr, q.Username)
		w.loginFailed(r, libproto.StatusUnauthorized, "unknown user or wrong password")
	case w.segment.UserSeq(user) > w.segment.Durable() && (w.waits() || w.segment.ReadOnly()):
		w.loginTooEarly(r)
	default:
		w.openSession(r, user, keys, q)
	}
}

// loginTooEarly answers a LOGIN with keys that a crash could take back. Whoever set them has no answer either yet.
func (w *Worker) loginTooEarly(r *request) {
	err := fmt.Errorf("the user's keys are not on disk yet: %w", shmstore.ErrBusy)
	if w.segment.ReadOnly() {
		err = shmstore.ErrReadOnly
	}
	w.refuse(r, err)
}

// provenBy is the keys that a proof was held against.
type provenBy struct {
	server key
	seq    uint64 // the record that set them, or one before it
}

// prove reports whether the proof is the user's, and whose it is.
func (w *Worker) prove(g *greeting, q *libproto.LoginRequest) (user uint32, by provenBy, proven bool) {
	stored := w.impostor.key(q.Username)
	user, known := w.segment.FindUser(q.Username)
	if known {
		by.seq = w.segment.UserSeq(user)
		stored, by.server, _ = w.segment.UserKeys(user)
	}
	right := libproto.VerifyProof(stored, q.Proof, g.clientNonce, g.serverNonce, noBinding, q.Username)
	return user, by, right && known
}

type key = [libproto.KeyLen]byte

// noBinding is the channel binding of a plain connection.
var noBinding key

// loginFailed answers a LOGIN that did not succeed; the pair of nonces serves for a few of them only.
func (w *Worker) loginFailed(r *request, s libproto.Status, detail string) {
	w.fail(r, s, 0, detail)
	r.c.greeting.failures++
	if r.c.greeting.failures >= libproto.LoginFaultsMax {
		w.hangUp(r.c)
	}
}

// openSession gives a user who has proven himself a new session, or the one that he asks for. The answer does not wait for
// the disk, because what follows it would have to wait behind it: it shows what is durable.
func (w *Worker) openSession(r *request, user uint32, by provenBy, q *libproto.LoginRequest) {
	balance, err := w.promisedBalance(user)
	var resumed shmstore.Resumed
	switch {
	case err != nil:
	case q.ResumeSessionID != 0:
		resumed, err = w.store.ResumeSession(user, q.ResumeSessionID)
	default:
		resumed.Session, err = w.store.OpenSession(user)
	}
	switch {
	case errors.Is(err, shmstore.ErrNoSession):
		w.loginFailed(r, libproto.StatusExpired, "no such session any more; log in with session id 0")
		return
	case err != nil:
		w.refuse(r, err)
		return
	case w.segment.UserSeq(user) != by.seq: // looked at now that whoever changes the keys finds the session
		w.store.CloseSession(resumed.Session)
		if former := w.sessions[resumed.Row]; former != nil {
			w.dismiss(former, libproto.GoingAwayRevoked, revokedDetail)
		}
		w.loginFailed(r, libproto.StatusUnauthorized, "the keys were changed meanwhile")
		return
	}
	g := r.c.greeting
	w.enter(r.c, resumed)
	respond(w, r, libproto.LoginResponse{
		UserID:          user,
		SessionID:       resumed.ID,
		LastReqID:       w.store.LastReqID(resumed.Session),
		Balance:         balance,
		ServerSignature: libproto.ServerSignature(by.server, g.clientNonce, g.serverNonce, noBinding, q.Username),
	})
	w.tellGaps(resumed.Rooms)
}

// promisedBalance is a balance that can be shown without waiting.
func (w *Worker) promisedBalance(user uint32) (balance int64, err error) {
	if w.waits() || w.segment.ReadOnly() {
		balance, _, err = w.store.DurableBalance(user)
	} else {
		balance, _, err = w.store.Balance(user)
	}
	return balance, err
}

// enter makes the connection the session's, and seats it in the session's rooms. Another one that had it here is sent
// away; one on another worker hears of it by mail.
func (w *Worker) enter(c *conn, s shmstore.Resumed) {
	if former := w.sessions[s.Row]; former != nil && former != c {
		w.dismiss(former, libproto.GoingAwayResumed, resumedDetail)
	}
	c.session, c.greeting, c.state = s.Session, nil, stateReady
	w.sessions[s.Row] = c
	w.table.since[c.row] = 0
	for _, r := range s.Rooms {
		w.seatIn(c, r.Room, r.FromPos, r.News)
	}
}

const (
	resumedDetail = "the session goes on on another connection"
	revokedDetail = "the user's password was changed"
)

// tellGaps pushes which messages a resumed session was not sent.
func (w *Worker) tellGaps(rooms []shmstore.ResumedRoom) {
	for _, r := range rooms {
		if r.GapFirst != 0 {
			w.metrics.Add(shmstore.CounterGaps, 1)
			w.out = appendPush(w.out, libproto.OpRoomEvent, libproto.RoomEvent{
				RoomID: r.Room, Kind: libproto.RoomEventGap, FirstSeq: r.GapFirst, LastSeq: r.GapLast,
			})
		}
	}
}

func (w *Worker) logout(r *request, _ *libproto.Empty) {
	w.endSession(r.c, (*shmstore.Store).CloseSession)
	r.c.state = stateConnected
	w.table.since[r.c.row] = w.clock.tick
	respond(w, r, libproto.Empty{})
}

// endSession lets go of a connection's session, if it has one: LOGOUT closes it, everything else only detaches it.
func (w *Worker) endSession(c *conn, let func(*shmstore.Store, shmstore.Session)) {
	if !c.loggedIn() {
		return
	}
	w.unseatAll(c)
	if w.sessions[c.session.Row] == c {
		w.sessions[c.session.Row] = nil
	}
	let(w.store, c.session)
	c.session = shmstore.Session{}
}

func (w *Worker) heartbeat(r *request, q *libproto.HeartbeatRequest) {
	respond(w, r, libproto.HeartbeatResponse{ClientTimeNs: q.ClientTimeNs, ServerTimeNs: w.clock.unixNs})
}

// register creates a user, where that is open to everybody. The body must not be overheard: on a connection without
// encryption it has to come from this machine.
func (w *Worker) register(r *request, q *libproto.RegisterRequest) {
	switch {
	case w.heritage.Config.Registration != config.RegistrationOpen:
		w.fail(r, libproto.StatusUnauthorized, 0, "registration is closed")
		return
	case !r.c.addr.IsLoopback():
		w.fail(r, libproto.StatusUnauthorized, 0, "registration without encryption is possible from this machine only")
		return
	}
	user, err := w.store.CreateUser(q.Username, q.StoredKey, q.ServerKey)
	if err != nil {
		w.refuse(r, err)
		return
	}
	w.committed = true
	if w.await(r, w.segment.UserSeq(user)) {
		respond(w, r, libproto.RegisterResponse{UserID: user})
	}
}

// impostor stands in for users that do not exist: their keys, which nobody has, are made from a secret and the name.
type impostor struct {
	secret [sha256.Size]byte
}

func (i *impostor) key(name []byte) (k key) {
	mac := hmac.New(sha256.New, i.secret[:])
	mac.Write(name)
	mac.Sum(k[:0])
	return k
}
