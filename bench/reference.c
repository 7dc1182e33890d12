/* reference: the simplest loop that does the same reading, as a yardstick.
 *
 * libpcap, headers by hand, every record of every message walked with its names
 * decompressed and lower-cased, each (name, type, rdata) hashed into a table of counters.
 * No pairing, no time, no ownership, nothing kept on disk: what a store costs on top of
 * this is what `dnsmon ingest` is measured for.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { NAME_MAX_BYTES = 255, JUMPS_MAX = 64 };

static struct {
    uint64_t *keys; /* 0 = free */
    uint64_t *counts;
    uint64_t mask, used;
} table;

static void table_resize(uint64_t size)
{
    uint64_t *keys = table.keys, *counts = table.counts;
    uint64_t old = keys ? table.mask + 1 : 0;
    table.keys = calloc(size, sizeof(*table.keys));
    table.counts = calloc(size, sizeof(*table.counts));
    if (!table.keys || !table.counts) {
        fprintf(stderr, "reference: out of memory\n");
        exit(1);
    }
    table.mask = size - 1;
    for (uint64_t i = 0; i < old; i++)
        if (keys[i]) {
            uint64_t at = keys[i] & table.mask;
            while (table.keys[at])
                at = (at + 1) & table.mask;
            table.keys[at] = keys[i];
            table.counts[at] = counts[i];
        }
    free(keys);
    free(counts);
}

static void table_count(uint64_t key)
{
    key |= key == 0;
    uint64_t at = key & table.mask;
    while (table.keys[at] && table.keys[at] != key)
        at = (at + 1) & table.mask;
    table.counts[at]++;
    if (!table.keys[at]) {
        table.keys[at] = key;
        if (++table.used * 2 > table.mask)
            table_resize(2 * (table.mask + 1));
    }
}

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Decompresses and lower-cases; returns the offset behind the name, 0 when malformed. */
static unsigned read_name(const uint8_t *wire, unsigned len, unsigned at, uint8_t *to, unsigned *ret_len)
{
    unsigned behind = 0, n = 0, jumps = 0;
    for (;;) {
        if (at >= len)
            return 0;
        unsigned label = wire[at];
        if (label >= 0xc0) {
            if (at + 1 >= len || ++jumps > JUMPS_MAX)
                return 0;
            if (!behind)
                behind = at + 2;
            at = get16(wire + at) & 0x3fff;
            continue;
        }
        if (label > 63 || at + 1 + label > len || n + 1 + label > NAME_MAX_BYTES)
            return 0;
        to[n++] = (uint8_t)label;
        if (label == 0)
            break;
        for (unsigned i = 1; i <= label; i++) {
            uint8_t c = wire[at + i];
            to[n++] = (uint8_t)(c - 'A' < 26u ? c | 0x20 : c);
        }
        at += 1 + label;
    }
    *ret_len = n;
    return behind ? behind : at + 1;
}

/* Names at the front of rdata and the bytes before them, by type; -1 = no names. */
static int names_in(unsigned type, unsigned *ret_names)
{
    *ret_names = type == 6 ? 2 : 1;
    switch (type) {
    case 2: case 5: case 6: case 12: case 39:
        return 0;
    case 15:
        return 2;
    case 33:
        return 6;
    }
    return -1;
}

static uint64_t walk(const uint8_t *wire, unsigned len)
{
    uint8_t key[65536 + 1024];
    uint64_t records = 0;
    unsigned name_len;
    if (len < 12)
        return 0;
    unsigned at = 12, n = get16(wire + 6) + get16(wire + 8) + get16(wire + 10);
    for (unsigned q = get16(wire + 4); q; q--) {
        at = read_name(wire, len, at, key, &name_len);
        if (!at || at + 4 > len)
            return 0;
        at += 4;
    }
    for (; n; n--) {
        at = read_name(wire, len, at, key, &name_len);
        if (!at || at + 10 > len)
            break;
        unsigned type = get16(wire + at), rdlen = get16(wire + at + 8), names, key_len = name_len;
        memcpy(key + key_len, wire + at, 2);
        key_len += 2;
        at += 10;
        unsigned end = at + rdlen;
        if (end > len)
            break;
        int before = names_in(type, &names);
        if (before >= 0 && (unsigned)before <= rdlen) {
            memcpy(key + key_len, wire + at, (size_t)before);
            key_len += (unsigned)before;
            at += (unsigned)before;
            for (; names && at; names--) {
                at = read_name(wire, end, at, key + key_len, &name_len);
                key_len += at ? name_len : 0;
            }
            if (!at)
                break;
        }
        memcpy(key + key_len, wire + at, end - at);
        key_len += end - at;
        at = end;
        table_count(XXH3_64bits(key, key_len));
        records++;
    }
    return records;
}

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: reference FILE\n");
        return 2;
    }
    if (!pcap || pcap_datalink(pcap) != DLT_EN10MB) {
        fprintf(stderr, "reference: %s: %s\n", argv[1], pcap ? "not Ethernet" : why);
        return 1;
    }
    table_resize(1 << 16);

    uint64_t messages = 0, responses = 0, records = 0;
    struct pcap_pkthdr *head;
    const uint8_t *frame;
    int status;
    while ((status = pcap_next_ex(pcap, &head, &frame)) == 1) {
        unsigned len = head->caplen, at = 14;
        if (len < at)
            continue;
        unsigned ether = get16(frame + 12);
        if (ether == 0x0800) {
            if (len < at + 20 || frame[at + 9] != 17 || (get16(frame + at + 6) & 0x3fff))
                continue;
            at += (frame[at] & 15u) * 4;
        } else if (ether == 0x86dd) {
            if (len < at + 40 || frame[at + 6] != 17)
                continue;
            at += 40;
        } else {
            continue;
        }
        if (len < at + 8 || (get16(frame + at) != 53 && get16(frame + at + 2) != 53))
            continue;
        unsigned udp_len = get16(frame + at + 4);
        if (udp_len < 8 + 12 || at + udp_len > len)
            continue;
        messages++;
        responses += frame[at + 8 + 2] >> 7;
        records += walk(frame + at + 8, udp_len - 8);
    }
    pcap_close(pcap);

    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double cpu_s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                   (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    printf("{\"messages\": %" PRIu64 ", \"responses\": %" PRIu64 ", \"rr\": %" PRIu64
           ", \"distinct_rr\": %" PRIu64 ", \"cpu_s\": %.3f, \"max_rss_kb\": %ld}\n",
           messages, responses, records, table.used, cpu_s, use.ru_maxrss);
    free(table.keys);
    free(table.counts);
    return status == PCAP_ERROR_BREAK ? 0 : 1;
}
