/* The server against libfstrm, which is what BIND, Unbound and Knot send with. */
#include "harness.h"

#include "events.h"
#include "input/dnstap_server.h"
#include "input/frames.h"
#include "scratch.h"

#include <fstrm.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SENT = 5000 };

struct sender {
    char path[64]; /* of a unix socket, or "" */
    char port[8];
    uint16_t first;
    fstrm_res closed;
};

static struct fstrm_writer *writer_of(const struct sender *s)
{
    static const char content[] = "protobuf:dnstap.Dnstap";
    struct fstrm_writer_options *wopt = fstrm_writer_options_init();
    struct fstrm_writer *w;
    fstrm_writer_options_add_content_type(wopt, content, strlen(content));
    if (s->path[0]) {
        struct fstrm_unix_writer_options *uopt = fstrm_unix_writer_options_init();
        fstrm_unix_writer_options_set_socket_path(uopt, s->path);
        w = fstrm_unix_writer_init(uopt, wopt);
        fstrm_unix_writer_options_destroy(&uopt);
    } else {
        struct fstrm_tcp_writer_options *topt = fstrm_tcp_writer_options_init();
        fstrm_tcp_writer_options_set_socket_address(topt, "127.0.0.1");
        fstrm_tcp_writer_options_set_socket_port(topt, s->port);
        w = fstrm_tcp_writer_init(topt, wopt);
        fstrm_tcp_writer_options_destroy(&topt);
    }
    fstrm_writer_options_destroy(&wopt);
    return w;
}

static void *send_all(void *arg)
{
    struct sender *s = arg;
    struct fstrm_writer *w = writer_of(s);
    s->closed = fstrm_writer_open(w);
    for (unsigned i = 0; i < SENT && s->closed == fstrm_res_success; i++) {
        struct buffer frame;
        buffer_init(&frame, 4096);
        event_query(&frame, (uint16_t)(s->first + i));
        s->closed = fstrm_writer_write(w, frame.ptr, frame.len);
        buffer_release(&frame);
    }
    if (s->closed == fstrm_res_success)
        s->closed = fstrm_writer_close(w); /* waits for FINISH */
    fstrm_writer_destroy(&w);
    return NULL;
}

static const char *path;
static char address[192];

