/* dnsmon ingest: files into the database, each message exactly once. */
#include "cmd/intake.h"

static const char usage[] =
    "usage: dnsmon ingest [OPTION]... FILE... | -\n"
    "\n"
    "Reads DNS traffic from files (pcap, pcapng, dnstap, Zeek dns.log, Suricata EVE, sensor\n"
    "lines; plain or gzip, xz, zstd, lz4) or standard input. A source is known by its content:\n"
    "given again it adds nothing, grown it continues, and a run that was killed goes on\n"
    "where it was.\n"
    "\n" OPTIONS_COMMON_HELP
    "  --format F          auto, pcap, dnstap, zeek, eve or sensor (auto)\n"
    "  --source-id ID      names standard input, so that a sender may replay it\n"
    INTAKE_HELP;

static const struct option longs[] = { INTAKE_OPTIONS, OPTIONS_COMMON };

int cmd_ingest(int argc, char **argv)
{
    struct intake in = { .copy_window_ms = 10, .default_slot_s = 600 };
    struct pipeline_result result = { 0 };
    struct fault why = { 0 };
    int option;
    options_start(&in.options, usage, longs, argc, argv);
    while ((option = options_next(&in.options)) > 0)
        intake_option(&in, option);
    if (in.options.exit < 0 && optind == argc)
        options_wrong(&in.options, "no file given; - reads standard input");
    if (in.options.exit >= 0)
        return options_end(&in.options);

    int err = intake_open(&in, &why);
    if (err == E_OK)
        err = pipeline_files(in.pipeline, (const char *const *)argv + optind, (size_t)(argc - optind), &result, &why);
    if (err == E_OK)
        intake_summary(&in, &result);
    intake_close(&in);
    int code = options_end(&in.options);
    if (err)
        return command_fail(&why);
    return result.sources_failed ? EXIT_FAILED : code;
}
