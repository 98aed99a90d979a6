package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"tradechat.internal/client"
	"tradechat.internal/liblog/program"
	"tradechat.internal/libnet"
	"tradechat.internal/libproto"
)

// usage is an error of the command line itself.
type usage struct {
	err     error
	command string
}

func (u usage) Error() string { return u.err.Error() }
func (u usage) Unwrap() error { return u.err }

// hinted is an error whose way out only the place that found it knows.
type hinted struct {
	err  error
	hint string
}

func (h hinted) Error() string { return h.err.Error() }
func (h hinted) Unwrap() error { return h.err }

// exitCode sorts errors; the order matters where an error is of several kinds.
func exitCode(err error) int {
	switch {
	case err == nil:
		return program.ExitOK
	case errors.Is(err, client.ErrOutcomeUnknown):
		return program.ExitUnknown
	case refusalOf(err) != nil, errors.Is(err, errAudit):
		return program.ExitFailed
	case errors.Is(err, program.ErrOutput):
		return program.ExitOutput
	case errors.Is(err, context.Canceled):
		return program.ExitInterrupted
	case isConnection(err):
		return program.ExitConnection
	}
	return program.ExitUsage
}

// connectionErrors are the ends of a connection, or the reasons not to have one.
var connectionErrors = []error{
	client.ErrConnectionLost, client.ErrServerSignature, client.ErrProtocol, client.ErrRealmChanged, client.ErrClosed,
	context.DeadlineExceeded,
}

func isConnection(err error) bool {
	for _, target := range connectionErrors {
		if errors.Is(err, target) {
			return true
		}
	}
	return dialErrorOf(err) != nil
}

func refusalOf(err error) *client.StatusError {
	var refusal *client.StatusError
	errors.As(err, &refusal)
	return refusal
}

func dialErrorOf(err error) *libnet.DialError {
	var dial *libnet.DialError
	errors.As(err, &dial)
	return dial
}

// report tells a person, or with --json a program, what went wrong.
func (a *app) report(err error) {
	message, hint := printable(a.message(err)), a.hint(err)
	if a.json {
		a.reportJSON(err, message, hint)
		return
	}
	fmt.Fprintf(a.std.Err, "tradechat: %s\n", message)
	if hint != "" {
		fmt.Fprintf(a.std.Err, "  → %s\n", hint)
	}
}

// failure is the JSON of an error.
type failure struct {
	ExitCode     int    `json:"exit_code"`
	Message      string `json:"message"`
	Hint         string `json:"hint,omitempty"`
	Op           string `json:"op,omitempty"`
	Status       string `json:"status,omitempty"`
	RetryAfterMs int64  `json:"retry_after_ms,omitempty"`
	SessionID    uint64 `json:"session_id,omitempty"` // of a request whose outcome is unknown
	ReqID        uint64 `json:"req_id,omitempty"`     // likewise
	Done         result `json:"done,omitempty"`       // what was done, and could not be written to stdout
}

func (a *app) reportJSON(err error, message, hint string) {
	f := failure{ExitCode: exitCode(err), Message: message, Hint: hint}
	if refusal := refusalOf(err); refusal != nil {
		f.Op, f.Status, f.RetryAfterMs = refusal.Op.String(), refusal.Status.String(), refusal.RetryAfter.Milliseconds()
	}
	var outcome *client.OutcomeError
	if errors.As(err, &outcome) {
		f.Op, f.SessionID, f.ReqID = outcome.Op.String(), outcome.SessionID, outcome.ReqID
	}
	var lost unwritten
	if errors.As(err, &lost) {
		f.Done = lost.done
	}
	// Nothing is left to be done where even stderr cannot be written.
	_ = encodeJSON(a.std.Err, struct {
		Error failure `json:"error"`
	}{f})
}

// message is what happened.
func (a *app) message(err error) string {
	dial := dialErrorOf(err)
	switch {
	case errors.Is(err, context.Canceled) && !errors.Is(err, client.ErrOutcomeUnknown):
		return "interrupted"
	case dial != nil:
		return fmt.Sprintf("cannot connect to %s: %s", dial.Addr, rootCause(dial))
	}
	return strings.TrimPrefix(err.Error(), "client: ")
}

