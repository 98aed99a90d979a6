package peers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/redcon"

	"tradechat.internal/libnet"
	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/session"
)

// transferScript moves ARGV[3] from one field of the accounts to another, refuses what would be an overdraft, and counts. Redis
// runs it as one unit.
const transferScript = `local left = redis.call('HINCRBY', KEYS[1], ARGV[1], -ARGV[3])
if left < 0 then
  redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[3])
  return redis.error_reply('INSUFFICIENT funds')
end
redis.call('HINCRBY', KEYS[1], ARGV[2], ARGV[3])
return {left, redis.call('INCR', KEYS[2])}`

const (
	accountsKey = "accounts"
	countKey    = "transfers"
)

// The append-only file's modes; noFile is none of appendfsync's.
const (
	fsyncAlways   = "always"
	fsyncEverySec = "everysec"
	noFile        = "off"
)

// redisServer is a redis-server under transfers, or GETs.
type redisServer struct {
	*station
	password string
	get      bool
	admin    *redisConn
	script   string // the script's digest
	version  string
	accounts int // that were made
}

func startRedis(ctx context.Context, fsync string, get bool) (*redisServer, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("peers: redis-server is %w", ErrMissing)
	}
	place, err := newStation(Redis)
	if err != nil {
		return nil, err
	}
	r := &redisServer{station: place, password: rand.Text(), get: get}
	if err := r.run(ctx, path, fsync); err != nil {
		r.Discard()
		return nil, err
	}
	return r, nil
}

func (r *redisServer) run(ctx context.Context, path, fsync string) error {
	address, reserved, err := reserve()
	if err != nil {
		return err
	}
	defer reserved.Close()
	r.address = address
	config := r.path("redis.conf")
	if err := os.WriteFile(config, []byte(redisConfig(address, r.folder, r.password, fsync)), 0o600); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	err = r.station.run(ctx, proc.Command{Path: path, Args: []string{config}}, func(ctx context.Context) (err error) {
		r.admin, err = dialRedis(ctx, address, r.password)
		return err
	})
	if err != nil {
		return err
	}
	loaded, err := r.admin.ask("SCRIPT", "LOAD", transferScript)
	if err != nil {
		return err
	}
	r.script = string(loaded.Data)
	r.version, err = r.info("server", "redis_version:")
	return err
}

// info is what follows a name in a section of INFO, up to a comma or the line's end.
func (r *redisServer) info(section, name string) (string, error) {
	answer, err := r.admin.ask("INFO", section)
	_, rest, _ := strings.Cut(string(answer.Data), name)
	end := strings.IndexAny(rest, ",\r\n")
	if err == nil && end < 0 {
		err = fmt.Errorf("peers: redis: %w to INFO %s: no %s", closedloop.ErrAnswer, section, name)
	}
	return rest[:max(end, 0)], err
}

// redisConfig has what the comparison depends on; the rest is Redis's default. Snapshots, and rewrites of the file, would fork.
func redisConfig(address, folder, password, fsync string) string {
	_, port, _ := net.SplitHostPort(address)
	lines := []string{
		"bind 127.0.0.1", "port " + port, "dir " + folder, "requirepass " + password, "daemonize no",
		`save ""`, "auto-aof-rewrite-percentage 0",
	}
	if fsync == noFile {
		lines = append(lines, "appendonly no")
	} else {
		lines = append(lines, "appendonly yes", "appendfsync "+fsync)
	}
	return strings.Join(lines, "\n") + "\n"
}

