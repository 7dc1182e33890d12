#include "harness.h"

#include "input/zeek.h"

static int parse(void *zeek, struct slice line, struct log_sink *sink)
{
    return zeek_line(zeek, line, sink);
}

#define FIELDS "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqtype\trcode\tAA\tTC\tRD\tRA\tanswers\tTTLs"
#define Q "5.25\t10.0.0.1\t1024\t10.0.0.2\t53\tudp\t7\t"
#define QUERY(rest) "5.250000000 10.0.0.1:1024>10.0.0.2:53 udp known=00f id=7 flags=0100 " rest
#define ANSWER(rest) "\n5.750000000 10.0.0.2:53>10.0.0.1:1024 udp known=03f id=7 flags=8580 " rest
#define ALONE(known, flags, rest) "5.250000000 10.0.0.2:53>10.0.0.1:1024 udp known=" known " id=7 flags=" flags rest
#define U "T\tF\tF\tT\t" /* the query was not seen */
#define T "T\tF\tT\tT\t"

static const struct line_case tsv[] = {
    { "#separator \\x09", "", "not_dns_record=1" },
    { "#set_separator\t,", "", "not_dns_record=1" },
    { "#path\tdns", "", "not_dns_record=1" },
    { FIELDS, "", "not_dns_record=1" },
    /* a query that nobody answered */
    { Q "-\ta.example\t1\t1\t-\t" "F\tF\tT\tF\t-\t-", QUERY("a.example A"), "" },
    /* a chain of CNAMEs and two addresses */
    { Q "0.5\ta.example\t1\t1\t0\t" T "b.example,c.example,1.2.3.4,1.2.3.5\t5,6,7,8.000000",
      QUERY("a.example A") ANSWER("a.example A; a.example CNAME 5 b.example; b.example CNAME 6 "
                                  "c.example; c.example A 7 1.2.3.4; c.example A 8 1.2.3.5"), "" },
    { Q "0.5\ta.example\t1\t28\t0\t" T "::1\t5",
      QUERY("a.example AAAA") ANSWER("a.example AAAA; a.example AAAA 5 ::1"), "" },
    /* escapes of names and of the set separator */
    { Q "0.5\ta\\x2cb\\xff.example\t1\t16\t0\t" T "TXT 5 a\\x2cb c TXT 1 d\t5",
      QUERY("a,b\\255.example TXT")
          ANSWER("a,b\\255.example TXT; a,b\\255.example TXT 5 05612c6220630164"), "" },
    { Q "0.5\t1.0.0.10.in-addr.arpa\t1\t12\t0\t" T "1.x.0.10.in-addr.arpa,h.example\t5,5",
      QUERY("1.0.0.10.in-addr.arpa PTR")
          ANSWER("1.0.0.10.in-addr.arpa PTR; 1.0.0.10.in-addr.arpa CNAME 5 1.x.0.10.in-addr.arpa; "
                 "1.x.0.10.in-addr.arpa PTR 5 h.example"), "" },
    /* NXDOMAIN: TTLs are not known where there are none */
    { Q "0.5\ta.example\t1\t1\t3\t" T "-\t-",
      QUERY("a.example A") "\n5.750000000 10.0.0.2:53>10.0.0.1:1024 udp known=01f id=7 flags=8583 "
                           "a.example A", "" },
    /* answers that cannot be written: NOERROR must not read as NODATA */
    { Q "0.5\ta.example\t1\t15\t0\t" T "mx.example\t5",
      QUERY("a.example MX") "\n5.750000000 10.0.0.2:53>10.0.0.1:1024 udp known=02f id=7 flags=8580 "
                            "a.example MX", "record_left_out=1" },
    { Q "0.5\ta.example\t1\t65\t0\t" T "-\t-",
      QUERY("a.example HTTPS") "\n5.750000000 10.0.0.2:53>10.0.0.1:1024 udp known=00f id=7 flags=8580 "
                               "a.example HTTPS", "" },
    { Q "0.5\ta.example\t1\t1\t0\t" T "-\t-",
      QUERY("a.example A") "\n5.750000000 10.0.0.2:53>10.0.0.1:1024 udp known=01f id=7 flags=8580 "
                           "a.example A", "" },
    /* the query was not seen: the name is that of the first answer, the type is not known */
    { Q "-\ta.example\t-\t-\t0\t" U "1.2.3.4\t5", ALONE("037", "8480", " a.example TYPE0; a.example A 5 1.2.3.4"), "" },
    { Q "-\ta.example\t-\t-\t0\t" U "b.example,c.example,::1,1.2.3.4\t1,2,3,4",
      ALONE("037", "8480", " a.example TYPE0; a.example CNAME 1 b.example; b.example CNAME 2 c.example; "
                           "c.example AAAA 3 ::1; c.example A 4 1.2.3.4"), "" },
    { Q "-\ta.example\t-\t-\t0\t" U "TXT 1 d\t5", ALONE("037", "8480", " a.example TYPE0; a.example TXT 5 0164"), "" },
    /* names that no address ends may be of any type; and then there is no rcode to conclude from */
    { Q "-\ta.example\t-\t-\t0\t" U "b.example,c.example\t5,5", ALONE("027", "8480", " a.example TYPE0"), "record_left_out=2" },
    { Q "-\ta.example\t-\t-\t0\t" U "b.example,SSHFP: x,1.2.3.4\t5,5,5",
      ALONE("037", "8480", " a.example TYPE0; a.example A 5 1.2.3.4"), "record_left_out=2" },
    /* NXDOMAIN is the name's, whatever was asked for */
    { Q "-\ta.example\t-\t-\t3\t" U "-\t-", ALONE("017", "8483", " a.example TYPE0"), "" },
    { Q "-\ta.example\t-\t-\t0\t" U "-\t-", ALONE("007", "8480", " a.example TYPE0"), "" },
    /* a class, a round trip, RD are a query's */
    { Q "0.5\ta.example\t-\t-\t0\t" T "1.2.3.4\t5",
      QUERY("a.example TYPE0") ANSWER("a.example TYPE0; a.example A 5 1.2.3.4"), "" },
    { Q "-\ta.example\t1\t-\t3\t" T "-\t-", QUERY("a.example TYPE0") "\n" ALONE("01f", "8583", " a.example TYPE0"), "" },
    { Q "-\ta.example\t-\t-\t-\t" T "-\t-", QUERY("a.example TYPE0"), "" },
    { Q "-\ta.example\t-\t-\t3\t" T "-\t-", QUERY("a.example TYPE0") "\n" ALONE("01f", "8583", " a.example TYPE0"), "" },
    /* no name: a response all the same, whose answers are nobody's */
    { Q "-\t-\t-\t-\t2\t" U "-\t-", ALONE("017", "8482", ""), "" },
    { Q "-\t-\t-\t-\t0\t" U "1.2.3.4,TXT 1 d\t5,5", ALONE("027", "8480", ""), "record_left_out=2" },
    { Q "0.5\t-\t1\t1\t3\t" T "-\t-", "5.750000000 10.0.0.2:53>10.0.0.1:1024 udp known=01f id=7 flags=8583", "" },
    { Q "-\t-\t1\t1\t-\t" T "-\t-", "", "no_message=1" },
    { Q "-\t-\t-\t-\t-\t" "F\tF\tF\tF\t-\t-", "", "no_message=1" },
    /* the root */
    { Q "-\t(empty)\t1\t2\t-\t" "F\tF\tT\tF\t-\t-", QUERY(". NS"), "" },
    { Q "-\ta..example\t1\t1\t-\t" T "-\t-", "", "bad_line=1" },
    { "5.25\t10.0.0.1\t70000\t10.0.0.2\t53\tudp\t7\t-\ta\t1\t1\t-\t" T "-\t-", "", "bad_line=1" },
    { "XXX\t10.0.0.1\t1\t10.0.0.2\t53\tudp\t7\t-\ta\t1\t1\t-\t" T "-\t-", "", "bad_line=1" },
    { "4294967296\t10.0.0.1\t1\t10.0.0.2\t53\tudp\t7\t-\ta\t1\t1\t-\t" T "-\t-", "", "bad_time=1" },
    { "5.25\t10.0.0.1", "", "bad_line=1" },
    { Q "-\ta\t1\t1\t-\t" T "-\t-\tmore", "", "bad_line=1" },
    { "5.25\t10.0.0.1\t5353\t224.0.0.251\t5353\tudp\t0\t-\ta.local\t1\t1\t-\t" T "-\t-", "", "mdns=1" },
    { "", "", "not_dns_record=1" },
    /* another order, and columns that are missing */
    { "#fields\tquery\tts\tqtype", "", "not_dns_record=1" },
    { "a.example\t5\t1", "5.000000000 :::0>:::0 other known=000 id=0 flags=0000 a.example A", "" },
    { "#fields\tts\tquery\trcode\trejected", "", "not_dns_record=1" },
    { "5\ta.example\t-\tT", "5.000000000 :::0>:::0 other known=000 id=0 flags=8000 a.example TYPE0", "" },
    { "5\ta.example\t-\tF", "5.000000000 :::0>:::0 other known=000 id=0 flags=0000 a.example TYPE0", "" },
    { "5\t-\t5\tT", "5.000000000 :::0>:::0 other known=010 id=0 flags=8005", "" },
    { "#path\tconn", "", "not_dns_record=1" },
    { "a.example\t5\t1", "", "not_dns_record=1" },
};

