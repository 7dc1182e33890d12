/* dnsmon ingest: files into the database, each message exactly once. */
#include "cmd/intake.h"

#include <stdlib.h>

static const char usage[] =
    "usage: dnsmon ingest [OPTION]... [FILE... | -]\n"
    "\n"
    "Reads DNS traffic from files (pcap, pcapng, dnstap, Zeek dns.log, Suricata EVE, sensor\n"
    "lines; plain or gzip, xz, zstd, lz4) or standard input. A source is known by its content:\n"
    "given again it adds nothing, grown it continues, and a run that was killed goes on\n"
    "where it was. Without FILE, those that the configuration names are read.\n"
    "\n" OPTIONS_COMMON_HELP
    "  --format F          auto, pcap, dnstap, zeek, eve or sensor (auto)\n"
    "  --source-id ID      names standard input, so that a sender may replay it\n"
    INTAKE_HELP;

static const struct option longs[] = { INTAKE_OPTIONS, OPTIONS_COMMON };

static bool has_files(const struct settings *s)
{
    for (unsigned i = 0; i < s->n_inputs; i++)
        if (s->inputs[i].kind == INPUT_FILE)
            return true;
    return false;
}

/* The words of the command line, or else the files of the configuration. */
static int list_files(struct intake *in, char **words, size_t n_words, struct file_input *files, size_t *ret_n,
                      struct fault *why)
{
    const struct settings *s = &in->options.settings;
    size_t n = 0;
    int err = E_OK;
    for (size_t i = 0; i < n_words; i++)
        files[n++] = (struct file_input){ words[i], in->pipeline_options.input };
    for (unsigned i = 0; i < s->n_inputs && n_words == 0 && err == E_OK; i++) {
        if (s->inputs[i].kind != INPUT_FILE)
            continue;
        files[n].path = s->inputs[i].where;
        err = intake_input(in, i, &files[n++].input, why);
    }
    *ret_n = n;
    return err;
}

static int read_files(struct intake *in, char **words, size_t n_words, struct pipeline_result *ret, struct fault *why)
{
    size_t n;
    struct file_input *files = calloc(n_words + in->options.settings.n_inputs, sizeof *files);
    if (files == NULL)
        return fault_set(why, E_NOMEM, "out of memory");
    int err = list_files(in, words, n_words, files, &n, why);
    if (err == E_OK)
        err = pipeline_files(in->pipeline, files, n, ret, why);
    free(files);
    return err;
}

int cmd_ingest(int argc, char **argv)
{
    struct intake in = { .default_slot_s = 3600 };
    struct pipeline_result result = { 0 };
    struct fault why = { 0 };
    int option;
    options_start(&in.options, usage, longs, argc, argv);
    while ((option = options_next(&in.options)) > 0)
        intake_option(&in, option);
    if (in.options.exit < 0 && optind == argc && !has_files(&in.options.settings))
        options_wrong(&in.options, "no file given; - reads standard input");
    if (in.options.exit >= 0)
        return options_end(&in.options);

    int err = intake_open(&in, &why);
    if (err == E_OK)
        err = read_files(&in, argv + optind, (size_t)(argc - optind), &result, &why);
    if (err == E_OK)
        intake_summary(&in, &result);
    intake_close(&in);
    int code = options_end(&in.options);
    if (err)
        return command_fail(&why);
    return result.read.sources_failed ? EXIT_FAILED : code;
}
