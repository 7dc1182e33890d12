/* service: classes by list and by behaviour, and imitations of them. */
#include "small_world.h"

extern const struct detector detector_service;

#define REVERSED(domain, answer) \
    "9 1.2.0.192." domain " A " answer "\n9 7.2.0.192." domain " NXHOST\n9 8.100.51.198." domain " NXHOST\n9 9.113.0.203." domain " NXHOST\n"
#define TEN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)
#define LOOKUP(n) "9 a" #n "k3j.rep-xq.net A 127.0.0.1 9\n9 b" #n "x7q.rep-xq.net A 127.0.0.4 9\n"
#define LOOKUP_AT(n) "9 a" #n "k3j.rep-xq.net A 127.0.0.1\n9 b" #n "x7q.rep-xq.net A 127.0.0.4\n"

static void test_classes(void **state)
{
    (void)state;
    static const struct world_case cases[] = {
        { "listed", "9 2.0.0.127.zen.spamhaus.org A 127.0.0.2\n", "spamhaus.org", -5, -5 },
        { "listed as a suffix", "9 printer.office.lan NX\n", "office.lan", -6, -6 },
        { "the reverse tree", "9 1.2.0.192.in-addr.arpa NXHOST\n", "in-addr.arpa", -8, -8 },
        { "not the listed one", "9 www.spamhaus.net.tk A 66.9.0.1\n", "net.tk", 0, 0 },
        { "a block list", "1500 www.bl-xq.net A 66.9.0.1\n" REVERSED("bl-xq.net", "127.0.0.2"), "bl-xq.net", -4, -4 },
        { "a young one", REVERSED("bl-xq.net", "127.0.0.2"), "bl-xq.net", -2, -2 },
        { "reversed addresses, answered with addresses", "1500 www.bl-xq.net NODATA\n" REVERSED("bl-xq.net", "66.9.0.1"), "bl-xq.net", 0, 0 },
        { "IPv6",
          "9 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl-xq.net A 127.0.0.2\n"
          "9 2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl-xq.net NXHOST\n"
          "9 3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl-xq.net NXHOST\n"
          "9 4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl-xq.net NXHOST\n", "bl-xq.net", -2, -2 },
        { "discovery",
          "9 _ldap._tcp.dc.corp-xq.com SRV dc1.corp-xq.com\n9 _kerberos._udp.corp-xq.com NXHOST\n9 lb._dns-sd._udp.corp-xq.com NXHOST\n9 _sip._tcp.corp-xq.com NXHOST\n",
          "corp-xq.com", -3, -3 },
        { "service labels with addresses",
          "9 a._tcp.corp-xq.com A 66.9.0.1\n9 b._udp.corp-xq.com NXHOST\n9 c._udp.corp-xq.com NXHOST\n9 d._tcp.corp-xq.com NXHOST\n", "corp-xq.com", 0, 0 },
        { "service labels that carry text",
          "9 a._tcp.corp-xq.com TXT aa\n9 b._udp.corp-xq.com TXT bb\n9 c._udp.corp-xq.com TXT cc\n9 d._tcp.corp-xq.com TXT dd\n", "corp-xq.com", 0, 0 },
        { "a search list",
          "9 www.google.com.corp-xq.com NXHOST\n9 example.net.corp-xq.com NXHOST\n9 example.org.corp-xq.com NXHOST\n9 a.example.com.corp-xq.com NXHOST\n",
          "corp-xq.com", -3, -3 },
        { "a wildcard below it",
          "9 www.google.com.corp-xq.com A 66.9.0.1\n9 example.net.corp-xq.com NXHOST\n9 example.org.corp-xq.com NXHOST\n9 a.example.com.corp-xq.com NXHOST\n",
          "corp-xq.com", 0, 0 },
        { "reputation", "1500 www.rep-xq.net NODATA\n" TEN(LOOKUP), "rep-xq.net", -3, -3 },
        { "of few clients", "1500 www.rep-xq.net NODATA\n" TEN(LOOKUP_AT), "rep-xq.net", 0, 0 },
        { "young reputation", TEN(LOOKUP), "rep-xq.net", 0, 0 },
        { "an ordinary domain", "9 www.example.com A 66.9.0.1\n9 mail.example.com A 66.9.0.1\n9 a.example.com A 66.9.0.2\n9 b.example.com NXHOST\n", "example.com", 0, 0 },
    };
    world_check(&detector_service, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_classes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
