#include "input/sensor.h"
#include "log_lines.h"

static int parse(void *parser, struct slice line, struct log_sink *sink)
{
    return sensor_line(parser, line, sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sensor *parser;
    if (sensor_create(&parser) != 0)
        return 0;
    log_lines(data, size, parser, false, parse);
    sensor_destroy(&parser);
    return 0;
}
