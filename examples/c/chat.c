/* chat: a small chat-and-transfer client: log in, join the lobby, talk, send money. Uses libtradechat.
 *
 *     cc chat.c $(pkg-config --cflags --libs tradechat) -o chat
 *     TRADECHAT_PASSWORD=correct-horse-battery ./chat 127.0.0.1:7878 alice [--register]
 *
 * Every line on stdin is a message to the lobby, or one of
 *
 *     /deposit AMOUNT    /pay USER AMOUNT    /balance    /quit
 *
 * with amounts in minor units (cents). Exit code 0 at the end of stdin or after /quit, 1 after an error, 2 for a wrong use.
 *
 * One thread, and one request on its way at a time: send, then read until its response is there. Pushes that come in
 * between are printed. A client that must not lose an answer about money with its connection reconnects, logs in with
 * resume_session_id, and sends the request again under the same req_id; docs/protocol.md, "Sessions and retries". */
#include <tradechat/log.h>
#include <tradechat/net.h>
#include <tradechat/proto.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 10000, LINE_MAX_BYTES = 4096 };

/* One connection. */
static struct {
    int fd;
    tc_log *log;
    tc_proto_decoder *decoder;
    uint64_t last_req_id;
    int heartbeat_ms;
    uint8_t out[TC_PROTO_HEADER_LEN + TC_PROTO_BODY_LEN_MAX_DEFAULT];
    uint8_t body[TC_PROTO_BODY_LEN_MAX_DEFAULT]; /* of the frame that was received last */
} conn;

static void log_line(int level, const char *message, const char *detail, const tc_proto_header *h) {
    tc_log_field field = {0};
    tc_log_event event = {0};

    event.level = level;
    event.message = message;
    if (h != NULL) {
        event.req_id = h->req_id;
        event.opcode = tc_proto_opcode_name(h->opcode);
        event.status = tc_proto_status_name(h->status);
    }
    if (detail != NULL) {
        field.key = "detail";
        field.type = TC_LOG_TEXT;
        field.value.text = detail;
        event.fields = &field;
        event.fields_count = 1;
    }
    tc_log_write(conn.log, &event);
}

static _Noreturn void fail(const char *what, const char *why) {
    log_line(TC_LOG_ERROR, what, why, NULL);
    exit(1);
}

static void check(const char *what, int rc) {
    if (rc < 0)
        fail(what, tc_proto_strerror(rc));
}

/* ---- Receiving ---------------------------------------------------------------------------------------------------- */

static void on_push(const tc_proto_frame *f) {
    tc_proto_chat_broadcast b;
    tc_proto_going_away away;

    if (tc_proto_decode_chat_broadcast(f, &b) == TC_PROTO_OK) {
        printf("%.*s: %.*s\n", (int)b.from_name.len, (const char *)b.from_name.data, (int)b.message.len,
               (const char *)b.message.data);
        fflush(stdout);
    } else if (tc_proto_decode_going_away(f, &away) == TC_PROTO_OK) {
        char why[64];
        snprintf(why, sizeof why, "reason %u, come back after %" PRIu32 " ms", away.reason, away.reconnect_after_ms);
        fail("the server is going away", why);
    }
}

/* Waits until bytes have come and feeds them to the decoder. */
static void receive(void) {
    static uint8_t in[TC_PROTO_FEED_MAX];
    ssize_t n;

    do
        n = recv(conn.fd, in, sizeof in, 0); /* its time-out was set by connect_to */
    while (n < 0 && errno == EINTR);
    if (n == 0)
        fail("connection", "the server has closed it");
    if (n < 0)
        fail("connection", strerror(errno));
    check("feed", tc_proto_decoder_feed(conn.decoder, in, (size_t)n));
}

/* The next frame that is there: 1, or 0 when there is none. */
static int next_frame(tc_proto_frame *f) {
    int rc = tc_proto_decoder_next(conn.decoder, f, conn.body, sizeof conn.body);
    check("stream", rc);
    if (rc == 1)
        check("frame", f->error);
    return rc;
}

static int is_push(const tc_proto_frame *f) { return !(f->header.flags & TC_PROTO_FLAG_RESPONSE); }

