package control

import (
	"context"
	"errors"
	"fmt"

	"tradechat.internal/libnet"
	"tradechat.internal/libproto"

	"tradechat.internal/loadgen/internal/moneycheck"
	"tradechat.internal/loadgen/internal/roster"
)

// errOutcome is the error of a TXN_STATUS answer with an unknown outcome.
var errOutcome = errors.New("unknown outcome")

// Audit finds out what became of the unanswered requests, reads all balances, and judges. The load's connections are
// closed, but the server may still be working on what they sent last: a request that is "not applied" before the
// balances are read and something else after it is undecided.
func (s Server) Audit(ctx context.Context, users []roster.User, audit *moneycheck.Audit) moneycheck.Verdict {
	asked := byUser(len(users), audit.Unknown())
	first := s.outcomes(ctx, users, asked)
	balances := make([]int64, len(users))
	err := each(ctx, len(users), ignoreProgress, func(ctx context.Context, i int) error {
		return s.visit(ctx, &users[i], func(c *Client) (err error) {
			balances[i], err = c.Balance(ctx)
			return err
		})
	})
	second := s.outcomes(ctx, users, open(asked, first))
	for posting, outcome := range first {
		if outcome == moneycheck.NotApplied {
			outcome = confirm(second[posting])
		}
		audit.Settle(posting, outcome)
	}
	if err != nil {
		return audit.Unread(err)
	}
	return audit.Judge(balances)
}

func ignoreProgress(int) {}

func confirm(again moneycheck.Outcome) moneycheck.Outcome {
	if again == moneycheck.NotApplied {
		return moneycheck.NotApplied
	}
	return moneycheck.Undecided
}

func byUser(users int, postings []moneycheck.Posting) [][]moneycheck.Posting {
	lists := make([][]moneycheck.Posting, users)
	for _, p := range postings {
		lists[p.User] = append(lists[p.User], p)
	}
	return lists
}

// open leaves the postings that are not applied yet.
func open(asked [][]moneycheck.Posting, outcomes map[moneycheck.Posting]moneycheck.Outcome) [][]moneycheck.Posting {
	left := make([][]moneycheck.Posting, len(asked))
	for user, list := range asked {
		for _, p := range list {
			if outcomes[p] == moneycheck.NotApplied {
				left[user] = append(left[user], p)
			}
		}
	}
	return left
}

// outcomes asks for each posting. What cannot be found out is Undecided.
func (s Server) outcomes(ctx context.Context, users []roster.User, asked [][]moneycheck.Posting) map[moneycheck.Posting]moneycheck.Outcome {
	found := make(map[moneycheck.Posting]moneycheck.Outcome)
	answers := make([][]moneycheck.Outcome, len(asked))
	_ = each(ctx, len(asked), ignoreProgress, func(ctx context.Context, i int) error {
		if len(asked[i]) > 0 {
			_ = s.visit(ctx, &users[i], func(c *Client) (err error) {
				answers[i], err = c.statuses(ctx, asked[i])
				return err
			}) // what was not answered stays undecided
		}
		return nil
	})
	for user, list := range asked {
		for i, p := range list {
			found[p] = moneycheck.Undecided
			if i < len(answers[user]) {
				found[p] = answers[user][i]
			}
		}
	}
	return found
}

// statuses asks for postings of the client's user, one after the other, up to the first that fails.
func (c *Client) statuses(ctx context.Context, asked []moneycheck.Posting) (answers []moneycheck.Outcome, err error) {
	for _, p := range asked {
		var answer libproto.TxnStatusResponse
		err := c.call(ctx, libproto.OpTxnStatus, libproto.TxnStatusRequest{SessionID: p.Session, ReqID: p.ReqID}, &answer)
		if err != nil {
			return answers, err
		}
		switch answer.Outcome {
		case libproto.TxnNotApplied:
			answers = append(answers, moneycheck.NotApplied)
		case libproto.TxnApplied:
			answers = append(answers, moneycheck.Applied)
		case libproto.TxnForgotten:
			answers = append(answers, moneycheck.Undecided)
		default: // pending: the server has not let go of the session yet
			return answers, fmt.Errorf("%w: %v", errOutcome, answer.Outcome)
		}
	}
	return answers, nil
}

// visit logs a user in and asks; on a failure again, on a new connection.
func (s Server) visit(ctx context.Context, user *roster.User, ask func(*Client) error) error {
	var backoff libnet.Backoff
	for attempt := 1; ; attempt++ {
		err := s.visitOnce(ctx, user, ask)
		if err == nil || attempt == auditAttempts || ctx.Err() != nil {
			return err
		}
		if err := backoff.Wait(ctx); err != nil {
			return err
		}
	}
}

func (s Server) visitOnce(ctx context.Context, user *roster.User, ask func(*Client) error) error {
	c, _, err := Dial(ctx, s.Addr, s.Timeout)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Login(ctx, user); err != nil {
		return err
	}
	if err := ask(c); err != nil {
		return err
	}
	return c.Logout(ctx)
}
