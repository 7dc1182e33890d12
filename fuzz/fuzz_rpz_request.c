/* A request to a policy zone. `flags | address | message`: flag 1: over TCP; flag 2: signed anew with a key that the server knows,
 * so that what lies behind signatures is reached. Properties: an answer has the request's id and is a reply; libknot can read it
 * and each message of a transfer; over UDP it is no longer than the request allows; who is not listed gets nothing but a refusal
 * of at most what was sent; with the serial of the newest version, no transfer begins. */
#include "must.h"
#include "protect/rpz/responder.h"

#include <libknot/libknot.h>
#include <netinet/in.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1700000000, LISTED = 0, FOREIGN = 1, WITH_KEY = 2, SECRET = 32 };

static struct responder *responder;
static struct zone *zone;

static const char *why_listed(void *ctx, const struct zone *z, enum trigger trigger, const char *name)
{
    (void)ctx;
    (void)z;
    (void)trigger;
    return name[0] == 'b' ? name : NULL;
}

static void version(uint32_t serial, const char *const *hosts, size_t n)
{
    unsigned action;
    must(zone_action(zone, serial == 1 ? "nxdomain" : "garden 192.0.2.1 2001:db8::1", &action, NULL) == 0);
    must(zone_begin(zone, serial, NULL) == 0);
    for (size_t i = 0; i < n; i++)
        must(zone_add(zone, i ? TRIGGER_HOST : TRIGGER_DOMAIN, hosts[i], action, NULL) == 0);
    must(zone_commit(zone, NULL) == 0);
}

static void set_up(void)
{
    static const char *const first[] = { "bad.test", "www.bad.test", "x.test" }, *const second[] = { "y.test", "x.test" };
    const struct zone_options options = { .origin = "rpz.test", .ns = "localhost", .mname = "localhost", .rname = "localhost",
                                          .ttl_s = 30, .journal_max = 100 };
    const struct responder_options responder_options = { .why = why_listed };
    must(zone_create(&zone, &options, NULL) == 0);
    version(1, first, 3);
    version(2, second, 2);
    must(responder_create(&responder, &responder_options, NULL) == 0);
    must(responder_add_key(responder, "k", "hmac-sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", NULL) == 0);
    must(responder_add_zone(responder, zone, NULL) == 0);
    must(responder_allow(responder, zone, "127.0.0.0", NULL, NULL) == 0);
    must(responder_allow(responder, zone, "127.0.0.2", "k", NULL) == 0);
}

static void must_read(const uint8_t *bytes, size_t len, const uint8_t *request)
{
    uint8_t *copy = malloc(len);
    must(copy != NULL && len >= REQUEST_HEADER);
    memcpy(copy, bytes, len);
    must(copy[2] & 0x80 && get_be16(copy) == get_be16(request));
    knot_pkt_t *pkt = knot_pkt_new(copy, (uint16_t)len, NULL);
    must(pkt != NULL && knot_pkt_parse(pkt, KNOT_PF_KEEPWIRE) == KNOT_EOK && pkt->parsed == len);
    knot_pkt_free(pkt);
    free(copy);
}

static void must_transfer(struct transfer *t, const uint8_t *request)
{
    static uint8_t message[TRANSFER_MESSAGE_MAX];
    int len;
    while ((len = transfer_message(t, message, 2048, NOW)) > 0)
        must_read(message, (size_t)len, request);
    must(len == 0 && t->records >= 3);
    transfer_end(t);
}

/* The key of what is signed is the server's, whatever the bytes say: the chain's maker signs it as it would a message of its own. */
static size_t sign_anew(uint8_t *message, size_t len)
{
    struct tsig_chain chain;
    struct request request;
    if (request_parse(&request, message, len) != 0 || request.has & REQUEST_SIGNED)
        return len;
    tsig_begin(&chain, responder_key(responder, "k"), request.id);
    return tsig_sign(&chain, message, len, NOW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t answer[RESPONDER_ANSWER_MAX];
    struct sockaddr_storage peer = { .ss_family = AF_INET };
    struct transfer transfer = { 0 };
    struct request parsed;
    struct exchange e;
    if (responder == NULL)
        set_up();
    if (size < 2 || size > RESPONDER_REQUEST_MAX - 512)
        return 0;
    bool over_tcp = data[0] & 1, foreign = data[1] % 3 == FOREIGN;
    ((struct sockaddr_in *)&peer)->sin_addr.s_addr = htonl(0x7f000000u + data[1] % 3);
    size_t len = size - 2;
    uint8_t *message = malloc(len + 512); /* exact but for what is signed, for the sanitizers */
    must(message != NULL);
    memcpy(message, data + 2, len);
    if (data[0] & 2)
        len = sign_anew(message, len);
    message = realloc(message, len + !len);
    struct asked asked = { .peer = &peer, .over_tcp = over_tcp, .bytes = message, .len = len, .now_s = NOW };
    int bad = request_parse(&parsed, message, len);
    responder_answer(responder, &asked, answer, &transfer, &e);
    must(!e.is_transfer || (over_tcp && !foreign && bad == 0 && e.len == 0));
    must(!(e.is_transfer && parsed.type == TYPE_IXFR && parsed.serial == 2));
    if (e.is_transfer)
        must_transfer(&transfer, message);
    must(transfer.walk.zone == NULL);
    if (e.len) {
        must_read(answer, e.len, message);
        must(!foreign || ((answer[3] & 15) == RCODE_REFUSED && e.len <= len + 11));
        must(over_tcp || bad || parsed.has & REQUEST_SIGNED || e.len <= (parsed.udp_room < 1232 ? parsed.udp_room : 1232));
    }
    if (len >= REQUEST_HEADER && responder_answer_too_long(responder, &asked, answer) != 0)
        must(get_be16(answer) == get_be16(message));
    free(message);
    return 0;
}