/* Handles the pushes that have come. */
static void take_pushes(void) {
    tc_proto_frame f;
    while (next_frame(&f) == 1)
        if (is_push(&f))
            on_push(&f);
}

/* ---- Asking ------------------------------------------------------------------------------------------------------- */

static tc_proto_header request(uint16_t opcode) {
    tc_proto_header h = {0};
    h.opcode = opcode;
    h.req_id = ++conn.last_req_id;
    return h;
}

/* Sends the len bytes of conn.out, whose header is h, and waits for the response. Returns 0 when the server has refused,
 * after saying why. rc is the result of encoding. */
static int ask(const tc_proto_header *h, int rc, size_t len, tc_proto_frame *answer) {
    tc_proto_error_body error;

    check("request", rc);
    if (tc_net_writen(conn.fd, conn.out, len, TIMEOUT_MS, NULL) != TC_NET_OK)
        fail("send", tc_net_detail());
    for (;;) {
        while (next_frame(answer) == 0)
            receive();
        if (!is_push(answer)) {
            if (answer->header.req_id == h->req_id)
                break;
            continue; /* of nobody */
        }
        on_push(answer);
    }
    if (answer->header.status == TC_PROTO_STATUS_OK)
        return 1;
    check("error body", tc_proto_decode_error_body(answer, &error));
    log_line(TC_LOG_WARN, "refused", NULL, &answer->header);
    printf("refused: %s %.*s\n", tc_proto_status_name(answer->header.status), (int)error.detail.len,
           (const char *)error.detail.data);
    fflush(stdout);
    return 0;
}

/* ---- Logging in --------------------------------------------------------------------------------------------------- */

static void connect_to(const char *address) {
    tc_net_dial_options o = {0};
    o.attempts = 5;
    o.socket.keepalive.idle_s = 60;
    o.socket.keepalive.interval_s = 15;
    o.socket.keepalive.count = 4;
    conn.fd = tc_net_dial("tcp", address, &o);
    if (conn.fd < 0)
        fail("connect", tc_net_detail());
    if (tc_net_set_timeouts(conn.fd, TIMEOUT_MS, TIMEOUT_MS) != TC_NET_OK)
        fail("connect", tc_net_detail());
}

static void greet(tc_proto_login *login, tc_proto_hello_response *hello) {
    tc_proto_hello_request b = {0};
    tc_proto_header h = request(TC_PROTO_OP_HELLO);
    tc_proto_frame answer;
    tc_proto_rules rules = {0};
    size_t len;

    check("nonce", tc_proto_random(login->client_nonce, sizeof login->client_nonce));
    b.version_min = b.version_max = 1;
    b.agent = tc_proto_text("examples/c/chat");
    memcpy(b.client_nonce, login->client_nonce, sizeof b.client_nonce);
    int rc = tc_proto_encode_hello_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (!ask(&h, rc, len, &answer))
        fail("hello", "refused");
    check("hello", tc_proto_decode_hello_response(&answer, hello));
    memcpy(login->server_nonce, hello->server_nonce, sizeof login->server_nonce);
    if (hello->body_len_max < TC_PROTO_BODY_LEN_MAX_DEFAULT)
        rules.body_len_max = hello->body_len_max;
    else
        rules.body_len_max = TC_PROTO_BODY_LEN_MAX_DEFAULT; /* what conn.body holds */
    check("rules", tc_proto_decoder_set_rules(conn.decoder, &rules));
    conn.heartbeat_ms = (int)hello->heartbeat_interval_ms;
}

static void make_account(const tc_proto_login *login, const tc_proto_keys *keys) {
    tc_proto_register_request b = {0};
    tc_proto_header h = request(TC_PROTO_OP_REGISTER);
    tc_proto_frame answer;
    size_t len;

    b.username = login->username;
    memcpy(b.stored_key, keys->stored, sizeof b.stored_key);
    memcpy(b.server_key, keys->server, sizeof b.server_key);
    int rc = tc_proto_encode_register_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (!ask(&h, rc, len, &answer))
        fail("register", "refused");
}

