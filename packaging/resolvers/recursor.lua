-- PowerDNS Recursor 4.8: DNSMon's policy zone. docs/resolvers.md says why each line is here.
-- Yours to change: 192.0.2.53 (DNSMon), the secret, the zone's name rpz.dnsmon.
-- recursor.conf beside this file has what must stand there.

rpzPrimary({"192.0.2.53:53"}, "rpz.dnsmon", {
    policyName = "dnsmon",
    refresh = 5,    -- it polls, NOTIFY does nothing: this is how late a change may come
    tsigname = "dnsmon",
    tsigalgo = "hmac-sha256",
    tsigsecret = "ZG5zbW9uLWV4YW1wbGUtc2VjcmV0LWNoYW5nZS1pdC4uLg==",
    -- kept, so that a restart protects at once, DNSMon or not
    dumpFile = "/var/lib/pdns-recursor/rpz.dnsmon.zone",
    seedFile = "/var/lib/pdns-recursor/rpz.dnsmon.zone",
    includeSOA = false,
    extendedErrorCode = 15,
})
