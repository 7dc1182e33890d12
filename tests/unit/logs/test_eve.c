#include "harness.h"

#include "input/eve.h"

static int parse(void *eve, struct slice line, struct log_sink *sink)
{
    return eve_line(eve, line, sink);
}

#define HEAD(src, sport, dst, dport)                                                        \
    "{\"timestamp\":\"1970-01-01T02:00:05.250000+0200\",\"event_type\":\"dns\",\"src_ip\":\"" src \
    "\",\"src_port\":" sport ",\"dest_ip\":\"" dst "\",\"dest_port\":" dport ",\"proto\":\"UDP\",\"dns\":"
#define ASK HEAD("10.0.0.1", "1024", "10.0.0.2", "53")
#define TELL HEAD("10.0.0.2", "53", "10.0.0.1", "1024")
#define QUERY "5.250000000 10.0.0.1:1024>10.0.0.2:53 udp known="
#define ANSWER "5.250000000 10.0.0.2:53>10.0.0.1:1024 udp known="
#define A2 "{\"version\":2,\"type\":\"answer\",\"id\":7,\"flags\":\"8180\",\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"A\""

static const struct line_case cases[] = {
    /* form 1: an event a record */
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\",\"rrtype\":\"A\",\"tx_id\":0}}",
      QUERY "067 id=7 flags=0000 a.example A", "" },
    { TELL "{\"type\":\"answer\",\"id\":7,\"flags\":\"8180\",\"rcode\":\"NOERROR\",\"rrname\":\"b.example\","
           "\"rrtype\":\"A\",\"ttl\":15,\"rdata\":\"1.2.3.4\"}}",
      ANSWER "07f id=7 flags=8180; b.example A 15 1.2.3.4", "" },
    /* form 2: detailed, and grouped */
    { TELL A2 ",\"answers\":[{\"rrname\":\"a.example\",\"rrtype\":\"CNAME\",\"ttl\":9,\"rdata\":\"b.example\"},"
              "{\"rrname\":\"b.example\",\"rrtype\":\"A\",\"ttl\":8,\"rdata\":\"1.2.3.4\"}],"
              "\"grouped\":{\"A\":[\"1.2.3.4\"]}}}",
      ANSWER "07f id=7 flags=8180 a.example A; a.example CNAME 9 b.example; b.example A 8 1.2.3.4", "" },
    { TELL A2 ",\"grouped\":{\"A\":[\"1.2.3.4\"],\"CNAME\":[\"b.example\"]}}}",
      ANSWER "05f id=7 flags=8180 a.example A; a.example CNAME 0 b.example; b.example A 0 1.2.3.4", "" },
    { TELL A2 ",\"authorities\":[{\"rrname\":\"example\",\"rrtype\":\"NS\",\"ttl\":60,\"rdata\":\"ns.example\"}]}}",
      ANSWER "07f id=7 flags=8180 a.example A; ns example NS 60 ns.example", "" },
    /* an answer with the addresses of its flow */
    { ASK A2 ",\"answers\":[{\"rrname\":\"a.example\",\"rrtype\":\"A\",\"ttl\":8,\"rdata\":\"1.2.3.4\"}]}}",
      ANSWER "07f id=7 flags=8180 a.example A; a.example A 8 1.2.3.4", "" },
    /* form 3 */
    { ASK "{\"version\":3,\"type\":\"request\",\"id\":7,\"flags\":\"100\",\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"HTTPS\"}]}}",
      QUERY "07f id=7 flags=0100 a.example HTTPS", "" },
    { TELL "{\"version\":3,\"type\":\"response\",\"id\":7,\"flags\":\"8583\",\"rcode\":\"NXDOMAIN\","
           "\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"A\"}],\"authorities\":[{\"rrname\":\"example\","
           "\"rrtype\":\"SOA\",\"ttl\":60,\"soa\":{\"mname\":\"m\",\"rname\":\"r\",\"serial\":1,\"refresh\":2,"
           "\"retry\":3,\"expire\":4,\"minimum\":5}}]}}",
      ANSWER "0ff id=7 flags=8583 a.example A; ns example SOA 60 "
             "016d00017200" "0000000100000002000000030000000400000005", "" },
    { TELL "{\"version\":3,\"type\":\"response\",\"id\":7,\"flags\":\"8180\",\"rcode\":\"NOERROR\","
           "\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"SRV\"}],\"answers\":[{\"rrname\":\"a.example\","
           "\"rrtype\":\"SRV\",\"ttl\":60,\"srv\":{\"priority\":1,\"weight\":2,\"port\":3,\"name\":\"t\"}}]}}",
      ANSWER "0ff id=7 flags=8180 a.example SRV; a.example SRV 60 000100020003017400", "" },
    /* all answers left out: the rcode says nothing any more */
    { TELL A2 ",\"answers\":[{\"rrname\":\"a.example\",\"rrtype\":\"MX\",\"ttl\":8,\"rdata\":\"mx.example\"}]}}",
      ANSWER "06f id=7 flags=8180 a.example A", "record_left_out=1" },
    /* a name that was cut is not whose the data are */
    { TELL "{\"version\":2,\"type\":\"answer\",\"id\":7,\"flags\":\"8180\",\"rcode\":\"NOERROR\",\"rrname\":\"a.exam\","
           "\"rrname_truncated\":true,\"rrtype\":\"A\",\"grouped\":{\"A\":[\"1.2.3.4\",\"1.2.3.5\"],\"CNAME\":[\"b\"]}}}",
      ANSWER "06f id=7 flags=8180", "record_left_out=3" },
    { "{\"event_type\":\"flow\"}", "", "not_dns_record=1" },
    { "{\"event_type\":\"dns\"}", "", "not_dns_record=1" },
    { TELL "{\"type\":\"answer\",\"id\":7}}", ANSWER "067 id=7 flags=8000", "" },
    { ASK "{\"type\":\"query\",\"id\":7}}", "", "no_message=1" },
    /* types by number, in the form of version 4, without rdata that we write, of no known name, not told */
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\",\"rrtype\":\"TYPE65\"}}", QUERY "067 id=7 flags=0000 a.example HTTPS", "" },
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\",\"rrtype\":\"65\"}}", QUERY "067 id=7 flags=0000 a.example HTTPS", "" },
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\",\"rrtype\":\"0041/65\"}}", QUERY "067 id=7 flags=0000 a.example HTTPS", "" },
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\",\"rrtype\":\"AFSDB\"}}", QUERY "067 id=7 flags=0000 a.example AFSDB", "" },
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\",\"rrtype\":\"NEWEST\"}}", QUERY "067 id=7 flags=0000 a.example TYPE0", "" },
    { ASK "{\"type\":\"query\",\"id\":7,\"rrname\":\"a.example\"}}", QUERY "067 id=7 flags=0000 a.example TYPE0", "" },
    { HEAD("nowhere", "1", "10.0.0.2", "53") "{\"type\":\"query\",\"rrname\":\"a\",\"rrtype\":\"A\"}}", "", "bad_line=1" },
    { ASK "{\"type\":\"query\",\"rrname\":\"a..b\",\"rrtype\":\"A\"}}", "", "bad_line=1" },
    { HEAD("10.0.0.1", "1024", "10.0.0.2", "5355") "{\"type\":\"query\",\"rrname\":\"a\",\"rrtype\":\"A\"}}", "", "llmnr=1" },
    { "[1]", "", "bad_line=1" },
    { "{\"a\":", "", "bad_line=1" },
    { "", "", "not_dns_record=1" },
};

static void test_lines(void **state)
{
    (void)state;
    static struct harness h;
    struct eve *eve;
    harness_init(&h);
    assert_int_equal(eve_create(&eve), 0);
    check_lines(&h, eve, parse, cases, sizeof cases / sizeof *cases);
    eve_destroy(&eve);
    harness_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