#define J "{\"ts\":5.25,\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":1024,\"id.resp_h\":\"10.0.0.2\",\"id.resp_p\":53,\"proto\":\"udp\",\"trans_id\":7,\"AA\":true,\"TC\":false,\"RD\":true,\"RA\":true"

static const struct line_case json[] = {
    { J ",\"query\":\"a.example\",\"qtype\":1}", QUERY("a.example A"), "" },
    { J ",\"query\":\"a.example\",\"qtype\":1,\"qclass\":1,\"rtt\":0.5,\"rcode\":0,"
        "\"answers\":[\"b.example\",\"1.2.3.4\"],\"TTLs\":[5.0,6.0]}",
      QUERY("a.example A") ANSWER("a.example A; a.example CNAME 5 b.example; b.example A 6 1.2.3.4"), "" },
    /* nested, ISO 8601 */
    { "{\"_path\":\"dns\",\"ts\":\"1970-01-01T00:00:05.25Z\",\"id\":{\"orig_h\":\"10.0.0.1\",\"orig_p\":1024,"
      "\"resp_h\":\"10.0.0.2\",\"resp_p\":53},\"proto\":\"udp\",\"trans_id\":7,\"AA\":false,\"TC\":false,"
      "\"RD\":true,\"RA\":false,\"query\":\"a.example\",\"qtype\":1}", QUERY("a.example A"), "" },
    { "{\"_path\":\"conn\",\"ts\":5}", "", "not_dns_record=1" },
    { "{\"ts\":5,\"id.orig_h\":\"10.0.0.1\"}", "", "not_dns_record=1" },
    { J ",\"query\":5,\"qtype\":1}", "", "no_message=1" },
    { J ",\"query\":\"a.example\",\"rcode\":0,\"answers\":[\"b.example\",\"1.2.3.4\",7]}",
      QUERY("a.example TYPE0") "\n"
      ALONE("01f", "8580", " a.example TYPE0; a.example CNAME 0 b.example; b.example A 0 1.2.3.4"), "record_left_out=1" },
    { J ",\"query\":null,\"qtype\":null,\"rcode\":2,\"rejected\":true}", ALONE("01f", "8582", ""), "" },
    { J ",\"query\":\"a\",\"qtype\":-1}", "", "bad_line=1" },
    { J, "", "bad_line=1" },
    { "{\"ts\":1e99,\"query\":\"a\",\"qtype\":1}", "", "bad_line=1" },
};

static void run(const struct line_case *cases, size_t n)
{
    static struct harness h;
    struct zeek *zeek;
    harness_init(&h);
    assert_int_equal(zeek_create(&zeek), 0);
    check_lines(&h, zeek, parse, cases, n);
    zeek_destroy(&zeek);
    harness_release(&h);
}

static void test_tsv(void **state)
{
    (void)state;
    run(tsv, sizeof tsv / sizeof *tsv);
}

static void test_json(void **state)
{
    (void)state;
    run(json, sizeof json / sizeof *json);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tsv), cmocka_unit_test(test_json) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
