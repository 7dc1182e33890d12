/* zeek: dns.log, as TSV with its header or as JSON lines.
 *
 * TSV columns are found by name, in any order; #separator, #set_separator,
 * #empty_field and #unset_field are followed, a second header in the same file
 * (files put together) starts over. JSON may be flat ("id.orig_h") or nested
 * ("id":{"orig_h"}). Lines of other logs (#path or _path not dns, or no field of
 * DNS) are NOT_DNS_RECORD.
 *
 * A line tells a whole exchange: the query at ts and the response at ts + rtt. Fields that are not set (-,
 * or not in the object) say what Zeek saw, and columns may have been taken out since, so:
 *
 *     a response    rcode, answers or rejected (a response of no question and an error) is set
 *     a query       query is set, and qtype, qclass, rtt or RD, which come from queries alone, or there is
 *                   no response; without a query seen, query is the owner of the first answer
 *     NO_MESSAGE    neither: Zeek saw a header and nothing else
 *
 * A name without qtype is a question of unknown type. Without a name there is a response alone, with
 * none of its answers, as whose they are is not known. A class that is not set is IN. Header bits are F
 * where Zeek does not know them, so those of a response are known only with its query.
 *
 * What is known: addresses, ports, id, header bits, rcode, TTLs as far as the columns
 * are there. Never sizes, nor sections other than the answer. Answers come as bare
 * text, so owner and type are inferred (KNOWN_TYPES is not set):
 *
 *     an IPv4 or IPv6 address    A or AAAA of the current owner
 *     "TXT 5 hello TXT 2 ab"     TXT of the current owner
 *     a name                     asked for NS, PTR or DNAME: that type (a name below
 *                                arpa in front of another answer of a PTR: CNAME);
 *                                of unknown type: a CNAME when an address ends the names;
 *                                else a CNAME of the current owner, which it becomes
 *     text with a blank          left out ("RRSIG 5 example", "SSHFP: ...")
 *
 * The current owner starts as the query. Names asked for by MX, SRV and SOA are left
 * out: Zeek writes their host and not the numbers next to it. It writes no answers at
 * all for types such as HTTPS, so NOERROR without answers is known to be that only for
 * the types it does write; else the rcode is not known.
 */
#ifndef DNSMON_INPUT_ZEEK_H
#define DNSMON_INPUT_ZEEK_H

#include "input/log.h"

struct zeek;

int zeek_create(struct zeek **ret) MUST_CHECK;
void zeek_destroy(struct zeek **zeek);

/* A header line, a TSV line or a JSON line. 0 or E_NOMEM. */
int zeek_line(struct zeek *zeek, struct slice line, struct log_sink *sink) MUST_CHECK;

#endif
