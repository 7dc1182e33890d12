/* feeds FOLDER: serves it at / and at /view/ on a free port of the loopback, which it prints, until its input ends; then it
 * prints its counters. */
#include "protect/feed/http.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct feed_http *http;
    struct fault why;
    if (argc != 2)
        return 2;
    const struct feed_mount mounts[] = { { "", argv[1], NULL }, { "view", argv[1], NULL } };
    if (feed_http_open(&http, NULL, 0, mounts, 2, &why) != 0 || feed_http_start(http, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    printf("%u\n", feed_http_port(http));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    const struct feed_http_counts c = feed_http_counts(http);
    printf("{\"sent\":%" PRIu64 ",\"unchanged\":%" PRIu64 ",\"absent\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", c.sent,
           c.unchanged, c.absent, c.refused, c.bytes);
    feed_http_close(&http);
    return 0;
}
