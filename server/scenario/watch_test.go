package scenario

import (
	"fmt"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tradechat.internal/libproto"
)

// watch is a session that goes on making requests in the background: the bystander of what a script does to others.
type watch struct {
	*session
	over  chan struct{} // closed to end it
	ended chan struct{} // closed when it has

	rounds int
	worst  time.Duration
	err    error
}

// cmdWatch has sessions make requests until watched asks how that went.
func cmdWatch(ts *testscript.TestScript, w *world, args []string) {
	for _, name := range args {
		watch := &watch{session: w.session(ts, name), over: make(chan struct{}), ended: make(chan struct{})}
		delete(w.sessions, name) // it is the watch's alone
		w.watches[name] = watch
		go watch.run()
	}
}

// run deposits one unit and reads the balance, again and again.
func (b *watch) run() {
	defer close(b.ended)
	for b.err == nil {
		passed, err := took(b.round)
		b.rounds++
		b.worst, b.err = max(b.worst, passed), err
		select {
		case <-b.over:
			return
		case <-time.After(watchPause):
		}
	}
}

func (b *watch) round() error {
	err := b.get(libproto.OpDeposit, libproto.DepositRequest{Amount: 1}, &libproto.TxnResponse{})
	if err == nil || refusedWith(err, libproto.StatusServerBusy) {
		err = b.get(libproto.OpBalance, libproto.Empty{}, &libproto.BalanceResponse{})
	}
	return err
}

func (b *watch) stop() {
	select {
	case <-b.over:
	default:
		close(b.over)
	}
	<-b.ended
	b.hangUp()
}

// cmdWatched ends a watch: it must have met no error, and no round may have taken too long.
func cmdWatched(ts *testscript.TestScript, w *world, args []string) {
	in := &words{ts, args}
	name := in.next("session")
	within := in.within()
	in.end()
	b := w.watches[name]
	if b == nil {
		ts.Fatalf("%s does not watch", name)
	}
	delete(w.watches, name)
	b.stop()
	fmt.Fprintf(ts.Stdout(), "%d rounds, worst %v\n", b.rounds, b.worst)
	if b.err != nil {
		ts.Fatalf("%s, after %d rounds: %v", name, b.rounds, b.err)
	}
	if within > 0 && b.worst > within {
		ts.Fatalf("the worst of %d rounds took %v, more than %v", b.rounds, b.worst, within)
	}
}
