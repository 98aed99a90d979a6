package peers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"tradechat.internal/testkit/closedloop"
	"tradechat.internal/testkit/proc"
	"tradechat.internal/testkit/procfs"
	"tradechat.internal/testkit/session"
)

// postgresBinaries is where Debian puts the versions; elsewhere the PATH is looked at.
const postgresBinaries = "/usr/lib/postgresql/*/bin"

const postgresTables = `
create table accounts (id int primary key, balance bigint not null check (balance >= 0));
create table ledger (id bigserial primary key, payer int not null, payee int not null, amount bigint not null);`

// The statements of a transfer. The payer's comes first: the check on the balance refuses an overdraft before the rest is done.
var postgresStatements = []struct{ name, sql string }{
	{"debit", "update accounts set balance = balance - $1 where id = $2"},
	{"credit", "update accounts set balance = balance + $1 where id = $2"},
	{"record", "insert into ledger (payer, payee, amount) values ($1, $2, $3)"},
}

// postgresServer is a PostgreSQL on a cluster of its own.
type postgresServer struct {
	*station
	password string
	admin    *pgconn.PgConn
	accounts int // that were made
}

func startPostgres(ctx context.Context, o Options, synchronousCommit string) (*postgresServer, error) {
	folder, err := findPostgres()
	if err != nil {
		return nil, err
	}
	place, err := newStation(Postgres)
	if err != nil {
		return nil, err
	}
	p := &postgresServer{station: place, password: rand.Text()}
	if err := p.run(ctx, folder, o, synchronousCommit); err != nil {
		p.Discard()
		return nil, err
	}
	return p, nil
}

// findPostgres returns the folder of the newest version's binaries.
func findPostgres() (string, error) {
	found, _ := filepath.Glob(filepath.Join(postgresBinaries, "initdb")) // the pattern is good
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", fmt.Errorf("peers: PostgreSQL's initdb is %w", ErrMissing)
}

// version is the number in …/15/bin/initdb.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

func (p *postgresServer) run(ctx context.Context, binaries string, o Options, synchronousCommit string) error {
	as, err := postgresUser()
	if err != nil {
		return err
	}
	if err := p.initialise(ctx, binaries, as); err != nil {
		return err
	}
	address, reserved, err := reserve()
	if err != nil {
		return err
	}
	defer reserved.Close()
	p.address = address
	args := slices.Concat([]string{"-D", p.path("data")}, postgresSettings(address, synchronousCommit, o.Connections))
	command := proc.Command{Path: filepath.Join(binaries, "postgres"), Args: args, User: as}
	err = p.station.run(ctx, command, func(ctx context.Context) (err error) {
		p.admin, err = p.dial(ctx)
		return err
	})
	if err != nil {
		return err
	}
	_, err = p.admin.Exec(ctx, postgresTables).ReadAll()
	return err
}

// postgresUser is whom to run as: PostgreSQL refuses to run as root.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, fmt.Errorf("peers: a user postgres or nobody for PostgreSQL, which does not run as root, is %w", ErrMissing)
}

// initialise makes the cluster.
func (p *postgresServer) initialise(ctx context.Context, binaries string, as *syscall.Credential) error {
	password := p.path("password")
	if err := os.WriteFile(password, []byte(p.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	if as != nil {
		for _, path := range []string{p.folder, password} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return fmt.Errorf("peers: %w", err)
			}
		}
	}
	log, err := os.Create(p.path("log"))
	if err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	defer log.Close()
	made, err := proc.Start(proc.Command{Path: filepath.Join(binaries, "initdb"), User: as, Stdout: log, Stderr: log, Args: []string{
		"-D", p.path("data"), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "--locale", "C", "-E", "UTF8", "--no-sync",
	}})
	if err != nil {
		return err
	}
	if err := made.Wait(ctx); err != nil {
		err = fmt.Errorf("peers: a new PostgreSQL cluster, whose user must be able to enter %s: %w", p.folder, err)
		return p.explain(err)
	}
	return nil
}