// Connect makes two accounts for each connection: it moves money from one to the other.
func (r *redisServer) Connect(ctx context.Context, n int) (peers []closedloop.Peer, err error) {
	for i := range n {
		payer, payee := strconv.Itoa(r.accounts), strconv.Itoa(r.accounts+1)
		r.accounts += 2
		request := command("EVALSHA", r.script, "2", accountsKey, countKey, payer, payee, "1")
		if r.get {
			request = command("GET", countKey)
			_, err = r.admin.ask("SET", countKey, "0")
		} else {
			_, err = r.admin.ask("HSET", accountsKey, payer, strconv.Itoa(openingMinor), payee, strconv.Itoa(openingMinor))
		}
		var c *redisConn
		if err == nil {
			c, err = dialRedis(ctx, r.address, r.password)
		}
		fd := -1
		if err == nil {
			fd, err = session.Bare(c.socket)
		}
		if err != nil {
			closedloop.Hangup(peers)
			return nil, fmt.Errorf("peers: redis, connection %d: %w", i, err)
		}
		peers = append(peers, closedloop.Peer{FD: fd, Exchange: &redisExchange{request: request}})
	}
	return peers, nil
}

// PIDs is the one process.
func (r *redisServer) PIDs(context.Context) ([]int, error) { return []int{r.process.PID()}, nil }

// Version is the server's.
func (r *redisServer) Version() string { return "Redis " + r.version }

// Check looks at the counter, or at how often GET was called, and at the sum of the accounts.
func (r *redisServer) Check(_ context.Context, sent uint64) error {
	if r.get {
		calls, err := r.info("commandstats", "cmdstat_get:calls=")
		if err != nil {
			return err
		}
		return sameCount(Redis, calls, sent)
	}
	count, err := r.admin.ask("GET", countKey)
	if err != nil {
		return err
	}
	values, err := r.admin.ask("HVALS", accountsKey)
	if err != nil {
		return err
	}
	var sum int64
	values.ForEach(func(balance redcon.RESP) bool {
		sum += balance.Int()
		return true
	})
	if want := int64(r.accounts) * openingMinor; sum != want {
		return fmt.Errorf("peers: redis: %w: the accounts hold %d, not %d", ErrDisagree, sum, want)
	}
	return sameCount(Redis, string(count.Data), sent)
}

// Stop ends it.
func (r *redisServer) Stop() error { return errors.Join(r.admin.socket.Close(), r.station.Stop()) }

// Discard is Stop when something else has failed.
func (r *redisServer) Discard() {
	if r.admin != nil {
		_ = r.admin.socket.Close()
	}
	r.station.Discard()
}

func sameCount(name, counted string, sent uint64) error {
	if counted != strconv.FormatUint(sent, 10) {
		return fmt.Errorf("peers: %s: %w: %d were answered, it has counted %q", name, ErrDisagree, sent, counted)
	}
	return nil
}

// redisConn is a connection that is asked one thing at a time.
type redisConn struct{ socket *net.TCPConn }

func dialRedis(ctx context.Context, address, password string) (*redisConn, error) {
	socket, err := libnet.Dialer{Attempts: 1, AttemptTimeout: setUpMax}.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	c := &redisConn{socket.(*net.TCPConn)}
	if _, err := c.ask("AUTH", password); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return c, nil
}

// ask sends a command and returns its answer.
func (c *redisConn) ask(words ...string) (answer redcon.RESP, err error) {
	if err := c.socket.SetDeadline(time.Now().Add(setUpMax)); err != nil {
		return answer, fmt.Errorf("peers: %w", err)
	}
	if _, err := c.socket.Write(command(words...)); err != nil {
		return answer, fmt.Errorf("peers: %w", err)
	}
	var in []byte
	for chunk := make([]byte, 4096); ; {
		n, err := c.socket.Read(chunk)
		if in = append(in, chunk[:n]...); err != nil {
			return answer, fmt.Errorf("peers: redis: answer to %s: %w", words[0], err)
		}
		if n, answer = redcon.ReadNextRESP(in); n == 0 {
			continue
		}
		if answer.Type == redcon.Error {
			return answer, fmt.Errorf("peers: redis: %w to %s: %s", closedloop.ErrAnswer, words[0], answer.Data)
		}
		return answer, nil
	}
}