static int setup(void **state)
{
    (void)state;
    path = scratch_path("tap");
    sprintf(address, "unix:%s", path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

/* Reads until `want` messages came, or 10 s went by. */
static uint32_t read_until(struct dnstap_server *server, struct harness *h, uint32_t want)
{
    struct fault why;
    time_t end = time(NULL) + 10;
    while (h->batch.count < want && time(NULL) < end)
        assert_int_equal(dnstap_server_read(server, &h->batch, &h->tally, 20, &why), 0);
    return h->batch.count;
}

static void test_libfstrm(void **state)
{
    (void)state;
    static struct harness h;
    struct sender senders[4] = { 0 };
    pthread_t threads[4];
    struct dnstap_server *server;
    struct dnstap_server_stats stats;
    struct fault why;
    static bool seen[65536];
    harness_init(&h);
    h.batch.room = 64; /* many small batches: frames wait for room */
    assert_int_equal(dnstap_server_open(&server, address, &h.options, &why), 0);
    assert_int_equal(dnstap_server_listen(server, "tcp:127.0.0.1:0", &why), 0);
    for (int i = 0; i < 4; i++) {
        senders[i].first = (uint16_t)(i * SENT);
        if (i % 2)
            sprintf(senders[i].port, "%u", dnstap_server_port(server, 1));
        else
            strcpy(senders[i].path, path);
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    uint32_t total = 0;
    time_t end = time(NULL) + 20;
    do {
        message_batch_clear(&h.batch);
        assert_int_equal(dnstap_server_read(server, &h.batch, &h.tally, 20, &why), 0);
        assert_true(h.batch.count <= 64);
        total += h.batch.count;
        for (uint32_t i = 0; i < h.batch.count; i++)
            seen[get_be16(h.batch.messages[i].wire)] = true;
        dnstap_server_stats(server, &stats);
    } while ((total < 4 * SENT || stats.clients) && time(NULL) < end);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(senders[i].closed, fstrm_res_success);
    }
    assert_int_equal(total, 4 * SENT);
    for (int i = 0; i < 4 * SENT; i++)
        assert_true(seen[i]);
    assert_string_equal(harness_counts(&h), "");
    dnstap_server_close(&server);
    assert_int_equal(access(path, F_OK), -1);
    harness_release(&h);
}

static int connect_raw(void)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(to.sun_path, path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void send_raw(int fd, const void *ptr, size_t len)
{
    assert_int_equal(send(fd, ptr, len, MSG_NOSIGNAL), len);
}

/* One-way START without READY; a client that stops in the middle of a frame and
 * one that talks nonsense do not disturb it. */
static void test_hostile(void **state)
{
    (void)state;
    static struct harness h;
    struct dnstap_server *server;
    struct dnstap_server_stats stats;
    struct fault why;
    struct buffer frame;
    uint8_t start[FRAMES_WRITE_MAX], length[4];
    size_t n = frames_write(start, FRAMES_START, true);
    harness_init(&h);
    buffer_init(&frame, 4096);
    event_query(&frame, 1);
    put_be32(length, (uint32_t)frame.len);
    assert_int_equal(dnstap_server_open(&server, address, &h.options, &why), 0);

    int silent = connect_raw(), half = connect_raw(), nonsense = connect_raw(), big = connect_raw();
    send_raw(half, start, n);
    send_raw(half, length, 4);
    send_raw(half, frame.ptr, 3);
    send_raw(nonsense, "GET / HTTP/1.0\r\n\r\n", 18);
    send_raw(big, start, n);
    send_raw(big, "\x7f\xff\xff\xff", 4);
    int good = connect_raw();
    send_raw(good, start, n);
    send_raw(good, length, 4);
    send_raw(good, frame.ptr, frame.len);
    assert_int_equal(read_until(server, &h, 1), 1);
    send_raw(half, frame.ptr + 3, frame.len - 3);
    assert_int_equal(read_until(server, &h, 2), 2);
    assert_int_equal(h.tally.n[TALLY_BAD_RECORD], 2);
    dnstap_server_stats(server, &stats);
    assert_int_equal(stats.clients, 3);

    /* Another content type is not ours. */
    int other = connect_raw();
    start[n - 1] ^= 1;
    send_raw(other, start, n);
    close(good);
    close(half);
    for (int i = 0; i < 20; i++)
        assert_int_equal(dnstap_server_read(server, &h.batch, &h.tally, 5, &why), 0);
    dnstap_server_stats(server, &stats);
    assert_int_equal(stats.clients, 1);
    assert_int_equal(h.tally.n[TALLY_BAD_RECORD], 3);
    close(silent), close(nonsense), close(big), close(other);
    dnstap_server_close(&server);
    buffer_release(&frame);
    harness_release(&h);
}

static void test_full(void **state)
{
    (void)state;
    static struct harness h;
    struct dnstap_server *server;
    struct dnstap_server_stats stats;
    struct fault why;
    int fds[DNSTAP_CLIENTS_MAX + 10];
    harness_init(&h);
    assert_int_equal(dnstap_server_open(&server, address, &h.options, &why), 0);
    for (int i = 0; i < DNSTAP_CLIENTS_MAX + 10; i++) {
        fds[i] = connect_raw();
        assert_int_equal(dnstap_server_read(server, &h.batch, &h.tally, 50, &why), 0);
    }
    dnstap_server_stats(server, &stats);
    assert_int_equal(stats.clients, DNSTAP_CLIENTS_MAX);
    assert_int_equal(stats.refused, 10);
    assert_int_equal(h.tally.n[TALLY_CONNECTION_REFUSED], 10);
    for (int i = 0; i < DNSTAP_CLIENTS_MAX + 10; i++)
        close(fds[i]);
    dnstap_server_close(&server);
    harness_release(&h);
}

static void test_addresses(void **state)
{
    (void)state;
    struct input_options options = { 0 };
    struct dnstap_server *server, *second;
    struct fault why;
    struct stat st;
    static const char *const bad[] = { "", "unix:", "tcp:", "tcp:1.2.3.4", "tcp:x:1",
                                       "tcp:127.0.0.1:65536", "/run/x", "tcp:[::1:53" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(dnstap_server_open(&server, bad[i], &options, &why), E_USAGE);

    assert_int_equal(dnstap_server_open(&server, address, &options, &why), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(dnstap_server_open(&second, address, &options, &why), E_LOCKED);
    dnstap_server_close(&server);

    /* A socket file whose owner died is replaced, another file is not touched. */
    struct sockaddr_un stale = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(stale.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&stale, sizeof stale), 0);
    close(fd);
    assert_int_equal(dnstap_server_open(&server, address, &options, &why), 0);
    dnstap_server_close(&server);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(dnstap_server_open(&server, address, &options, &why), E_USAGE);
    assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_libfstrm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