static void log_in(const char *user, const char *password, int new_account) {
    tc_proto_login login = {0};
    tc_proto_hello_response hello;
    tc_proto_keys keys;
    tc_proto_login_request b = {0};
    tc_proto_login_response r;
    tc_proto_frame answer;
    size_t len;

    login.username = tc_proto_text(user);
    greet(&login, &hello);
    check("keys", tc_proto_derive_keys(tc_proto_text(password), login.username, hello.realm_salt, hello.kdf_iterations, &keys));
    if (new_account)
        make_account(&login, &keys);

    tc_proto_header h = request(TC_PROTO_OP_LOGIN);
    b.username = login.username;
    check("proof", tc_proto_login_proof(&keys, &login, b.proof));
    int rc = tc_proto_encode_login_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (!ask(&h, rc, len, &answer))
        fail("login", "refused");
    check("login", tc_proto_decode_login_response(&answer, &r));
    check("the server's signature", tc_proto_check_server_signature(&keys, &login, r.server_signature));
    explicit_bzero(&keys, sizeof keys);
    printf("you are %s, user %" PRIu32 ", balance %" PRId64 "\n", user, r.user_id, r.balance);
}

static void join_lobby(void) {
    tc_proto_join_room_request b = {0};
    tc_proto_join_room_response r;
    tc_proto_header h = request(TC_PROTO_OP_JOIN_ROOM);
    tc_proto_frame answer;
    size_t len;

    b.room_id = TC_PROTO_LOBBY_ROOM_ID;
    int rc = tc_proto_encode_join_room_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (!ask(&h, rc, len, &answer))
        fail("join", "refused");
    check("join", tc_proto_decode_join_room_response(&answer, &r));
    printf("joined the lobby, %" PRIu32 " there\n", r.member_count);
    fflush(stdout);
}

/* ---- Commands ----------------------------------------------------------------------------------------------------- */

static void say(const char *text) {
    tc_proto_chat_send_request b = {0};
    tc_proto_header h = request(TC_PROTO_OP_CHAT_SEND);
    tc_proto_frame answer;
    size_t len = 0;

    b.room_id = TC_PROTO_LOBBY_ROOM_ID;
    b.message = tc_proto_text(text);
    int rc = tc_proto_encode_chat_send_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (rc == TC_PROTO_E_UTF8)
        puts("refused: that is not UTF-8");
    else
        ask(&h, rc, len, &answer);
}

static void print_txn(const tc_proto_frame *answer) {
    tc_proto_txn_response r;
    check("transaction", tc_proto_decode_txn_response(answer, &r));
    printf("done: transaction %" PRIu64 ", balance %" PRId64 "\n", r.txn_id, r.balance);
}

static void deposit(uint64_t amount) {
    tc_proto_amount_request b = {0};
    tc_proto_header h = request(TC_PROTO_OP_DEPOSIT);
    tc_proto_frame answer;
    size_t len;

    b.amount = amount;
    int rc = tc_proto_encode_amount_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (ask(&h, rc, len, &answer))
        print_txn(&answer);
}

/* Finds a user; 0 when there is none. */
static uint32_t look_up(const char *user) {
    tc_proto_user_lookup_request b = {0};
    tc_proto_user_lookup_response r;
    tc_proto_header h = request(TC_PROTO_OP_USER_LOOKUP);
    tc_proto_frame answer;
    size_t len;

    b.username = tc_proto_text(user);
    int rc = tc_proto_encode_user_lookup_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (!ask(&h, rc, len, &answer))
        return 0;
    check("lookup", tc_proto_decode_user_lookup_response(&answer, &r));
    return r.user_id;
}

static void pay(const char *user, uint64_t amount) {
    tc_proto_transfer_request b = {0};
    tc_proto_frame answer;
    size_t len;

    b.to_user_id = look_up(user);
    b.amount = amount;
    if (b.to_user_id == 0)
        return;
    tc_proto_header h = request(TC_PROTO_OP_TRANSFER);
    int rc = tc_proto_encode_transfer_request(&h, &b, conn.out, sizeof conn.out, &len);
    if (ask(&h, rc, len, &answer))
        print_txn(&answer);
}

