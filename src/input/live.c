#include "input/live.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>

enum {
    LIVE_BUFFER = 64 << 20,
    LIVE_SNAPLEN = 262144,
    LIVE_DISPATCH = 1024, /* packets between looks at the room in the batch */
    LIVE_STATS_EVERY = 1 << 16,
};

struct live {
    pcap_t *pcap;
    int linktype;
    int fd;
    int64_t unit_ns; /* of tv_usec */
    uint64_t packets;
    uint64_t packets_at_stats;
    uint32_t dropped; /* as the kernel counts, wrapping */
    volatile bool stopped; /* set by live_stop, perhaps in a signal handler */

    /* The call being served. */
    struct transport *transport;
    struct message_batch *batch;
    struct tally *tally;
    int rc;
};

static int live_fault(pcap_t *pcap, struct fault *why, const char *interface, const char *what)
{
    return fault_set(why, E_IO, "%s: %s: %s", interface, what, pcap_geterr(pcap));
}

static int set_filter(pcap_t *pcap, const char *interface, const char *filter, struct fault *why)
{
    struct bpf_program program;
    if (filter == NULL || *filter == '\0')
        return 0;
    if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return fault_set(why, E_USAGE, "%s: filter \"%s\": %s", interface, filter,
                         pcap_geterr(pcap));
    int rc = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return rc < 0 ? live_fault(pcap, why, interface, "cannot set the filter") : 0;
}

static int activate(struct live *live, const char *interface, const struct live_options *o,
                    struct fault *why)
{
    pcap_t *pcap = live->pcap;
    size_t bytes = o->buffer_bytes ? o->buffer_bytes : LIVE_BUFFER;
    pcap_set_snaplen(pcap, o->snaplen ? o->snaplen : LIVE_SNAPLEN);
    pcap_set_promisc(pcap, !o->no_promiscuous);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_buffer_size(pcap, bytes > 1 << 30 ? 1 << 30 : (int)bytes);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    int rc = pcap_activate(pcap);
    if (rc < 0)
        return fault_set(why, rc == PCAP_ERROR_NO_SUCH_DEVICE ? E_ABSENT : E_IO, "%s: %s: %s",
                         interface, pcap_statustostr(rc), pcap_geterr(pcap));
    rc = set_filter(pcap, interface, o->filter, why);
    if (rc < 0)
        return rc;
    char reason[PCAP_ERRBUF_SIZE];
    if (pcap_setnonblock(pcap, 1, reason) < 0)
        return fault_set(why, E_IO, "%s: %s", interface, reason);
    live->linktype = pcap_datalink(pcap);
    live->fd = pcap_get_selectable_fd(pcap);
    live->unit_ns = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    return 0;
}

int live_open(struct live **ret, const char *interface, const struct live_options *options,
              struct fault *why)
{
    const struct live_options defaults = { 0 };
    char reason[PCAP_ERRBUF_SIZE];
    struct live *live = calloc(1, sizeof *live);
    if (live == NULL)
        return fault_set(why, E_NOMEM, "%s: no memory", interface);
    live->pcap = pcap_create(interface, reason);
    int rc = live->pcap ? activate(live, interface, options ? options : &defaults, why)
                        : fault_set(why, E_IO, "%s: %s", interface, reason);
    if (rc < 0)
        live_close(&live);
    else
        *ret = live;
    return rc;
}

void live_close(struct live **live)
{
    struct live *l = *live;
    *live = NULL;
    if (l == NULL)
        return;
    if (l->pcap)
        pcap_close(l->pcap);
    free(l);
}

static void on_packet(u_char *ctx, const struct pcap_pkthdr *header, const u_char *frame)
{
    struct live *live = (struct live *)ctx;
    if (live->rc < 0)
        return;
    int64_t ts_ns = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec * live->unit_ns;
    live->packets++;
    live->rc = transport_frame(live->transport, live->linktype, ts_ns, frame, header->caplen,
                               header->len, live->batch, live->tally);
}

static void count_drops(struct live *live, struct tally *tally)
{
    struct pcap_stat stat;
    live->packets_at_stats = live->packets;
    if (pcap_stats(live->pcap, &stat) < 0)
        return;
    uint32_t dropped = stat.ps_drop + stat.ps_ifdrop;
    tally->n[TALLY_CAPTURE_DROP] += dropped - live->dropped;
    live->dropped = dropped;
}

/* Without a descriptor to wait on, short naps. */
static void wait_for_packets(const struct live *live, int timeout_ms)
{
    struct pollfd on = { .fd = live->fd, .events = POLLIN };
    if (live->fd < 0)
        poll(NULL, 0, timeout_ms < 10 ? timeout_ms : 10);
    else
        poll(&on, 1, timeout_ms);
}

int live_read(struct live *live, struct transport *transport, struct message_batch *batch,
              struct tally *tally, int timeout_ms, struct fault *why)
{
    bool waited = false;
    live->transport = transport;
    live->batch = batch;
    live->tally = tally;
    live->rc = 0;
    while (!live->stopped && !message_batch_is_full(batch)) {
        int n = pcap_dispatch(live->pcap, LIVE_DISPATCH, on_packet, (u_char *)live);
        if (n == PCAP_ERROR_BREAK || live->stopped)
            break;
        if (n < 0)
            return fault_set(why, E_IO, "capture: %s", pcap_geterr(live->pcap));
        if (live->rc < 0)
            return fault_set(why, live->rc, "capture: %s", fault_text(live->rc));
        if (live->packets - live->packets_at_stats >= LIVE_STATS_EVERY)
            count_drops(live, tally);
        if (n == 0 && (waited || batch->count > 0))
            break;
        if (n == 0) {
            wait_for_packets(live, timeout_ms);
            waited = true;
        }
    }
    if (waited || live->stopped)
        count_drops(live, tally);
    return live->stopped ? fault_set(why, E_INTERRUPTED, "capture was stopped") : 0;
}

uint64_t live_packets(const struct live *live)
{
    return live->packets;
}

void live_stop(struct live *live)
{
    live->stopped = true;
    pcap_breakloop(live->pcap);
}