// rootCause is the innermost part of a dial's error: the rest repeats the address.
func rootCause(dial *libnet.DialError) string {
	var timeout net.Error
	var unknownHost *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(dial, &unknownHost):
		return "the name " + unknownHost.Name + " could not be resolved"
	case errors.As(dial, &errno):
		return errno.Error()
	case errors.Is(dial, context.DeadlineExceeded), errors.As(dial, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return fmt.Sprint(dial.Last)
}

// hint is the way out, if there is one to be told.
func (a *app) hint(err error) string {
	var wrong usage
	var known hinted
	var outcome *client.OutcomeError
	var lost unwritten
	switch {
	case errors.As(err, &lost):
		return lost.hint()
	case errors.As(err, &outcome):
		return outcomeHint(outcome)
	case errors.As(err, &known):
		return known.hint
	case errors.As(err, &wrong):
		return fmt.Sprintf("see `%s --help`", wrong.command)
	case dialErrorOf(err) != nil:
		return a.dialHint(dialErrorOf(err))
	case refusalOf(err) != nil:
		return refusalHint(refusalOf(err))
	case errors.Is(err, client.ErrServerSignature):
		return "another server may be pretending to be this one: believe nothing it says, and ask who runs " + a.server
	case errors.Is(err, libproto.ErrMagic):
		return "is it tradechatd that listens on " + a.server + "? say where it does with --server"
	case errors.Is(err, context.DeadlineExceeded):
		return "something listens on " + a.server + " but does not answer: is it tradechatd, and is it overloaded?"
	case errors.Is(err, client.ErrConnectionLost):
		return "`tradechat status` tells whether the server is back"
	}
	return ""
}

func outcomeHint(o *client.OutcomeError) string {
	switch o.Op {
	case libproto.OpChatSend, libproto.OpDirectSend:
		return "it may have been sent or not; sending it again may double it"
	case libproto.OpRegister, libproto.OpUserAdd:
		return "do it again: ERR_ALREADY_EXISTS then says that it had worked"
	}
	return "the money may have moved or not: look at `tradechat history` before you do it again"
}

func (a *app) dialHint(dial *libnet.DialError) string {
	switch {
	case dial.Network == "unix" && errors.Is(dial, os.ErrPermission):
		return "run it as the user that runs tradechatd, or as root"
	case dial.Network == "unix":
		return fmt.Sprintf("is tradechatd running with --data %s? say which folder it uses with --data", a.data)
	case errors.Is(dial, syscall.ECONNREFUSED):
		return fmt.Sprintf("is tradechatd running? start it with `tradechatd --listen %s`, or say where it runs with --server", dial.Addr)
	}
	return "check the address, and that no firewall is in between; --server names another"
}

// refusal is what a server refused, and how; opcode 0 stands for all.
type refusal struct {
	op     libproto.Opcode
	status libproto.Status
}

// refusalHints are the ways out of a refusal; those of an opcode go before those of all.
var refusalHints = map[refusal]string{
	{libproto.OpLogin, libproto.StatusUnauthorized}:       "wrong user name or password; `tradechat register NAME` makes an account",
	{libproto.OpRegister, libproto.StatusUnauthorized}:    "this server does not let users register themselves, or not from here: ask its administrator for `tradechat admin user-add`",
	{libproto.OpRegister, libproto.StatusAlreadyExists}:   "the name is taken: choose another",
	{libproto.OpUserAdd, libproto.StatusAlreadyExists}:    "the name is taken: `tradechat admin user-passwd` sets its password",
	{libproto.OpUserSetKeys, libproto.StatusNotFound}:     "there is no such user: `tradechat admin user-add` makes one",
	{libproto.OpUserLookup, libproto.StatusNotFound}:      "there is no such user; capitals count in names",
	{libproto.OpDirectSend, libproto.StatusNotFound}:      "there is no such user; capitals count in names",
	{libproto.OpRoomList, libproto.StatusNotFound}:        "`tradechat rooms` lists the rooms",
	{libproto.OpTransfer, libproto.StatusInvalidArgument}: "money cannot be transferred to oneself",
	{0, libproto.StatusInsufficientFunds}:                 "`tradechat balance` tells how much there is",
	{0, libproto.StatusServerBusy}:                        "try again in a moment",
	{0, libproto.StatusLimit}:                             "a table of the server is full, or a balance, or the sum of all, would be more than can be counted",
	{0, libproto.StatusReadOnly}:                          "the server cannot write its journal any more: tell its administrator",
	{0, libproto.StatusInternal}:                          "the server's log tells more: tell its administrator",
	{0, libproto.StatusUnsupported}:                       "client and server are of different versions: `tradechat status` tells the server's",
}

func refusalHint(e *client.StatusError) string {
	if hint, ok := refusalHints[refusal{e.Op, e.Status}]; ok {
		return hint
	}
	return refusalHints[refusal{status: e.Status}]
}

// encodeJSON writes v as one line; chat text stays readable, since no browser is meant.
func encodeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
