#include "input/eve.h"
#include "log_lines.h"

static int parse(void *parser, struct slice line, struct log_sink *sink)
{
    return eve_line(parser, line, sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct eve *parser;
    if (eve_create(&parser) != 0)
        return 0;
    log_lines(data, size, parser, true, parse);
    eve_destroy(&parser);
    return 0;
}
