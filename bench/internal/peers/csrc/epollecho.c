/*
 * The least that a server can do: one thread, one epoll set, no library. For each request of REQUEST bytes it returns an answer of
 * RESPONSE bytes that begins with the request's. Requests that come with one read are answered with one write, as tradechatd does.
 *
 *     epollecho REQUEST RESPONSE    prints "ready 127.0.0.1:PORT" once it accepts; ends after SIGTERM
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10, EVENTS_MAX = 256, BACKLOG = 1024, LENGTH_MAX = 4096 };

struct connection {
	int fd;
	size_t held; /* bytes of a request that is not whole */
	char in[BUFFER_BYTES];
};

static size_t request_len, response_len;
static char out[BUFFER_BYTES];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void ended(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static int listening(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&address, &length))
		fail("listen");
	printf("ready 127.0.0.1:%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void accept_one(int epoll, int listener)
{
	struct connection *c;
	struct epoll_event event = {.events = EPOLLIN};
	int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
			return;
		fail("accept4");
	}
	c = malloc(sizeof *c);
	if (!c)
		fail("malloc");
	c->fd = fd;
	c->held = 0;
	event.data.ptr = c;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
}

static void hang_up(struct connection *c)
{
	close(c->fd);
	free(c);
}

/* serve answers what is whole; a client that does not take its answers is hung up on. */
static void serve(struct connection *c)
{
	size_t at = 0, length = 0, room = sizeof out / response_len * request_len;
	ssize_t n;

	if (room > sizeof c->in)
		room = sizeof c->in;
	n = read(c->fd, c->in + c->held, room - c->held);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(c);
		return;
	}
	c->held += (size_t)n;
	for (; c->held - at >= request_len; at += request_len, length += response_len) {
		memcpy(out + length, c->in + at, request_len);
		memset(out + length + request_len, 0, response_len - request_len);
	}
	c->held -= at;
	memmove(c->in, c->in + at, c->held);
	if (length && write(c->fd, out, length) != (ssize_t)length)
		hang_up(c);
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX], event = {.events = EPOLLIN};
	int epoll, listener;

	request_len = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	response_len = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	if (request_len < 1 || response_len < request_len || response_len > LENGTH_MAX) {
		fprintf(stderr, "usage: epollecho REQUEST RESPONSE, 1 <= REQUEST <= RESPONSE <= %d\n", LENGTH_MAX);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, ended);
	listener = listening();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) /* data is 0: the listener */
		fail("epoll");
	for (;;) {
		int i, n = epoll_wait(epoll, events, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			fail("epoll_wait");
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr)
				serve(events[i].data.ptr);
			else
				accept_one(epoll, listener);
		}
	}
}