// postgresSettings has what the comparison depends on; the rest is PostgreSQL's default. A vacuum would be part of some rounds,
// and not of others.
func postgresSettings(address, synchronousCommit string, connections int) (args []string) {
	host, port, _ := net.SplitHostPort(address)
	for _, setting := range []string{
		"listen_addresses=" + host, "port=" + port, "unix_socket_directories=", "synchronous_commit=" + synchronousCommit,
		"max_connections=" + strconv.Itoa(connections+10), "autovacuum=off", "ssl=off",
	} {
		args = append(args, "-c", setting)
	}
	return args
}

func (p *postgresServer) dial(ctx context.Context) (*pgconn.PgConn, error) {
	return pgconn.Connect(ctx, fmt.Sprintf("postgres://postgres:%s@%s/postgres?sslmode=disable", p.password, p.address))
}

// Connect makes two accounts for each connection: it moves money from one to the other, so no two connections wait for a row.
func (p *postgresServer) Connect(ctx context.Context, n int) (peers []closedloop.Peer, err error) {
	insert := fmt.Sprintf("insert into accounts select i, %d from generate_series(%d, %d) i",
		openingMinor, p.accounts+1, p.accounts+2*n)
	if _, err := p.admin.Exec(ctx, insert).ReadAll(); err != nil {
		return nil, fmt.Errorf("peers: postgres: %w", err)
	}
	for i := range n {
		payer := p.accounts + 1 + 2*i
		fd, err := p.bare(ctx)
		if err != nil {
			closedloop.Hangup(peers)
			return nil, fmt.Errorf("peers: postgres, connection %d: %w", i, err)
		}
		peers = append(peers, closedloop.Peer{FD: fd, Exchange: newPostgresExchange(payer, payer+1)})
	}
	p.accounts += 2 * n
	return peers, nil
}

// bare makes a connection with the statements prepared, and takes its socket.
func (p *postgresServer) bare(ctx context.Context) (fd int, err error) {
	c, err := p.dial(ctx)
	if err != nil {
		return -1, err
	}
	for _, s := range postgresStatements {
		if _, err := c.Prepare(ctx, s.name, s.sql, nil); err != nil {
			return -1, errors.Join(err, c.Close(ctx))
		}
	}
	if err := c.SyncConn(ctx); err != nil {
		return -1, errors.Join(err, c.Close(ctx))
	}
	inner, err := c.Hijack()
	if err != nil {
		return -1, errors.Join(err, c.Close(ctx))
	}
	return session.Bare(inner.Conn.(*net.TCPConn))
}

// PIDs are the postmaster and all that it has forked: a process for each connection, and its writers.
func (p *postgresServer) PIDs(context.Context) ([]int, error) { return procfs.Family(p.process.PID()) }

// Version is the server's.
func (p *postgresServer) Version() string {
	return "PostgreSQL " + p.admin.ParameterStatus("server_version")
}

// Check counts the ledger and adds the balances up.
func (p *postgresServer) Check(ctx context.Context, sent uint64) error {
	results, err := p.admin.Exec(ctx, "select count(*), (select sum(balance) from accounts) from ledger").ReadAll()
	if err != nil {
		return fmt.Errorf("peers: postgres: %w", err)
	}
	row := results[0].Rows[0]
	if want := strconv.Itoa(p.accounts * openingMinor); string(row[1]) != want {
		return fmt.Errorf("peers: postgres: %w: the accounts hold %s, not %s", ErrDisagree, row[1], want)
	}
	return sameCount(Postgres, string(row[0]), sent)
}

// Stop ends it; asked nicely, PostgreSQL waits for its last client.
func (p *postgresServer) Stop() error {
	return errors.Join(p.admin.Close(context.Background()), p.station.Stop())
}

// Discard is Stop when something else has failed.
func (p *postgresServer) Discard() {
	if p.admin != nil {
		_ = p.admin.Close(context.Background()) // what has failed before is the error
	}
	p.station.Discard()
}
