#include "input/zeek.h"
#include "log_lines.h"

static int parse(void *parser, struct slice line, struct log_sink *sink)
{
    return zeek_line(parser, line, sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zeek *parser;
    if (zeek_create(&parser) != 0)
        return 0;
    log_lines(data, size, parser, true, parse);
    zeek_destroy(&parser);
    return 0;
}