static void show_balance(void) {
    tc_proto_balance_response r;
    tc_proto_header h = request(TC_PROTO_OP_BALANCE);
    tc_proto_frame answer;
    size_t len;

    int rc = tc_proto_encode_empty(&h, conn.out, sizeof conn.out, &len);
    if (!ask(&h, rc, len, &answer))
        return;
    check("balance", tc_proto_decode_balance_response(&answer, &r));
    printf("balance %" PRId64 "\n", r.balance);
}

static void heartbeat(void) {
    tc_proto_heartbeat_request b = {0};
    tc_proto_header h = request(TC_PROTO_OP_HEARTBEAT);
    tc_proto_frame answer;
    size_t len;

    int rc = tc_proto_encode_heartbeat_request(&h, &b, conn.out, sizeof conn.out, &len);
    ask(&h, rc, len, &answer);
}

/* Does what a line says; 0 when it says to end. */
static int run(const char *line) {
    char user[TC_PROTO_NAME_LEN_MAX + 1];
    uint64_t amount;

    if (line[0] == '\0')
        return 1;
    if (line[0] != '/')
        say(line);
    else if (strcmp(line, "/quit") == 0)
        return 0;
    else if (strcmp(line, "/balance") == 0)
        show_balance();
    else if (sscanf(line, "/deposit %" SCNu64, &amount) == 1)
        deposit(amount);
    else if (sscanf(line, "/pay %32s %" SCNu64, user, &amount) == 2)
        pay(user, amount);
    else
        puts("there are /deposit AMOUNT, /pay USER AMOUNT, /balance and /quit");
    fflush(stdout);
    return 1;
}

/* Does the lines of stdin and prints what comes, until one of them ends. */
static void talk(void) {
    static char line[LINE_MAX_BYTES];
    size_t have = 0;

    for (;;) {
        struct pollfd both[] = {{STDIN_FILENO, POLLIN, 0}, {conn.fd, POLLIN, 0}};
        int ready = poll(both, 2, conn.heartbeat_ms > 0 ? conn.heartbeat_ms : -1);
        if (ready < 0 && errno != EINTR)
            fail("poll", strerror(errno));
        if (ready == 0)
            heartbeat();
        if (ready > 0 && both[1].revents != 0) {
            receive();
            take_pushes();
        }
        if (ready <= 0 || both[0].revents == 0)
            continue;

        ssize_t n = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
        if (n <= 0)
            return;
        have += (size_t)n;
        line[have] = '\0';
        char *start = line, *end;
        while ((end = strchr(start, '\n')) != NULL) {
            *end = '\0';
            if (!run(start))
                return;
            start = end + 1;
        }
        have -= (size_t)(start - line);
        memmove(line, start, have);
        if (have == sizeof line - 1)
            fail("stdin", "the line is too long");
    }
}

int main(int argc, char **argv) {
    const char *password = getenv("TRADECHAT_PASSWORD");
    tc_log_options o = {0};

    if ((argc != 3 && !(argc == 4 && strcmp(argv[3], "--register") == 0)) || password == NULL) {
        fprintf(stderr, "usage: TRADECHAT_PASSWORD=... %s HOST:PORT USER [--register]\n", argv[0]);
        return 2;
    }
    o.role = "chat";
    if (tc_log_open(&o, &conn.log) != TC_LOG_OK || tc_proto_decoder_new(NULL, &conn.decoder) != TC_PROTO_OK) {
        fprintf(stderr, "%s: the libraries do not work here\n", argv[0]);
        return 1;
    }
    connect_to(argv[1]);
    log_in(argv[2], password, argc == 4);
    join_lobby();
    talk();

    tc_proto_header h = request(TC_PROTO_OP_LOGOUT);
    tc_proto_frame answer;
    size_t len;
    int rc = tc_proto_encode_empty(&h, conn.out, sizeof conn.out, &len);
    ask(&h, rc, len, &answer);
    close(conn.fd);
    tc_proto_decoder_free(conn.decoder);
    tc_log_close(conn.log);
    return 0;
}
